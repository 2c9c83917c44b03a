import { CommanderError } from 'commander'
import { sqliteError } from '../index/store/database.js'
import { CameoError } from '../pipeline/common/errors.js'
import { kept, type Kept } from './cli/kept.js'
import { exitCodes, printJsonError, reportError } from './cli/output.js'
import { createProgram } from './program.js'

/**
 * Runs one command line. The command sets `process.exitCode`.
 * @param args the arguments after `cameo`
 * @param keeps what this process keeps for the next command line
 */
export async function runProgram(args: readonly string[], keeps: Kept = {}): Promise<void> {
  const json = args.includes('--json')
  /** Archive of the command that runs. */
  let archiveDir: string | undefined
  const program = await createProgram(args[0], (dir) => (archiveDir = dir))
  try {
    await kept.run(keeps, () => program.parseAsync(args, { from: 'user' }))
  } catch (error) {
    const isUsage = error instanceof CommanderError
    process.exitCode = isUsage && error.exitCode === 0 ? exitCodes.ok : exitCodes.failed
    if (!isUsage) {
      const archiveTrouble = archiveDir === undefined ? undefined : sqliteError(archiveDir, error)
      reportError(archiveTrouble ?? error, json)
    } else if (json && error.exitCode !== 0)
      // Commander has already printed it on standard error.
      printJsonError(new CameoError('USAGE', error.message.replace(/^error: /, '')))
  }
}
