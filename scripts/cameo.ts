#!/usr/bin/env node
import '../pipeline/models/no-telemetry.js'
import { runProgram } from './run-program.js'

// A reader that closes the pipe early (| head) is not an error. The command still finishes its work.
for (const stream of [process.stdout, process.stderr])
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
  })

await runProgram(process.argv.slice(2))
