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
  /** Folder of the archive, which need not be there yet. */
  readonly archive: string
  readonly device: DeviceChoice
  /** Look at every row of the archive, which takes as long as reading its file. Default: false. */
  readonly deep?: boolean
}

/** What was found of one thing that Cameo needs. */
export interface Check {
  readonly name: 'ffmpeg' | 'onnxruntime' | 'models' | 'hnswlib' | 'archive'
  readonly ok: boolean
  /** A sentence: what is there, or what is wrong with it. */
  readonly detail: string
  /** What was thrown, where something is wrong: a CameoError as a rule. */
  readonly error?: unknown
}

/** What a check of everything found. */
export interface DoctorReport {
  /** All checks are. */
  readonly ok: boolean
  readonly checks: readonly Check[]
  /** What a deep look found damaged; empty without one. */
  readonly damaged: readonly DamagedThing[]
  /** How much of the archive's video was looked at; undefined where there is none, or it cannot be read. */
  readonly coverage: CoverageSum | undefined
  /** Sentences about opening the archive. */
  readonly notices: readonly string[]
}

/** Checks that everything that Cameo needs is there and works. What does not is told in the report, and nothing is thrown. */
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

/** The native library is compiled at installation; a broken build shows here and not in the middle of an ingest. */
async function tryHnsw(): Promise<string> {
  const index = HnswIndex.create(2)
  const vector = Float32Array.of(1, 0)
  await index.add([{ label: 0, vector }])
  const [found] = await index.search([vector], 1)
  if (found?.[0]?.label !== 0)
    throw new Error('it does not find the one vector it holds: rebuild it with "npm rebuild hnswlib-node"')
  return 'works'
}
