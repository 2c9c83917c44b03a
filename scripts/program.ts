import { adviceMessageOf } from './cli/advice.js'
import { existsSync, readFileSync } from 'node:fs'
import { Command } from 'commander'
import { isDamagedText, showDamagedText } from '../pipeline/common/damaged-text.js'
import { CameoError } from '../pipeline/common/errors.js'
import { visibleLines } from '../pipeline/common/visible-text.js'
import { note } from './cli/output.js'

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  version: string
}

/** In the order of `--help`. Only the command that runs is loaded: loading all takes a second. */
const commands: Readonly<Record<string, () => Promise<Command>>> = {
  ingest: async () => (await import('./commands/ingest.js')).ingestCommand,
  search: async () => (await import('./commands/search.js')).searchCommand,
  show: async () => (await import('./commands/show.js')).showCommand,
  list: async () => (await import('./commands/list.js')).listCommand,
  cut: async () => (await import('./commands/cut.js')).cutCommand,
  play: async () => (await import('./commands/play.js')).playCommand,
  enroll: async () => (await import('./commands/enroll.js')).enrollCommand,
  people: async () => (await import('./commands/people.js')).peopleCommand,
  reject: async () => (await import('./commands/correct.js')).rejectCommand,
  confirm: async () => (await import('./commands/correct.js')).confirmCommand,
  eval: async () => (await import('./commands/eval.js')).evalCommand,
  forget: async () => (await import('./commands/forget.js')).forgetCommand,
  serve: async () => (await import('./commands/serve.js')).serveCommand,
  retain: async () => (await import('./commands/retain.js')).retainCommand,
  receipt: async () => (await import('./commands/receipt.js')).receiptCommand,
  audit: async () => (await import('./commands/audit.js')).auditCommand,
  backup: async () => (await import('./commands/backup.js')).backupCommand,
  restore: async () => (await import('./commands/restore.js')).restoreCommand,
  head: async () => (await import('./commands/head.js')).headCommand,
  status: async () => (await import('./commands/status.js')).statusCommand,
  coverage: async () => (await import('./commands/coverage.js')).coverageCommand,
  doctor: async () => (await import('./commands/doctor.js')).doctorCommand,
  models: async () => (await import('./commands/models.js')).modelsCommand,
  access: async () => (await import('./commands/access.js')).accessCommand,
  submit: async () => (await import('./commands/submit.js')).submitCommand,
  worker: async () => (await import('./commands/worker.js')).workerCommand,
  topics: async () => (await import('./commands/topics.js')).topicsCommand,
  'dead-letters': async () => (await import('./commands/dead-letters.js')).deadLettersCommand,
  replay: async () => (await import('./commands/replay.js')).replayCommand,
}

/**
 * The command line, ready to be parsed. Nothing runs before that.
 * @param wanted the command that will run, if it is known: the others are then left out
 * @param onStart called with the archive of the command that is about to run, if it has one
 */
export async function createProgram(
  wanted?: string,
  onStart: (archiveDir: string | undefined) => void = () => undefined,
): Promise<Command> {
  const program = new Command('cameo')
    .description('Find every appearance of a person in a video archive.')
    .version(version)
    .showHelpAfterError('(add --help for all options)')
  const isKnown = wanted !== undefined && Object.hasOwn(commands, wanted)
  const isVersion = wanted === '--version' || wanted === '-V'
  for (const [name, load] of Object.entries(commands))
    if (isKnown ? name === wanted : !isVersion) program.addCommand(await load())
  prepare(program)
  return program.hook('preAction', async (_program, command) => {
    const { archive } = command.opts<{ archive?: string }>()
    onStart(archive)
    checkText(command)
    if (archive !== undefined) await finishPendingWork(archive)
  })
}

function prepare(command: Command): void {
  command.exitOverride().configureOutput({
    writeOut: (text) => process.stdout.write(visibleLines(text)),
    writeErr: (text) => process.stderr.write(visibleLines(text)),
  })
  command.commands.forEach(prepare)
}

/** Commands that report errors per path, and continue with the other paths. */
const takesManyPaths: ReadonlySet<string> = new Set(['ingest', 'submit'])

/**
 * A command line cannot hold bytes that are not valid UTF-8, so such a file cannot be named. Throws USAGE.
 */
function checkText(command: Command): void {
  const values = [
    ...Object.values(command.opts<Record<string, unknown>>()),
    ...(takesManyPaths.has(command.name()) ? [] : command.args),
  ].flat()
  for (const value of values)
    if (typeof value === 'string' && isDamagedText(value) && !existsSync(value))
      throw new CameoError(
        'USAGE',
        `"${showDamagedText(value)}" is not valid UTF-8 (invalid parts are shown as \\ufffd): rename the file, or give the name in UTF-8`,
      )
}

/** Finishes what an earlier command had to leave undone in the archive. */
async function finishPendingWork(archiveDir: string): Promise<void> {
  const { prepareArchive } = await import('../index/archive/prepare-archive.js')
  await prepareArchive(archiveDir, {
    onNotice: note,
    onErasurePending: (error) => note(adviceMessageOf(error)),
  })
  const { completeReceiptsIn } = await import('../index/erasure/complete-receipts.js')
  await completeReceiptsIn(archiveDir, note)
}
