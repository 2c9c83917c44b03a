import '../../pipeline/models/no-telemetry.js'
import { AsyncLocalStorage } from 'node:async_hooks'
import { after } from 'node:test'
import { runProgram } from '../../scripts/run-program.js'
import { KeptThreads } from '../../workers/threads/kept-threads.js'

export interface CommandResult {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Commands that leave nothing behind in their process: no connection to a broker. */
const commands: ReadonlySet<string | undefined> = new Set([
  'access',
  'audit',
  'backup',
  'confirm',
  'coverage',
  'doctor',
  'enroll',
  'eval',
  'forget',
  'head',
  'ingest',
  'models',
  'people',
  'receipt',
  'reject',
  'restore',
  'retain',
  'search',
  'status',
])

export const canRunHere = ([command]: readonly string[]): boolean => commands.has(command)

interface Output {
  stdout: string
  stderr: string
}

/** What the command writes; the test runner of this process also writes to standard output. */
const outputs = new AsyncLocalStorage<Output>()
let isCapturing = false

function capture(): void {
  if (isCapturing) return
  isCapturing = true
  for (const name of ['stdout', 'stderr'] as const) {
    const write = process[name].write.bind(process[name])
    process[name].write = (chunk: string | Uint8Array, ...rest: unknown[]): boolean => {
      const output = outputs.getStore()
      if (output === undefined) return Reflect.apply(write, undefined, [chunk, ...rest]) === true
      output[name] += typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString()
      const done = rest.at(-1)
      if (typeof done === 'function') process.nextTick(() => void Reflect.apply(done, undefined, []))
      return true
    }
  }
}

/** Most of the time of a short ingest is that of starting threads and loading models. */
const threads = new KeptThreads()
after(() => threads.close())

const exitCode = (): number => Number(process.exitCode ?? 0)

let turn: Promise<unknown> = Promise.resolve()

/**
 * Runs a command in this process: the same program without the start of a process, and with the threads of the ingest
 * before. One runs at a time.
 */
export function runHere(args: readonly string[]): Promise<CommandResult> {
  capture()
  const run = async (): Promise<CommandResult> => {
    const before = process.exitCode
    process.exitCode = undefined
    const output = { stdout: '', stderr: '' }
    try {
      await outputs.run(output, () => runProgram(args, { startThreads: threads.start }))
      return { code: exitCode(), ...output }
    } finally {
      process.exitCode = before
    }
  }
  const result = turn.then(run, run)
  turn = result
  return result
}
