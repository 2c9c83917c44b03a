import { adviceMessageOf } from '../cli/advice.js'
import { accessSync, constants, existsSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { Command, Option } from 'commander'
import { openArchiveToRead, type Archive } from '../../index/archive/open-archive.js'
import { summariseCoverage } from '../../index/coverage/sum-coverage.js'
import { checkDeeply } from '../../index/archive/deep-check.js'
import { HnswIndex } from '../../index/vectors/hnsw/hnsw-index.js'
import { databaseFileName, translateSqliteErrors } from '../../index/store/database.js'
import type { ArchiveRecipe } from '../../index/store/meta.js'
import { ffmpegVersion } from '../../pipeline/decode/ffmpeg.js'
import type { DeviceChoice } from '../../pipeline/models/device.js'
import { cudaIsBuiltIn, runtimeVersion } from '../../pipeline/models/session.js'
import { checkModels } from '../../index/archive/check-models.js'
import { coverageLine } from '../reports/coverage-text.js'
import { archiveOption, deviceOption, jsonOption } from '../cli/options.js'
import { counted, exitCodes, print, printJson } from '../cli/output.js'
import { damagedThings, describeDamaged, type DamagedThing } from '../../index/archive/damaged-things.js'

interface DoctorOptions {
  readonly archive: string
  readonly device: DeviceChoice
  readonly deep: boolean
  readonly json: boolean
}

interface Check {
  readonly name: string
  readonly ok: boolean
  readonly detail: string
}

export const doctorCommand = new Command('doctor')
  .description('Check that everything a machine needs is there and works.')
  .addOption(archiveOption())
  .addOption(deviceOption())
  .addOption(
    new Option('--deep', 'look at every row of the archive, which takes as long as reading its file').default(
      false,
    ),
  )
  .addOption(jsonOption())
  .addHelpText(
    'after',
    `
With --json: {ok, checks: [{name, ok, detail}]}; with --deep also damaged: [{clipId?, path?, name?, what}].
Exit code: 0 all is well, 2 something is not.`,
  )
  .action(async (options: DoctorOptions) => {
    const damaged: DamagedThing[] = []
    const checks = [
      await check('ffmpeg', async () => {
        const { path, version } = await ffmpegVersion()
        return `${version} (${path})`
      }),
      await check('onnxruntime', () =>
        Promise.resolve(`${runtimeVersion()}, ${cudaIsBuiltIn() ? 'with CUDA' : 'CPU only'}`),
      ),
      await check('models', () => checkModels(recipeOf(options.archive), options.archive, options.device)),
      await check('hnswlib', tryHnsw),
      await check('archive', () => Promise.resolve(describeArchive(options, damaged))),
    ]
    const ok = checks.every((entry) => entry.ok)
    if (options.json) printJson({ ok, checks, ...(options.deep ? { damaged } : {}) })
    else for (const entry of checks) print(`${entry.ok ? '✓' : '✗'} ${entry.name.padEnd(12)} ${entry.detail}`)
    process.exitCode = ok ? exitCodes.ok : exitCodes.failed
  })

async function check(name: string, work: () => Promise<string>): Promise<Check> {
  try {
    return { name, ok: true, detail: await work() }
  } catch (error) {
    return { name, ok: false, detail: adviceMessageOf(error) }
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

/** Undefined, too, where the archive cannot be opened: its own check says why. */
function recipeOf(dir: string): ArchiveRecipe | undefined {
  try {
    const archive = openArchiveToRead(dir, () => undefined)
    try {
      return archive.recipe
    } finally {
      archive.close()
    }
  } catch {
    return undefined
  }
}

/** @param damaged what is found so is added */
function describeArchive({ archive: dir, deep }: DoctorOptions, damaged: DamagedThing[]): string {
  if (!existsSync(join(dir, databaseFileName))) {
    checkCanBeMade(dir)
    return `${dir} holds no archive yet; the first ingest makes it`
  }
  const notices: string[] = []
  const archive = openArchiveToRead(dir, (notice) => notices.push(notice))
  try {
    if (deep) lookDeep(archive, damaged)
    const damage = deep ? 'ok' : archive.database.pragma('quick_check', { simple: true })
    if (damage !== 'ok') throw new Error(`${dir} is damaged: ${String(damage)}`)
    const { clips, tracks } = archive.clips.counts()
    const coverage = coverageLine(summariseCoverage(archive))
    const held = `${counted(clips, 'clip')}, ${counted(tracks, 'track')}`
    const state = deep ? 'every row is as it was written' : 'its file is intact'
    return [`${dir}: ${held}, ${state}${coverage === undefined ? '' : `, but ${coverage}`}`, ...notices].join(
      '; ',
    )
  } finally {
    archive.close()
  }
}

/** Throws a sentence a line where something is damaged. */
function lookDeep(archive: Archive, damaged: DamagedThing[]): void {
  const { damage, structure } = checkDeeply(archive.database)
  damaged.push(...damagedThings(archive, damage))
  if (damaged.length === 0 && structure.length === 0) return
  throw new Error(
    [
      `${archive.dir} is damaged: run "cameo ingest --repair --archive ${archive.dir}"`,
      ...damaged.map(describeDamaged),
      ...structure.map((line) => `the file: ${line}`),
    ].join('\n  '),
  )
}

/** An ingest makes all the folders that are missing, below the nearest that is there. */
function checkCanBeMade(dir: string): void {
  let nearest = dir
  while (!existsSync(nearest)) nearest = dirname(nearest)
  if (!statSync(nearest).isDirectory())
    throw new Error(`the archive ${dir} cannot be made: ${nearest} is no folder`)
  translateSqliteErrors(dir, () => accessSync(nearest, constants.W_OK | constants.X_OK))
}
