import { execFile, spawn } from 'node:child_process'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { after } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { temporaryDir } from './cameo.js'

const run = promisify(execFile)
const script = fileURLToPath(new URL('../../../scripts/kafka.sh', import.meta.url))
const command = fileURLToPath(new URL('../../scripts/cameo.js', import.meta.url))

export interface TestBroker {
  /** host:port. */
  readonly brokers: string
  stop(): Promise<void>
  start(): Promise<void>
}

/**
 * A broker for this test, on a free port of loopback. It ends with the test's process. Further settings go to
 * `scripts/kafka.sh`, which then runs the broker on Java.
 */
export async function startBroker(
  settings?: Readonly<Partial<Record<'CAMEO_KAFKA_SETTINGS' | 'CAMEO_KAFKA_SCRAM', string>>>,
): Promise<TestBroker> {
  const brokers = `127.0.0.1:${await freePort()}`
  const env = {
    ...process.env,
    KAFKA_BROKERS: brokers,
    CAMEO_KAFKA_DIR: join(temporaryDir(), 'kafka'),
    CAMEO_KAFKA_WITH: `${process.pid}`,
    ...(settings === undefined ? {} : { CAMEO_KAFKA: 'java', ...settings }),
  }
  const broker: TestBroker = {
    brokers,
    start: async () => {
      await run(script, ['start'], { env })
    },
    stop: async () => {
      await run(script, ['stop'], { env })
    },
  }
  await broker.start()
  return broker
}

/** The broker of KAFKA_BROKERS, else a new one for this test. */
export async function testBroker(): Promise<TestBroker> {
  const { KAFKA_BROKERS: brokers } = process.env
  if (brokers === undefined || brokers === '') return startBroker()
  return { brokers, start: () => Promise.resolve(), stop: () => Promise.resolve() }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().on('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo
      server.close(() => resolve(port))
    })
  })
}

export interface LogLine {
  readonly level: string
  readonly msg: string
  readonly [field: string]: unknown
}

export interface TestWorker {
  readonly stage: string
  readonly log: readonly LogLine[]
  /** Resolves when the worker logs this text. */
  said(text: string, times?: number): Promise<void>
  /** Kills the process and starts another one with the same arguments. */
  killAndRestart(): Promise<void>
  kill(): Promise<void>
  /** SIGTERM; resolves with the exit code. */
  stop(): Promise<number | null>
}

/** A line of a worker's log, or of Node's output when it crashes. */
function parseLine(line: string): LogLine {
  try {
    return JSON.parse(line) as LogLine
  } catch {
    return { level: 'text', msg: line }
  }
}

const workers = new Set<() => void>()
const killAll = () => {
  for (const kill of workers) kill()
}
// Processes that a failed test leaves running would keep its file's process alive.
after(killAll)
process.on('exit', killAll)
// When the test runner is stopped, no worker stays behind.
process.once('SIGTERM', () => process.exit(143))

/**
 * Members that die are missed after this time. It is the shortest that brokers accept as they are set up. The default of
 * 30 s would be most of a test's time.
 */
export const sessionTimeoutS = 6

/** The variables of a queue's commands and workers. */
export const queueEnvironment = (brokers: string, prefix: string, archive: string): NodeJS.ProcessEnv => ({
  KAFKA_BROKERS: brokers,
  KAFKA_TOPIC_PREFIX: prefix,
  KAFKA_SESSION_TIMEOUT_S: `${sessionTimeoutS}`,
  CAMEO_ARCHIVE: archive,
})

export type Stage = 'faces' | 'describe' | 'index'

/** `cameo worker …` as a process. It is killed with the test at the latest. */
export function startWorker(
  stage: Stage,
  environment: NodeJS.ProcessEnv,
  args: readonly string[] = [],
): TestWorker {
  const log: LogLine[] = []
  let child = start()

  function start() {
    const started = spawn(process.execPath, [command, 'worker', stage, ...args], {
      env: { ...process.env, ...environment },
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    let rest = ''
    // A worker that was not asked to end must not end: tests would wait for it forever.
    started.on('exit', (code) => {
      if (code === 2) process.stderr.write(`${stage} worker ended: ${JSON.stringify(log.slice(-5))}\n`)
    })
    started.stderr.setEncoding('utf8').on('data', (text: string) => {
      const lines = (rest + text).split('\n')
      rest = lines.pop() ?? ''
      for (const line of lines) log.push(parseLine(line))
    })
    return started
  }

  const ended = (process: typeof child): Promise<number | null> =>
    process.exitCode !== null || process.signalCode !== null
      ? Promise.resolve(process.exitCode)
      : new Promise((resolve) => process.on('exit', resolve))

  const worker: TestWorker = {
    stage,
    log,
    async said(text, times = 1) {
      while (log.filter(({ msg }) => msg.includes(text)).length < times) {
        if (child.exitCode !== null || child.signalCode !== null)
          throw new Error(
            `the ${stage} worker ended with ${child.exitCode ?? child.signalCode}: ${JSON.stringify(log.slice(-5))}`,
          )
        await pause(20)
      }
    },
    async kill() {
      child.kill('SIGKILL')
      await ended(child)
    },
    async killAndRestart() {
      await worker.kill()
      child = start()
    },
    async stop() {
      child.kill('SIGTERM')
      return ended(child)
    },
  }
  workers.add(() => child.kill('SIGKILL'))
  return worker
}
