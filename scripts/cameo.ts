#!/usr/bin/env node
import '../pipeline/models/no-telemetry.js'
import { CommanderError } from 'commander'
import { sqliteError } from '../index/store/database.js'
import { CameoError } from '../pipeline/common/errors.js'
import { exitCodes, printJsonError, reportError } from './cli/output.js'
import { createProgram } from './program.js'

// A reader that closes the pipe early (| head) is not an error. The command still finishes its work.
for (const stream of [process.stdout, process.stderr])
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
  })

const json = process.argv.includes('--json')
/** Archive of the command that runs. */
let archiveDir: string | undefined
const program = await createProgram(process.argv[2], (dir) => (archiveDir = dir))

try {
  await program.parseAsync()
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
