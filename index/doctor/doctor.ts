import { messageOf } from '../../pipeline/common/errors.js'
import { ffmpegVersion } from '../../pipeline/decode/ffmpeg.js'
import type { DeviceChoice } from '../../pipeline/models/device.js'
import { cudaIsBuiltIn, runtimeVersion } from '../../pipeline/models/session.js'
import type { Caller } from '../../pipeline/stages/caller.js'
import type { DamagedThing } from '../archive/damaged-things.js'
import type { CoverageSum } from '../coverage/sum-coverage.js'
import { HnswIndex } from '../vectors/hnsw/hnsw-index.js'
import { checkArchive, recipeOfArchive } from './check-archive.js'
import { checkModels } from './check-models.js'

export interface DoctorRequest {
  /** Folder of the archive. It does not have to exist yet. */
  readonly archive: string
  readonly device: DeviceChoice
  /** Check every row of the archive. Takes as long as reading its file. Default: false. */
  readonly deep?: boolean
}

/** The result of one check. */
export interface Check {
  readonly name: 'ffmpeg' | 'onnxruntime' | 'models' | 'hnswlib' | 'archive'
  readonly ok: boolean
  /** A sentence: what was found, or what is wrong. */
  readonly detail: string
  /** The error, if the check failed. Usually a CameoError. */
  readonly error?: unknown
}

/** The result of all checks. */
export interface DoctorReport {
  /** True if all checks passed. */
  readonly ok: boolean
  readonly checks: readonly Check[]
  /** Damage found by a deep check. Empty without one. */
  readonly damaged: readonly DamagedThing[]
  /** How much of the archive's video was examined. Undefined if there is no archive or it cannot be read. */
  readonly coverage: CoverageSum | undefined
  /** Notices from opening the archive, as sentences. */
  readonly notices: readonly string[]
}

/** Checks that everything that Cameo needs is installed and works. Reports failed checks instead of throwing. */
export async function doctor(
  { archive, device, deep = false }: DoctorRequest,
  { modelsDir }: Pick<Caller, 'modelsDir'>,
): Promise<DoctorReport> {
  const damaged: DamagedThing[] = []
  let coverage: CoverageSum | undefined
  let notices: readonly string[] = []
  const checks = [
    await check('ffmpeg', async () => {
      const { path, version } = await ffmpegVersion()
      return `${version} (${path})`
    }),
    await check('onnxruntime', () => `${runtimeVersion()}, ${cudaIsBuiltIn() ? 'with CUDA' : 'CPU only'}`),
    await check('models', () => checkModels(recipeOfArchive(archive), archive, device, modelsDir)),
    await check('hnswlib', tryHnsw),
    await check('archive', () => {
      const found = checkArchive(archive, deep, damaged)
      coverage = found.coverage
      notices = found.notices
      return found.detail
    }),
  ]
  return { ok: checks.every(({ ok }) => ok), checks, damaged, coverage, notices }
}

async function check(name: Check['name'], work: () => string | Promise<string>): Promise<Check> {
  try {
    return { name, ok: true, detail: await work() }
  } catch (error) {
    return { name, ok: false, detail: messageOf(error), error }
  }
}

/** The native library is compiled at installation. This check finds a broken build before an ingest does. */
async function tryHnsw(): Promise<string> {
  const index = HnswIndex.create(2)
  const vector = Float32Array.of(1, 0)
  await index.add([{ label: 0, vector }])
  const [found] = await index.search([vector], 1)
  if (found?.[0]?.label !== 0)
    throw new Error('it does not find the only vector in it: rebuild it with "npm rebuild hnswlib-node"')
  return 'works'
}
