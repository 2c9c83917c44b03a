import { existsSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { Command, Option } from 'commander'
import { openArchive, type Archive } from '../../index/archive/open-archive.js'
import type { RecipeOptions } from '../../index/archive/choose-recipe.js'
import { parseName } from '../../index/identities/identities.js'
import { hasPathBelow } from '../../index/store/clip-lookup.js'
import { databaseFileName } from '../../index/store/database.js'
import { CameoError } from '../../pipeline/common/errors.js'
import { ffmpegVersion } from '../../pipeline/decode/ffmpeg.js'
import type { DeviceChoice } from '../../pipeline/models/device.js'
import { withAlerts } from '../../workers/alerts/alert-desk.js'
import type { AlertWish } from '../../workers/alerts/alert-wish.js'
import { parseWebhook } from '../../workers/alerts/webhook.js'
import { ingestArchive } from '../../workers/archive/ingest-archive.js'
import { defaultRescanMs, defaultStableMs, watchFolders } from '../../workers/watch/watch-folders.js'
import { asCaller } from '../cli/caller.js'
import { checkSomeExist } from '../cli/given-paths.js'
import {
  archiveOption,
  checkpointOption,
  defaultThreads,
  deviceOption,
  jsonOption,
  listOf,
  numberWithin,
} from '../cli/options.js'
import { exitCodes, note, oneLine } from '../cli/output.js'
import { withRecipeOptions } from '../cli/recipe-options.js'
import { untilStopped } from '../cli/until-stopped.js'
import { tellAlert } from '../reports/alert-report.js'
import { IngestReporter } from '../reports/ingest-report.js'
import { WatchReporter } from '../reports/watch-report.js'

/** An empty variable counts as unset. */
const webhookOption = () => {
  const option = new Option('--alert-webhook <url>', 'also post each alert to this address')
  return process.env['CAMEO_ALERT_WEBHOOK'] === '' ? option : option.env('CAMEO_ALERT_WEBHOOK')
}

interface IngestCommandOptions extends RecipeOptions {
  readonly archive: string
  readonly device: DeviceChoice
  readonly threads: number
  readonly reprocess: boolean
  readonly includeForgotten: boolean
  readonly checkpointEvery?: number
  readonly repair: boolean
  readonly watch: boolean
  readonly stable: number
  readonly rescan: number
  readonly alert?: readonly string[]
  readonly alertAll: boolean
  readonly alertWebhook?: string
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
  .addOption(
    new Option('--watch', 'do not end: take each new file of the folders when it is complete')
      .default(false)
      .conflicts('repair'),
  )
  .addOption(
    new Option('--stable <s>', 'with --watch: for how many seconds a file must not change before it is taken')
      .default(defaultStableMs / 1000)
      .argParser(numberWithin(0.1, 86_400)),
  )
  .addOption(
    new Option(
      '--rescan <s>',
      'with --watch: how often the folders are searched, for shares that tell of no changes (NFS, SMB)',
    )
      .default(defaultRescanMs / 1000)
      .argParser(numberWithin(1, 86_400)),
  )
  .addOption(
    new Option('--alert <name>', 'say so when this enrolled person appears in a new clip; may be repeated')
      .argParser(listOf(parseName))
      .conflicts('alertAll'),
  )
  .addOption(new Option('--alert-all', 'the same for everybody who is enrolled').default(false))
  .addOption(webhookOption())
  .addOption(jsonOption())
  .addHelpText(
    'after',
    `
With --json, one line per clip: {path, clipId, status, tracks, seconds} or {path, status, code, message}.
Folders with a name that starts with a dot are skipped, and files that are not videos by their names and first bytes.
Status: done, unchanged, duplicate, partial, forgotten, skipped, failed.
Exit code: 0 all clips are in, 1 some failed, 2 the command could not run, 130 interrupted.
The settings of the first ingest stay with the archive; later ones need not repeat them.
--watch ends with Ctrl-C or SIGTERM and exit code 130. A folder that goes away, such as a share, is waited for; its clips stay. Files
that have the name of an unfinished copy (.part, .crdownload, .tmp, …) are left until they are renamed. Files that the archive knows are
not listed. Other commands can write to the archive while no clip is ingested.
--alert prints "NAME appears in PATH at TIMES (SCORE)", once for each clip and name, by the rule of "cameo show"; with --json {alert, path,
clipId, score, ranges: [{startS, endS}], at}. NAME may be enrolled later.
The webhook gets a POST with JSON {v, id, name, clip, clipId, ranges, at} for each alert: the file name of the clip without its folder,
no picture and no vector. The address must be https, or http to this machine; redirects are not followed. What the server does not take
waits in the archive and is posted later. If CAMEO_ALERT_SECRET is set, the header x-cameo-signature is "sha256=" and the
HMAC-SHA-256 of the body with it, in hex.`,
  )
  .action(async (paths: string[], options: IngestCommandOptions, command: Command) => {
    const isAsked = command.getOptionValueSource('alertWebhook') === 'cli'
    if (isAsked && options.alert === undefined && !options.alertAll)
      throw new CameoError('USAGE', 'say whose alerts are posted: give --alert NAME or --alert-all')
    process.exitCode = await runIngest(paths, options)
  })

async function runIngest(paths: readonly string[], options: IngestCommandOptions): Promise<number> {
  const { repair, watch } = options
  if (paths.length === 0 && !repair)
    throw new CameoError('USAGE', 'say what to ingest: video files, or folders of them')
  const wish = alertWishOf(options)
  const missing = watch ? missingFolders(paths) : []
  if (!watch && paths.length > 0) checkSomeExist(paths, 'ingested')
  if (!existsSync(join(options.archive, databaseFileName))) refuseMissing(missing)
  await ffmpegVersion()
  const archive = openArchive(options.archive, { create: !repair, onNotice: note })
  try {
    if (!watch) return await runOnce(archive, paths, options, wish)
    // A folder that the archive knows clips of may come back.
    refuseMissing(missing.filter((path) => !hasPathBelow(archive.database, resolve(path))))
    return await runWatch(archive, paths, options, wish)
  } finally {
    archive.close()
  }
}

async function runOnce(
  archive: Archive,
  paths: readonly string[],
  options: IngestCommandOptions,
  wish: AlertWish | undefined,
): Promise<number> {
  const reporter = new IngestReporter(archive, options.json)
  try {
    const { status, failed } = await untilStopped((signal) =>
      asCaller((caller) =>
        withAlerts(archive, { wish, signal }, caller, (alerts) =>
          ingestArchive(archive, { ...requestOf(options), paths, signal }, reporter, { ...caller, alerts }),
        ),
      ),
    )
    reporter.summarise()
    if (status === 'interrupted') return exitCodes.interrupted
    return failed > 0 ? exitCodes.someFailed : exitCodes.ok
  } finally {
    reporter.stop()
  }
}

async function runWatch(
  archive: Archive,
  paths: readonly string[],
  options: IngestCommandOptions,
  wish: AlertWish | undefined,
): Promise<number> {
  const { stable, rescan, json } = options
  const reporter = new WatchReporter(archive, json)
  note(`watching ${paths.map(oneLine).join(', ')}; Ctrl-C ends it`)
  await untilStopped((signal) =>
    asCaller((caller) =>
      watchFolders(
        archive,
        {
          ...requestOf(options),
          paths,
          signal,
          alerts: wish,
          stableMs: 1000 * stable,
          rescanMs: 1000 * rescan,
        },
        reporter,
        caller,
      ),
    ),
  )
  reporter.summarise()
  return exitCodes.interrupted
}

const requestOf = (options: IngestCommandOptions) => ({
  ...options,
  recipe: options,
  checkpointEveryS: options.checkpointEvery,
})

/** Folders to watch that are not there. @throws USAGE if a path is a file */
function missingFolders(paths: readonly string[]): string[] {
  return paths.filter((path) => {
    const stats = statSync(path, { throwIfNoEntry: false })
    if (stats?.isDirectory() === false)
      throw new CameoError('USAGE', `only folders can be watched, and this is a file: ${oneLine(path)}`)
    return stats === undefined
  })
}

function refuseMissing([path]: readonly string[]): void {
  if (path !== undefined)
    throw new CameoError('USAGE', `there is no folder ${oneLine(path)}: nothing is watched`)
}

/** @throws USAGE if the address of the webhook cannot be used */
function alertWishOf({
  alert,
  alertAll,
  alertWebhook = '',
  json,
}: IngestCommandOptions): AlertWish | undefined {
  if (alert === undefined && !alertAll) return undefined
  const secret = process.env['CAMEO_ALERT_SECRET']
  return {
    names: alertAll ? 'all' : (alert ?? []),
    onAlert: (told) => tellAlert(told, json),
    webhook: alertWebhook === '' ? undefined : parseWebhook(alertWebhook, secret),
  }
}
