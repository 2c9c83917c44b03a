import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { Command, Option } from 'commander'
import { openArchive } from '../../index/archive/open-archive.js'
import { summariseCoverage } from '../../index/coverage/sum-coverage.js'
import { databaseFileName } from '../../index/store/database.js'
import { isDescribedHere } from '../../workers/kafka/stages/index/archive-recipes.js'
import { resetForReplay } from '../../workers/kafka/stages/index/archive-source.js'
import { startIndexWorker } from '../../workers/kafka/stages/index/index-worker.js'
import { runStage } from '../../workers/kafka/stages/shared/run-stage.js'
import { brokersOption, kafkaHelp } from '../cli/kafka-options.js'
import { readConnection } from '../cli/kafka-connection.js'
import { readHeadFile } from '../../pipeline/describe/head/head-file.js'
import { holdsText } from '../reports/coverage-text.js'
import { archiveOption, jsonOption } from '../cli/options.js'
import { exitCodes, note, printJson, reportError } from '../cli/output.js'

interface ReplayOptions {
  readonly brokers: string
  readonly archive: string
  readonly head?: string
  readonly json: boolean
}

export const replayCommand = new Command('replay')
  .description(
    'Build an archive again from the topic of descriptors. Names stay; what was forgotten does not come back.',
  )
  .addOption(brokersOption())
  .addOption(archiveOption())
  .addOption(
    new Option('--head <file>', "the head that clips were submitted with (default: the archive's own)"),
  )
  .addOption(jsonOption())
  .addHelpText(
    'after',
    `${kafkaHelp}
The archive's clips are removed first. No video is read. If it is killed, run it again to continue, or start
"cameo worker index".`,
  )
  .action(async ({ brokers, archive: archiveDir, json, ...options }: ReplayOptions) => {
    const headFile = options.head ?? ownHead(archiveDir)
    const head = headFile === undefined ? undefined : await readHeadFile(headFile)
    note(`rebuilding ${archiveDir} …`)
    const progress = { isReset: false, isComplete: false }
    const error = await runStage({
      ...{ stage: 'index', connection: readConnection(brokers), drainMs: 20_000 },
      async start(context, onEnd) {
        if (!progress.isReset) resetForReplay(archiveDir)
        progress.isReset = true
        const worker = await startIndexWorker({
          ...{ context, archiveDir, reprocess: false, head, onFatal: onEnd },
        })
        void worker.caughtUp.then(() => {
          progress.isComplete = true
          onEnd(undefined)
        })
        return worker
      },
    })
    if (error !== undefined) {
      reportError(error, json)
      process.exitCode = exitCodes.failed
      return
    }
    if (!progress.isComplete) {
      note('stopped before its end: run "cameo replay" again, or "cameo worker index" to continue')
      process.exitCode = exitCodes.interrupted
      return
    }
    const archive = openArchive(archiveDir)
    const { clips, tracks } = archive.clips.counts()
    const coverage = summariseCoverage(archive)
    archive.close()
    if (json) printJson({ clips, tracks, coverage })
    else note(holdsText(archiveDir, { clips, tracks }, coverage))
    process.exitCode = exitCodes.ok
  })

/** The head of the messages that the archive was built from. */
function ownHead(archiveDir: string): string | undefined {
  if (!existsSync(join(archiveDir, databaseFileName))) return undefined
  const archive = openArchive(archiveDir, { onNotice: note })
  try {
    const headFile = archive.recipe?.headFile
    if (headFile === undefined || !isDescribedHere(archive)) return headFile
    note(
      `the head ${headFile} was applied here, not by the workers: run "cameo head apply" with it once more`,
    )
    return undefined
  } finally {
    archive.close()
  }
}
