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
  'cut',
  'doctor',
  'enroll',
  'eval',
  'forget',
  'head',
  'ingest',
  'list',
  'models',
  'people',
  'receipt',
  'reject',
  'restore',
  'retain',
  'search',
  'show',
  'status',
])

/** Variables that are read each time they are needed, not once by a process. */
const variables: ReadonlySet<string> = new Set(['CAMEO_MODELS', 'FFMPEG_PATH'])

export const canRunHere = ([command]: readonly string[], environment: NodeJS.ProcessEnv): boolean =>
  commands.has(command) && Object.keys(environment).every((name) => variables.has(name))

interface Output {
  stdout: string
  stderr: string
}

/** Tells a command's writing from that of the test runner, which also writes to this process's standard output. */
const commandRuns = new AsyncLocalStorage<true>()
/**
 * What the command writes. It also gets what is written from the events of kept threads, which began with an earlier
 * command.
 */
let current: Output = { stdout: '', stderr: '' }
let isCapturing = false

function capture(): void {
  if (isCapturing) return
  isCapturing = true
  for (const name of ['stdout', 'stderr'] as const) {
    const write = process[name].write.bind(process[name])
    process[name].write = (chunk: string | Uint8Array, ...rest: unknown[]): boolean => {
      if (commandRuns.getStore() === undefined)
        return Reflect.apply(write, undefined, [chunk, ...rest]) === true
      current[name] += typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString()
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
 * @param cwd its current folder. Default: that of this process
 */
export function runHere(
  args: readonly string[],
  environment: NodeJS.ProcessEnv,
  cwd?: string,
): Promise<CommandResult> {
  capture()
  const run = async (): Promise<CommandResult> => {
    const before = process.exitCode
    const folder = process.cwd()
    if (cwd !== undefined) process.chdir(cwd)
    const inherited = Object.keys(environment).map((name) => [name, process.env[name]] as const)
    Object.assign(process.env, environment)
    // A thread keeps the variables that its process had when it started.
    const keeps = inherited.length === 0 ? { startThreads: threads.start } : {}
    process.exitCode = undefined
    const output = { stdout: '', stderr: '' }
    current = output
    try {
      await commandRuns.run(true, () => runProgram(args, keeps))
      return { code: exitCode(), ...output }
    } finally {
      process.exitCode = before
      process.chdir(folder)
      for (const [name, value] of inherited)
        if (value === undefined) Reflect.deleteProperty(process.env, name)
        else process.env[name] = value
    }
  }
  const result = turn.then(run, run)
  turn = result
  return result
}
