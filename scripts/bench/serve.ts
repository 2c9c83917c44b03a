/**
 * Measures the server: searches by stored track over HTTP, with sign-in and audit, compared with the bare index; a search by photo;
 * the start. Exit code 1 if a target is missed.
 *
 *   node dist/scripts/bench/serve.js [--tracks N] [--seconds S] [--archive DIR] [--json]
 */
import autocannon, { type Request } from 'autocannon'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { Worker } from 'node:worker_threads'
import { openAccess } from '../../index/access/access.js'
import { createApiKey } from '../../index/access/api-keys.js'
import { changeSettings } from '../../index/access/settings.js'
import { createUser } from '../../index/access/users.js'
import { openArchive } from '../../index/archive/open-archive.js'
import { inTransaction } from '../../index/store/transaction.js'
import { median } from './measure.js'
import { fillWithTracks } from './people/synthetic.js'

const connections = 32
const targets = { share: 0.7, p99Ms: 50, photoMs: 300, startS: 2 }

const { values } = parseArgs({
  options: {
    tracks: { type: 'string', default: '100000' },
    seconds: { type: 'string', default: '20' },
    archive: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
})
const tracks = Number(values.tracks)
const seconds = Number(values.seconds)
const say = (text: string) => process.stderr.write(`${text}\n`)

/** Like photos of people: see `npm run bench:people`. */
const spread = { withinMean: 0.55, withinDeviation: 0.12, betweenDeviation: 0.06 }

/** Files of clips, without which an answer would leave them out. */
function nameFiles(dir: string): void {
  const archive = openArchive(dir)
  try {
    const { rootId } = archive.files.rootFor('/films')
    inTransaction(archive.database, () => {
      for (let i = 0; i < tracks; i++) {
        const stamp = { device: '1', inode: `${i}`, sizeBytes: 1, mtimeNs: '1700000000000000000' }
        archive.files.record(rootId, `${i}.mp4`, stamp, i.toString(16).padStart(64, '0'))
      }
    })
  } finally {
    archive.close()
  }
}

async function makeKey(archive: string): Promise<string> {
  const access = openAccess(archive)
  try {
    changeSettings(access, { requestsPerMinute: 1e9, searchesPerMinute: 1e9, uploadsPerMinute: 1e9 })
    const user = await createUser(access, { name: `bench ${Date.now()}`, roles: ['curator'] })
    const expiresAt = new Date(Date.now() + 3600_000)
    return createApiKey(access, { userId: user.userId, name: 'bench', roles: ['curator'], expiresAt }).text
  } finally {
    access.close()
  }
}

/** A server in a process of its own, as people run it. */
async function startServer(archive: string) {
  const cameo = fileURLToPath(new URL('../cameo.js', import.meta.url))
  const begun = performance.now()
  const child = spawn(process.execPath, [cameo, 'serve', '--archive', archive, '--port', '0', '--json'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string]
  const { url } = JSON.parse(line) as { url: string }
  await fetch(`${url}/healthz`)
  const startS = (performance.now() - begun) / 1000
  return {
    url,
    startS,
    async stop() {
      child.kill('SIGTERM')
      await once(child, 'exit')
    },
  }
}

/** Random tracks, the same for each run of a number. */
function trackOf(i: number): number {
  return 1 + ((i * 2_654_435_761) % tracks)
}

interface Load {
  readonly perS: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly errors: number
}

async function load(url: string, key: string, durationS: number, rate?: number): Promise<Load> {
  let next = 0
  const requests: Request[] = [
    {
      method: 'POST',
      path: '/api/v1/searches',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      setupRequest: (request) => ({
        ...request,
        body: JSON.stringify({ subject: { trackId: trackOf(next++) }, top: 20 }),
      }),
    },
  ]
  const {
    requests: counts,
    latency,
    errors,
    non2xx,
  } = await autocannon({
    ...{ url, connections, duration: durationS, requests },
    ...(rate === undefined ? {} : { overallRate: rate }),
  })
  return {
    ...{ perS: counts.average, p50Ms: latency.p50, p99Ms: latency.p99 },
    errors: errors + non2xx,
  }
}

/** The bare index in one thread, while the load generator works as hard as it did for the server. */
async function measureBare(archive: string, url: string, rate: number): Promise<number> {
  const thread = new Worker(new URL('./serve-bare-index.js', import.meta.url), {
    workerData: { archive, tracks, seconds },
  })
  await once(thread, 'message')
  thread.postMessage('start')
  const beside = autocannon({
    url: `${url}/healthz`,
    connections,
    duration: seconds,
    overallRate: Math.max(1, rate),
  })
  const [perS] = (await once(thread, 'message')) as [number]
  await beside
  return perS
}

async function searchByPhoto(url: string, key: string, file: string): Promise<number> {
  const begun = performance.now()
  const form = new FormData()
  form.append('file', new Blob([readFileSync(file)], { type: 'image/jpeg' }), 'photo.jpg')
  const headers = { authorization: `Bearer ${key}` }
  const uploaded = await fetch(`${url}/api/v1/uploads`, { method: 'POST', headers, body: form })
  const { uploadId } = (await uploaded.json()) as { uploadId: string }
  const body = JSON.stringify({ subject: { uploadId, face: 1 }, top: 20 })
  const searched = await fetch(`${url}/api/v1/searches`, {
    ...{ method: 'POST', body },
    headers: { ...headers, 'content-type': 'application/json' },
  })
  await searched.text()
  if (!searched.ok) throw new Error(`the search by photo failed: ${searched.status}`)
  return performance.now() - begun
}

async function measure(archive: string) {
  const key = await makeKey(archive)
  const server = await startServer(archive)
  try {
    say('warming up')
    await load(server.url, key, 3)
    const full = await load(server.url, key, seconds)
    const half = await load(server.url, key, seconds, Math.floor(full.perS / 2))
    const barePerS = await measureBare(archive, server.url, Math.floor(full.perS))
    const photo = join(process.env['HOME'] ?? '', '.cache/cameo/models/demo-photos/sample1.jpg')
    const times: number[] = []
    if (existsSync(photo))
      for (let i = 0; i < 21; i++) times.push(await searchByPhoto(server.url, key, photo))
    return {
      ...{ processor: cpus()[0]?.model ?? 'unknown', tracks, startS: server.startS },
      ...{ full, half, barePerS, share: full.perS / barePerS },
      photoMs: times.length === 0 ? undefined : median(times.slice(1)),
    }
  } finally {
    await server.stop()
  }
}

const own = values.archive === undefined ? mkdtempSync(join(tmpdir(), 'cameo-bench-serve-')) : undefined
const archive = values.archive ?? own ?? ''
try {
  if (!existsSync(join(archive, 'cameo.sqlite'))) {
    say(`making ${tracks} tracks`)
    fillWithTracks(archive, tracks, spread)
    nameFiles(archive)
  }
  const figures = await measure(archive)
  if (values.json) console.log(JSON.stringify(figures))
  else {
    const { full, half, barePerS, share, photoMs, startS, processor } = figures
    console.log(`${tracks} tracks, ${connections} connections, ${processor}`)
    console.log(`answers after ${startS.toFixed(2)} s (target ${targets.startS})`)
    console.log(
      `${full.perS.toFixed(0)} searches/s, p50 ${full.p50Ms} ms, p99 ${full.p99Ms} ms, ${full.errors} errors`,
    )
    console.log(
      `bare index, one thread: ${barePerS.toFixed(0)} searches/s; share ${share.toFixed(2)} (target ${targets.share})`,
    )
    console.log(`at half the load: p99 ${half.p99Ms} ms (target ${targets.p99Ms}), ${half.errors} errors`)
    console.log(
      `search by photo: ${photoMs === undefined ? 'not measured' : `${photoMs.toFixed(0)} ms (target ${targets.photoMs})`}`,
    )
  }
  const { full, half, share, photoMs = Infinity, startS } = figures
  const isReached =
    share >= targets.share &&
    half.p99Ms <= targets.p99Ms &&
    photoMs <= targets.photoMs &&
    startS <= targets.startS
  process.exitCode = isReached && full.errors + half.errors === 0 ? 0 : 1
} finally {
  if (own !== undefined) rmSync(own, { recursive: true, force: true })
}
