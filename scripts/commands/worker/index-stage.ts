import { Option } from 'commander'
import { readHeadFile } from '../../../pipeline/describe/head/head-file.js'
import { startIndexWorker } from '../../../workers/kafka/stages/index/index-worker.js'
import { archiveOption } from '../../cli/options.js'
import { runStageCommand, stageCommand, type CommonOptions } from './stage-command.js'

interface IndexOptions extends CommonOptions {
  readonly archive: string
  readonly reprocess: boolean
  readonly head?: string
}

export const indexCommand = stageCommand(
  'index',
  'Write described tracks into an archive and its index. One index worker per archive; the archive can be searched meanwhile.',
)
  .addOption(archiveOption())
  .addOption(
    new Option(
      '--reprocess',
      'accept other settings than those of the archive, from the next clip on',
    ).default(false),
  )
  .addOption(
    new Option('--head <file>', 'the head that the describe workers have, for searches in this archive'),
  )
  .action(async (options: IndexOptions) => {
    const { archive: archiveDir, reprocess, head } = options
    const headFile = head === undefined ? undefined : await readHeadFile(head)
    await runStageCommand('index', options, (context, onFatal) =>
      startIndexWorker({ context, archiveDir, reprocess, onFatal, head: headFile }),
    )
  })
