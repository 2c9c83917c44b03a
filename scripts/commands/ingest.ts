import { Command, Option } from 'commander'
import { openArchive } from '../../index/archive/open-archive.js'
import type { RecipeOptions } from '../../index/archive/choose-recipe.js'
import { CameoError } from '../../pipeline/common/errors.js'
import { ffmpegVersion } from '../../pipeline/decode/ffmpeg.js'
import type { DeviceChoice } from '../../pipeline/models/device.js'
import { ingestArchive } from '../../workers/archive/ingest-archive.js'
import { asCaller } from '../cli/caller.js'
import { checkSomeExist } from '../cli/given-paths.js'
import {
  archiveOption,
  checkpointOption,
  defaultThreads,
  deviceOption,
  jsonOption,
  numberWithin,
} from '../cli/options.js'
import { exitCodes, note } from '../cli/output.js'
import { withRecipeOptions } from '../cli/recipe-options.js'
import { untilStopped } from '../cli/until-stopped.js'
import { IngestReporter } from '../reports/ingest-report.js'

interface IngestCommandOptions extends RecipeOptions {
  readonly archive: string
  readonly device: DeviceChoice
  readonly threads: number
  readonly reprocess: boolean
  readonly includeForgotten: boolean
  readonly checkpointEvery?: number
  readonly repair: boolean
  readonly json: boolean
}

export const ingestCommand = withRecipeOptions(new Command('ingest'))
  .description(
    'Take clips into an archive. Run it again at any time: it processes what is new and continues where it stopped.',
  )
  .argument('[paths...]', 'video files, and folders that are searched for them')
  .addOption(archiveOption())
  .addOption(deviceOption())
  .addOption(
    new Option(
      '--threads <n>',
      'how many segments are processed at the same time, also if a GPU runs the models',
    )
      .default(defaultThreads)
      .argParser(numberWithin(1, 256, 'integer')),
  )
  .addOption(
    new Option('--reprocess', "process every clip again if the archive's settings change").default(false),
  )
  .addOption(
    new Option('--include-forgotten', 'also ingest clips that were erased with "forget"').default(false),
  )
  .addOption(checkpointOption())
  .addOption(
    new Option(
      '--repair',
      'first check every row of the archive, and process clips with damaged rows again; needs no paths',
    ).default(false),
  )
  .addOption(jsonOption())
  .addHelpText(
    'after',
    `
With --json, one line per clip: {path, clipId, status, tracks, seconds} or {path, status, code, message}.
Folders with a name that starts with a dot are skipped, and files that are not videos by their names and first bytes.
Status: done, unchanged, duplicate, partial, forgotten, skipped, failed.
Exit code: 0 all clips are in, 1 some failed, 2 the command could not run, 130 interrupted.
The settings of the first ingest stay with the archive; later ones need not repeat them.`,
  )
  .action(async (paths: string[], options: IngestCommandOptions) => {
    process.exitCode = await runIngest(paths, options)
  })

async function runIngest(paths: readonly string[], options: IngestCommandOptions): Promise<number> {
  const { repair, json, checkpointEvery } = options
  if (paths.length > 0) checkSomeExist(paths, 'ingested')
  else if (!repair) throw new CameoError('USAGE', 'say what to ingest: video files, or folders of them')
  await ffmpegVersion()
  const archive = openArchive(options.archive, { create: !repair, onNotice: note })
  const reporter = new IngestReporter(archive, json)
  try {
    const { status, failed } = await untilStopped((signal) =>
      asCaller((caller) =>
        ingestArchive(
          archive,
          { ...options, paths, recipe: options, checkpointEveryS: checkpointEvery, signal },
          reporter,
          caller,
        ),
      ),
    )
    reporter.summarise()
    if (status === 'interrupted') return exitCodes.interrupted
    return failed > 0 ? exitCodes.someFailed : exitCodes.ok
  } finally {
    reporter.stop()
    archive.close()
  }
}
