import { Command, Option } from 'commander'
import { withModels } from '../../index/archive/archive-models.js'
import { openFilledArchive } from '../../index/archive/open-archive.js'
import type { RetentionPlan, RetentionWish } from '../../index/retention/plan-retention.js'
import { CameoError } from '../../pipeline/common/errors.js'
import { retain, type RetainReport } from '../../workers/archive/retain.js'
import { caseOption } from '../cli/audited.js'
import { asCaller } from '../cli/caller.js'
import { agrees, canAsk } from '../cli/ask.js'
import { archiveOption, jsonOption, numberWithin } from '../cli/options.js'
import { exitCodes, note, printJson } from '../cli/output.js'
import { folderOption } from '../cli/scope-options.js'
import { untilStopped } from '../cli/until-stopped.js'
import { printRetained, questionOf, retainedJson } from '../reports/retain-report.js'

interface RetainOptions {
  readonly archive: string
  readonly days: number
  readonly clips?: true
  readonly unnamedPeople?: true
  readonly by: NonNullable<RetentionWish['by']>
  readonly folder?: string
  readonly dryRun: boolean
  readonly yes: boolean
  readonly wait: number
  readonly case?: string
  readonly quiet: boolean
  readonly json: boolean
}

export const retainCommand = new Command('retain')
  .description('Forget clips, or the people without names in them, that are older than a number of days.')
  .addOption(archiveOption())
  .addOption(
    new Option('--days <n>', 'how many days are kept: 1 or more; what is older is forgotten')
      .argParser(numberWithin(1, 100_000))
      .makeOptionMandatory(),
  )
  .addOption(new Option('--clips', 'forget whole clips; this is the default').conflicts('unnamedPeople'))
  .addOption(
    new Option('--unnamed-people', 'of these clips, only erase the tracks that show nobody who is enrolled'),
  )
  .addOption(
    new Option('--by <what>', 'count from the date of the footage, or from when the clip was added')
      .choices(['date', 'added'])
      .default('date'),
  )
  .addOption(folderOption())
  .addOption(new Option('--dry-run', 'only list what would be forgotten').default(false))
  .addOption(new Option('-y, --yes', 'do not ask: for scripts').default(false))
  .addOption(
    new Option('--wait <seconds>', 'how long to wait for other processes that read the archive')
      .argParser(numberWithin(0, 86_400))
      .default(30),
  )
  .addOption(caseOption('your number of the request, for the receipt'))
  .addOption(new Option('-q, --quiet', 'print only errors and what is damaged').default(false))
  .addOption(jsonOption())
  .addHelpText(
    'after',
    `
The date of a clip is that of "cameo search --since": when its file was last written, of several files with the same content the
earliest. --by added counts from when the clip came into the archive. The video files stay.
Clips are forgotten as by "cameo forget --clip": with what names were enrolled with from them, and they stay out when they are met again.
--unnamed-people erases tracks with their faces, embeddings, thumbnails and vectors. A track shows an enrolled person by the rule of
"cameo show". The clip, its other people and its coverage stay. If the clip is processed again, the next ingest erases them again.
Each clip is erased as a whole or not at all. A run that was stopped is continued by the next one.
On a terminal the command asks first; elsewhere it needs --yes or --dry-run.
With --json: {status, what, before, clips: [{clipId, paths, date, tracks, names}], tracks, damaged}. status is done, planned (--dry-run),
declined or interrupted. receipt is the signed proof, or null if nothing was erased. If bytes are still
in a file that another process reads, the object also has code, message and retriable.
Exit code: 0 done, or nothing was old enough; 1 something damaged could not be judged and was left alone; 2 the command could not run, the
answer was no, or the erasure is not finished (ERASURE_PENDING): the next command on the archive finishes it; 130 interrupted.`,
  )
  .action(async (options: RetainOptions) => {
    process.exitCode = await runRetain(options)
  })

async function runRetain(options: RetainOptions): Promise<number> {
  const { archive: dir, json, quiet, yes, dryRun } = options
  if (!yes && !dryRun && !canAsk())
    throw new CameoError('USAGE', 'nobody can be asked here: give --yes to forget, or --dry-run to see what')
  const opened = openFilledArchive(dir, note)
  try {
    const report = await untilStopped((signal) =>
      asCaller((caller) =>
        withModels(opened, { device: { kind: 'cpu' } }, caller, (models) =>
          retain({ opened, models }, { ...requestOf(options), signal }, caller),
        ),
      ),
    )
    if (json) printJson(retainedJson(report))
    printRetained(report, { isQuiet: quiet || json })
    return exitCodeOf(report)
  } finally {
    opened.archive.close()
  }
}

function requestOf({ days, by, folder, unnamedPeople, dryRun, yes, wait, case: reference }: RetainOptions) {
  const checkpointsDir = process.env['CAMEO_CHECKPOINTS']
  return {
    ...{ days, by, folder, dryRun, waitMs: 1000 * wait },
    order: { caseReference: reference },
    what: unnamedPeople === true ? ('unnamed-people' as const) : ('clips' as const),
    checkpointsDir: checkpointsDir === '' ? undefined : checkpointsDir,
    confirm: yes ? undefined : (plan: RetentionPlan) => agrees(questionOf(plan)),
  }
}

function exitCodeOf({ status, pending, damaged }: RetainReport): number {
  if (status === 'interrupted') return exitCodes.interrupted
  if (status === 'declined' || pending !== undefined) return exitCodes.failed
  return damaged.length > 0 ? exitCodes.someFailed : exitCodes.ok
}
