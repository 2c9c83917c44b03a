import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { canRunHere, runHere, type CommandResult } from './run-here.js'

const command = fileURLToPath(new URL('../../scripts/cameo.js', import.meta.url))

export type { CommandResult }

/**
 * Runs a command to its end. A command with a launcher, or with variables that a process reads when it starts, gets a process;
 * most others run in this process, by the same program.
 */
export function cameo(
  args: readonly string[],
  environment: NodeJS.ProcessEnv = {},
  launcher: readonly string[] = [],
): Promise<CommandResult> {
  if (launcher.length === 0 && !hasSettings && canRunHere(args, environment))
    return runHere(args, environment)
  return startCameo(args, environment, launcher).finished
}

export interface RunningCommand {
  readonly kill: (signal: NodeJS.Signals) => void
  /** Its standard output so far. */
  readonly stdoutNow: () => string
  readonly stderrNow: () => string
  /** Waits for an effect of the command. Throws with its standard error if it ends before that. */
  readonly until: (isSo: () => boolean) => Promise<void>
  readonly finished: Promise<CommandResult>
}

const running = new Set<ChildProcess>()
// A command that a failed test waits for would keep its file's process alive.
after(() => {
  for (const child of running) child.kill('SIGKILL')
})

/**
 * Removes a developer's settings for archives, brokers and workers, but keeps the paths of models and ffmpeg.
 */
function inheritedEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !isSetting(name)))
}

/** Settings of commands and workers. */
const isSetting = (name: string) => name !== 'CAMEO_MODELS' && /^(CAMEO|KAFKA)_/.test(name)

/** A command in this process would take them over. Variables of brokers are for other commands. */
const hasSettings = Object.keys(process.env).some(
  (name) => isSetting(name) && name !== 'CAMEO_TEST_DATA' && !name.startsWith('KAFKA_'),
)

/** `launcher`: a command that runs the given command line, for example `setpriv`. */
export function startCameo(
  args: readonly string[],
  environment: NodeJS.ProcessEnv = {},
  launcher: readonly string[] = [],
): RunningCommand {
  const [program = process.execPath, ...rest] = [...launcher, process.execPath, command, ...args]
  const child = spawn(program, rest, { env: { ...inheritedEnvironment(), ...environment } })
  running.add(child)
  let stdout = ''
  let stderr = ''
  let hasEnded = false
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  const finished = new Promise<CommandResult>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code) => {
      running.delete(child)
      hasEnded = true
      resolve({ code, stdout, stderr })
    })
  })
  return {
    kill: (signal) => child.kill(signal),
    stdoutNow: () => stdout,
    stderrNow: () => stderr,
    async until(isSo) {
      while (!isSo()) {
        if (hasEnded) throw new Error(`cameo ${args.join(' ')} ended too early: ${stderr}`)
        await pause(5)
      }
    },
    finished,
  }
}

/** The objects of a `--json` output with one object per line. */
export function jsonLines(stdout: string): Record<string, unknown>[] {
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>)
}

/** A folder that is removed when the test process ends. */
export function temporaryDir(): string {
  const dir = mkdtempSync(join(tmpdir(), 'cameo-test-'))
  process.on('exit', () => rmSync(dir, { recursive: true, force: true }))
  return dir
}
