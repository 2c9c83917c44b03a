import { execFileSync, spawn } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { temporaryDir } from './cameo.js'

/** What a process and all that it started did to the world around it. */
export interface Observation {
  readonly code: number | null
  readonly stderr: string
  /** Files and folders that are in an empty HOME or TMPDIR now, from there. */
  readonly left: readonly string[]
  /** Paths that were opened for writing, made or renamed; undefined where nothing can be traced. */
  readonly written: readonly string[] | undefined
  /** Internet addresses that were connected, bound or sent to, as ADDRESS:PORT; undefined where nothing can be traced. */
  readonly addresses: readonly string[] | undefined
}

export interface ObservedProcess {
  stop(): void
  readonly done: Promise<Observation>
}

/** Calls that make or change a file, or reach another machine. */
const tracedCalls =
  'open,openat,openat2,creat,mkdir,mkdirat,mknod,mknodat,link,linkat,symlink,symlinkat,rename,renameat,renameat2,' +
  'connect,bind,sendto,sendmsg,sendmmsg'

/**
 * Whether processes can be traced here. Where they cannot, as in some containers, only what is left in HOME and TMPDIR is
 * seen. Throws where the tool is missing on Linux: the tests' set-up installs it.
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

/** Runs Node as a new user would: HOME and TMPDIR are empty folders, and nothing says that this is a CI machine. */
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

/** The tracer may still be writing when the command is gone: its last line is about that. */
async function traceOf(log: string, pid: number) {
  const isWhole = () => new RegExp(`^${pid} +\\+\\+\\+ `, 'm').test(readFileSync(log, 'utf8'))
  while (!isWhole()) await pause(20)
  const lines = readFileSync(log, 'utf8').split('\n')
  return {
    written: [...new Set(lines.flatMap(writtenBy))],
    addresses: [...new Set(lines.flatMap(addressesIn))],
  }
}

/** A call that failed changed nothing; one whose end is on another line may have. */
function writtenBy(line: string): string[] {
  const call = /^\d+ +(\w+)\((.*)$/.exec(line)
  if (call === null || / = -1 E/.test(line)) return []
  const [, name = '', rest = ''] = call
  if (name.startsWith('open') && !/O_(WRONLY|RDWR|CREAT|TRUNC)/.test(rest)) return []
  if (!/^(open|creat|mk|link|symlink|rename)/.test(name)) return []
  const paths = [...rest.matchAll(/"((?:[^"\\]|\\.)*)"/g)].map(([, path = '']) => path)
  // Of a link or a new name, the last path is the one that is made.
  const made = paths.at(-1)
  return made === undefined || /^\/(dev|proc)\//.test(made) ? [] : [made]
}

function addressesIn(line: string): string[] {
  if (!/^\d+ +(connect|bind|send\w+)\(/.test(line)) return []
  return [
    ...line.matchAll(/sin6?_port=htons\((\d+)\).*?(?:inet_addr\(|inet_pton\(AF_INET6, )"([^"]*)"/g),
  ].map(([, port = '', address = '']) => `${address}:${port}`)
}
