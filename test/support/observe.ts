import { execFileSync, spawn } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { temporaryDir } from './cameo.js'

/** What a process and its children did to files and networks. */
export interface Observation {
  readonly code: number | null
  readonly stderr: string
  /** Files and folders that are left in an initially empty HOME or TMPDIR, relative to it. */
  readonly left: readonly string[]
  /** Paths that were opened for writing, created or renamed; undefined if tracing is not possible. */
  readonly written: readonly string[] | undefined
  /**
   * Internet addresses that were connected to, bound or sent to, as ADDRESS:PORT; undefined if tracing is not
   * possible.
   */
  readonly addresses: readonly string[] | undefined
}

export interface ObservedProcess {
  stop(): void
  readonly done: Promise<Observation>
}

/** Calls that create or change a file, or reach another machine. */
const tracedCalls =
  'open,openat,openat2,creat,mkdir,mkdirat,mknod,mknodat,link,linkat,symlink,symlinkat,rename,renameat,renameat2,' +
  'connect,bind,sendto,sendmsg,sendmmsg'

/**
 * Whether processes can be traced here. If not, as in some containers, only the files left in HOME and TMPDIR
 * are checked. Throws if the tool is missing on Linux: the tests' set-up installs it.
 */
function canTrace(): boolean {
  if (process.platform !== 'linux') return false
  try {
    execFileSync('strace', ['-o', '/dev/null', process.execPath, '--version'], { stdio: 'pipe' })
    return true
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT')
      throw new Error('strace is missing: run scripts/setup.sh --for-tests', { cause: error })
    return false
  }
}

export const tracing = canTrace()

/**
 * Runs Node as for a new user: HOME and TMPDIR are empty folders, and no variable says that this is a CI
 * machine.
 */
export function observe(
  args: readonly string[],
  environment: NodeJS.ProcessEnv = {},
  cwd?: string,
): ObservedProcess {
  const dir = temporaryDir()
  const [home, temporary, log] = ['home', 'tmp', 'trace'].map((name) => join(dir, name)) as [
    string,
    string,
    string,
  ]
  mkdirSync(home)
  mkdirSync(temporary)
  const asNewUser = { HOME: home, TMPDIR: temporary, CI: undefined, XDG_CACHE_HOME: undefined }
  const env = { ...process.env, ...environment, ...asNewUser }
  // -D: the command is this process's child, so that signals reach it.
  const tracer = ['-D', '-f', '-q', '--seccomp-bpf', '-s', '4096', '-e', `trace=${tracedCalls}`, '-o', log]
  const child = tracing
    ? spawn('strace', [...tracer, process.execPath, ...args], {
        env,
        cwd,
        stdio: ['ignore', 'ignore', 'pipe'],
      })
    : spawn(process.execPath, args, { env, cwd, stdio: ['ignore', 'ignore', 'pipe'] })
  let stderr = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  const ended = new Promise<number | null>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', resolve)
  })
  return {
    stop: () => child.kill('SIGTERM'),
    done: ended.then(async (code) => {
      const trace = tracing ? await traceOf(log, child.pid ?? 0) : undefined
      const left = [home, temporary].flatMap((folder) =>
        readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) =>
          relative(dir, join(folder, name)),
        ),
      )
      return { code, stderr, left, written: trace?.written, addresses: trace?.addresses }
    }),
  }
}

/** Waits for the last line of the trace: the tracer may still be writing when the command has ended. */
async function traceOf(log: string, pid: number) {
  const isWhole = () => new RegExp(`^${pid} +\\+\\+\\+ `, 'm').test(readFileSync(log, 'utf8'))
  while (!isWhole()) await pause(20)
  const lines = readFileSync(log, 'utf8').split('\n')
  return {
    written: [...new Set(lines.flatMap(writtenBy))],
    addresses: [...new Set(lines.flatMap(addressesIn))],
  }
}

/** A failed call changed nothing. A call that ends on another line may have changed something. */
function writtenBy(line: string): string[] {
  const call = /^\d+ +(\w+)\((.*)$/.exec(line)
  if (call === null || / = -1 E/.test(line)) return []
  const [, name = '', rest = ''] = call
  if (name.startsWith('open') && !/O_(WRONLY|RDWR|CREAT|TRUNC)/.test(rest)) return []
  if (!/^(open|creat|mk|link|symlink|rename)/.test(name)) return []
  const paths = [...rest.matchAll(/"((?:[^"\\]|\\.)*)"/g)].map(([, path = '']) => path)
  // For a link or a new name, the last path is the created one.
  const made = paths.at(-1)
  return made === undefined || /^\/(dev|proc)\//.test(made) ? [] : [made]
}

function addressesIn(line: string): string[] {
  if (!/^\d+ +(connect|bind|send\w+)\(/.test(line)) return []
  return [
    ...line.matchAll(/sin6?_port=htons\((\d+)\).*?(?:inet_addr\(|inet_pton\(AF_INET6, )"([^"]*)"/g),
  ].map(([, port = '', address = '']) => `${address}:${port}`)
}
