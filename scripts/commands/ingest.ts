import { existsSync, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { Command, Option } from 'commander'
import { adoptRecipe, openArchive, type Archive } from '../../index/archive/open-archive.js'
import { isForgotten, remember } from '../../index/identities/forget.js'
import { ffmpegVersion } from '../../pipeline/decode/ffmpeg.js'
import { lockArchive } from '../../index/store/locks.js'
import type { DeviceChoice } from '../../pipeline/models/device.js'
import { defaultPackName, keepablePackName } from '../../pipeline/models/packs/catalog.js'
import { defaultModelsDir } from '../../pipeline/models/packs/models-dir.js'
import { checkHead, readHeadFile } from '../../pipeline/describe/head/head-file.js'
import { defaultCheckpointEveryS } from '../../pipeline/segments/resume-segment.js'
import { createRecipe, segmentLengthS, type Recipe, type Settings } from '../../pipeline/recipe/recipe.js'
import { CameoError } from '../../pipeline/common/errors.js'
import { loadStages } from '../../pipeline/stages/load-pipeline.js'
import { findClips } from '../../workers/ingest/find-clips.js'
import { dropGonePaths } from '../../workers/ingest/prune-missing-files.js'
import { IngestRun } from '../../workers/ingest/ingest-run.js'
import { createVectorFollower } from '../../workers/ingest/vector-follower.js'
import { startThreads, type ThreadPool } from '../../workers/threads/thread-pool.js'
import { checkSomeExist } from '../cli/given-paths.js'
import { createIngestReporter } from '../reports/ingest-report.js'
import { prepareRepair } from '../use/repair.js'
import { usePack } from '../cli/ensure-pack.js'
import {
  archiveOption,
  checkpointOption,
  defaultThreads,
  deviceOption,
  jsonOption,
  numberWithin,
} from '../cli/options.js'
import { exitCodes, note } from '../cli/output.js'
import {
  chooseEncoders,
  chooseSettings,
  encoderFilesOf,
  withRecipeOptions,
  type RecipeOptions,
} from '../cli/recipe-options.js'
import { untilStopped } from '../cli/until-stopped.js'

export interface IngestCommandOptions extends RecipeOptions {
  readonly archive: string
  readonly device: DeviceChoice
  readonly threads: number
  readonly reprocess: boolean
  readonly includeForgotten: boolean
  readonly checkpointEvery?: number
  /** Absent: false. */
  readonly repair?: boolean
  readonly json: boolean
}

export const ingestCommand = withRecipeOptions(new Command('ingest'))
  .description(
    'Take clips into an archive. Run it again at any time: it does what is new and goes on where it stopped.',
  )
  .argument('[paths...]', 'video files, and folders that are searched for them')
  .addOption(archiveOption())
  .addOption(deviceOption())
  .addOption(
    new Option('--threads <n>', 'segments processed at the same time, also where a GPU runs the models')
      .default(defaultThreads)
      .argParser(numberWithin(1, 256, 'integer')),
  )
  .addOption(
    new Option('--reprocess', "process every clip anew where the archive's settings change").default(false),
  )
  .addOption(
    new Option('--include-forgotten', 'take up clips again that were erased with "forget"').default(false),
  )
  .addOption(checkpointOption())
  .addOption(
    new Option(
      '--repair',
      'look at every row of the archive first, and process clips anew whose rows are damaged; needs no paths',
    ).default(false),
  )
  .addOption(jsonOption())
  .addHelpText(
    'after',
    `
With --json, one line a clip: {path, clipId, status, tracks, seconds} or {path, status, code, message}.
Folders whose names begin with a dot are passed over, and so are files that are no videos by their names and first bytes.
Status: done, unchanged, duplicate, partial, forgotten, skipped, failed.
Exit code: 0 all clips are in, 1 some failed, 2 the command could not run, 130 interrupted.
The settings of the first ingest stay with the archive; later ones need not repeat them.`,
  )
  .action(async (paths: string[], options: IngestCommandOptions) => {
    process.exitCode = await runIngest(paths, options)
  })

/** The command's work; returns the exit code. */
export async function runIngest(paths: readonly string[], options: IngestCommandOptions): Promise<number> {
  const isRepair = options.repair === true
  if (paths.length > 0) checkSomeExist(paths, 'ingested')
  else if (!isRepair) throw new CameoError('USAGE', 'say what to ingest: video files, or folders of them')
  await ffmpegVersion()
  const archive = openArchive(options.archive, { create: !isRepair, onNotice: note })
  try {
    const lock = lockArchive(archive.dir)
    try {
      return isRepair
        ? await repairAndIngest(archive, paths, options)
        : await ingestInto(archive, paths, options)
    } finally {
      lock.release()
    }
  } finally {
    archive.close()
  }
}

/** The files of damaged clips are taken in together with the paths that are given. */
async function repairAndIngest(
  archive: Archive,
  paths: readonly string[],
  options: IngestCommandOptions,
): Promise<number> {
  const { files, lost } = prepareRepair(archive, options.json)
  const all = [...paths, ...files]
  if (all.length === 0 && lost === 0) note(`nothing of the archive ${archive.dir} is damaged`)
  const code = all.length === 0 ? exitCodes.ok : await ingestInto(archive, all, options)
  return code === exitCodes.ok && lost > 0 ? exitCodes.someFailed : code
}

async function ingestInto(
  archive: Archive,
  paths: readonly string[],
  options: IngestCommandOptions,
): Promise<number> {
  const packName = options.pack ?? archive.recipe?.packName ?? defaultPackName
  const headPath = options.head ?? archive.recipe?.headFile
  const head = headPath === undefined ? undefined : await readHeadFile(headPath)
  const headFile = head?.path
  const settings = chooseSettings(options, archive.recipe)
  const encoders = await chooseEncoders(options, archive.recipe)
  const pack = await usePack(packName)
  const setup = {
    ...{ pack, modelsDir: defaultModelsDir(), settings, device: options.device, headFile, encoders },
    checkpointEveryS: options.checkpointEvery ?? defaultCheckpointEveryS,
  }
  const recipe = createRecipe(pack, settings, head?.sha256, encoders)
  if (head !== undefined) checkHead(head, recipe)
  const source = {
    packName: keepablePackName(packName),
    ...(headFile === undefined ? {} : { headFile }),
    encoderFiles: encoderFilesOf(encoders, settings),
  }
  const dimension = headFile === undefined ? pack.embedder.dimension : await headDimension(setup)
  return untilStopped(async (signal) => {
    // Before anything is written: a device that cannot be used leaves no settings behind.
    const pool = await startThreads({ setup, threads: options.threads, onNotice: note })
    try {
      const spaceId = adoptRecipe(archive, recipe, source, dimension, options.reprocess)
      return await ingestWith(pool, { archive, paths, options, settings, recipe, spaceId, signal })
    } finally {
      await pool.stop()
    }
  })
}

interface IngestWork {
  readonly archive: Archive
  readonly paths: readonly string[]
  readonly options: IngestCommandOptions
  readonly settings: Settings
  readonly recipe: Recipe
  readonly spaceId: number
  readonly signal: AbortSignal
}

const indexEveryMs = 2000

async function ingestWith(
  pool: ThreadPool,
  { archive, paths, options, settings, recipe, spaceId, signal }: IngestWork,
): Promise<number> {
  const reporter = createIngestReporter(options.json, segmentLengthS(settings))
  // Parents first: a root takes over those below it, and files in work know their root by its id.
  const roots = paths.map((path) => (isFolder(resolve(path)) ? resolve(path) : dirname(resolve(path))))
  for (const root of roots.sort((a, b) => a.length - b.length)) archive.files.rootFor(root)
  // The index follows while clips come in, so that the end of a long ingest is no second job.
  const vectors = createVectorFollower(archive.dir, note)
  const following = setInterval(() => vectors.follow(), indexEveryMs)
  try {
    const met = await new IngestRun({
      archive,
      recipe: recipe.digest,
      embedder: recipe.embedderDigest,
      spaceId,
      segmentLengthS: segmentLengthS(settings),
      threads: pool.threads,
      files: findClips(paths, [archive.dir]),
      isForgotten(clipId) {
        if (options.includeForgotten) remember(archive.database, clipId)
        return isForgotten(archive.database, clipId)
      },
      events: reporter,
      signal,
    }).run()
    if (!signal.aborted) dropGonePaths(archive, paths.map((path) => resolve(path)).filter(isFolder), met)
  } finally {
    clearInterval(following)
    reporter.stop()
    await vectors.close()
  }
  reporter.summarise(archive)
  if (signal.aborted) return exitCodes.interrupted
  return reporter.failed > 0 ? exitCodes.someFailed : exitCodes.ok
}

async function headDimension(setup: Parameters<typeof loadStages>[0]): Promise<number> {
  const stages = await loadStages(setup)
  const { dimension } = stages.describer
  await stages.dispose()
  return dimension
}

const isFolder = (path: string) => existsSync(path) && statSync(path).isDirectory()
