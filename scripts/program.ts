import { adviceMessageOf } from './cli/advice.js'
import { existsSync, readFileSync } from 'node:fs'
import { Command } from 'commander'
import { prepareArchive } from '../index/archive/prepare-archive.js'
import { CameoError } from '../pipeline/common/errors.js'
import { visibleLines } from '../pipeline/common/visible-text.js'
import { isDamagedText, showDamagedText } from '../workers/ingest/find-clips.js'
import { coverageCommand } from './commands/coverage.js'
import { deadLettersCommand } from './commands/dead-letters.js'
import { doctorCommand } from './commands/doctor.js'
import { enrollCommand } from './commands/enroll.js'
import { evalCommand } from './commands/eval.js'
import { forgetCommand } from './commands/forget.js'
import { headCommand } from './commands/head.js'
import { ingestCommand } from './commands/ingest.js'
import { modelsCommand } from './commands/models.js'
import { replayCommand } from './commands/replay.js'
import { searchCommand } from './commands/search.js'
import { statusCommand } from './commands/status.js'
import { submitCommand } from './commands/submit.js'
import { topicsCommand } from './commands/topics.js'
import { workerCommand } from './commands/worker.js'
import { note } from './cli/output.js'

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  version: string
}

/**
 * The whole command line, ready to be parsed. Nothing runs before that.
 * @param onStart is told the archive of the command that is about to run, if it has one
 */
export function createProgram(onStart: (archiveDir: string | undefined) => void = () => undefined): Command {
  const program = new Command('cameo')
    .description('Find every appearance of a person in a video archive.')
    .version(version)
    .showHelpAfterError('(add --help for all options)')
    .addCommand(ingestCommand)
    .addCommand(searchCommand)
    .addCommand(enrollCommand)
    .addCommand(evalCommand)
    .addCommand(forgetCommand)
    .addCommand(headCommand)
    .addCommand(statusCommand)
    .addCommand(coverageCommand)
    .addCommand(doctorCommand)
    .addCommand(modelsCommand)
    .addCommand(submitCommand)
    .addCommand(workerCommand)
    .addCommand(topicsCommand)
    .addCommand(deadLettersCommand)
    .addCommand(replayCommand)
  prepare(program)
  return program.hook('preAction', async (_program, command) => {
    const { archive } = command.opts<{ archive?: string }>()
    onStart(archive)
    checkText(command)
    if (archive !== undefined)
      await prepareArchive(archive, {
        onNotice: note,
        onErasurePending: (error) => note(adviceMessageOf(error)),
      })
  })
}

function prepare(command: Command): void {
  command.exitOverride().configureOutput({
    writeOut: (text) => process.stdout.write(visibleLines(text)),
    writeErr: (text) => process.stderr.write(visibleLines(text)),
  })
  command.commands.forEach(prepare)
}

/** Commands that tell of each path what is wrong with it, and go on with the rest. */
const takesManyPaths: ReadonlySet<string> = new Set(['ingest', 'submit'])

/** Bytes that are no UTF-8 are lost on a command line: the file that is meant cannot be named so. Throws USAGE. */
function checkText(command: Command): void {
  const values = [
    ...Object.values(command.opts<Record<string, unknown>>()),
    ...(takesManyPaths.has(command.name()) ? [] : command.args),
  ].flat()
  for (const value of values)
    if (typeof value === 'string' && isDamagedText(value) && !existsSync(value))
      throw new CameoError(
        'USAGE',
        `"${showDamagedText(value)}" is not valid UTF-8 (what is not is shown as \\ufffd): rename the file, or give the name in UTF-8`,
      )
}
