/**
 * Measures the server: searches by stored track over HTTP, with sign-in and audit, compared with the bare index, at half load, and
 * beside an ingest; a search by photo; the start. Exit code 1 if a target is missed.
 *
 *   node dist/scripts/bench/serve/serve.js [--tracks N] [--seconds S] [--archive DIR] [--json]
 */
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { Worker } from 'node:worker_threads'
import { note, print, printJson } from '../../cli/output.js'
import { demoPhotosDir, fetchPhotos, photos } from '../../demo/demo-photos.js'
import { median } from '../measure.js'
import { ClipSource, ingestBeside } from './ingest-beside.js'
import { askForHealth, connections, searchAtRate, searchTracks } from './load.js'
import { prepareArchive } from './served-archive.js'
import { startServed } from './served.js'

const targets = { share: 0.7, p99Ms: 50, photoMs: 300, startS: 2 }
/** Rounds of server and bare index, one after the other. */
const rounds = 3
const photoSearches = 20
/** What was read of clips is kept: until most of them were found once, searches become faster. */
const warmUpS = 90

const { values } = parseArgs({
  options: {
    tracks: { type: 'string', default: '100000' },
    seconds: { type: 'string', default: '15' },
    archive: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
})
const tracks = Number(values.tracks)
const seconds = Number(values.seconds)

/** The bare index in one thread, which has a helper as in the server, while the load generator works as hard as it did for the server. */
async function measureBare(archive: string, url: string, perS: number): Promise<number> {
  const thread = new Worker(new URL('./bare-index.js', import.meta.url), {
    workerData: { archive, tracks, seconds },
  })
  await once(thread, 'message')
  thread.postMessage('start')
  const beside = askForHealth(url, seconds, perS)
  const [measured] = (await once(thread, 'message')) as [number]
  await beside
  return measured
}

/** From the upload to the answer, ms. */
async function searchByPhoto(url: string, key: string, photo: Buffer): Promise<number> {
  const begun = performance.now()
  const headers = { authorization: `Bearer ${key}` }
  const form = new FormData()
  form.append('file', new Blob([new Uint8Array(photo)], { type: 'image/jpeg' }), 'photo.jpg')
  const uploaded = await fetch(`${url}/api/v1/uploads`, { method: 'POST', headers, body: form })
  const { uploadId } = (await uploaded.json()) as { uploadId: string }
  const searched = await fetch(`${url}/api/v1/searches`, {
    method: 'POST',
    body: JSON.stringify({ subject: { uploadId, face: 1 }, top: 20 }),
    headers: { ...headers, 'content-type': 'application/json' },
  })
  await searched.text()
  if (!searched.ok) throw new Error(`the search by photo failed: ${searched.status}`)
  return performance.now() - begun
}

async function photoTimes(url: string, key: string): Promise<readonly number[]> {
  await fetchPhotos(demoPhotosDir())
  const photo = readFileSync(join(demoPhotosDir(), photos.sofa.file))
  const times: number[] = []
  for (let i = 0; i <= photoSearches; i++) times.push(await searchByPhoto(url, key, photo))
  // The first one loads the models.
  return times.slice(1)
}

async function measure(archive: string, films: string) {
  const key = await prepareArchive(archive, tracks)
  const source = await ClipSource.make(films)
  const server = await startServed(archive, '--ingest-root', films)
  try {
    const { url } = server
    const readyS = await server.ready
    const load = { url, key, tracks, seconds }
    note('warming up')
    const cold = await searchTracks({ ...load, seconds: 3 })
    await searchTracks({ ...load, seconds: warmUpS })
    const full: Awaited<ReturnType<typeof searchTracks>>[] = []
    const bare: number[] = []
    for (let round = 1; round <= rounds; round++) {
      note(`round ${round} of ${rounds}`)
      const measured = await searchTracks(load)
      full.push(measured)
      bare.push(await measureBare(archive, url, measured.perS))
    }
    const perS = median(full.map((each) => each.perS))
    const barePerS = median(bare)
    const half = await searchAtRate(load, perS / 2)
    note('searches by photo')
    const times = await photoTimes(url, key)
    note('beside an ingest')
    const stop = new AbortController()
    const ingest = ingestBeside({ url, key }, source, stop.signal)
    const beside = await searchTracks({ ...load, seconds: 30 })
    stop.abort()
    return {
      ...{ processor: cpus()[0]?.model ?? 'unknown', tracks, connections },
      ...{ startS: server.startS, readyS, coldPerS: cold.perS, perS, barePerS },
      share: median(full.map((each, i) => each.perS / (bare[i] ?? Number.NaN))),
      ...{ p50Ms: median(full.map((each) => each.p50Ms)), p99Ms: median(full.map((each) => each.p99Ms)) },
      halfP99Ms: half.p99Ms,
      photoMs: median(times),
      besideIngest: { ...beside, ingested: await ingest },
      errors: [cold, ...full, half, beside].reduce((sum, each) => sum + each.errors, 0),
    }
  } finally {
    await server.stop()
  }
}

const own = mkdtempSync(join(tmpdir(), 'cameo-bench-serve-'))
try {
  const films = join(own, 'films')
  mkdirSync(films)
  const figures = await measure(values.archive ?? join(own, 'archive'), films)
  const { share, halfP99Ms, photoMs, startS, errors, besideIngest } = figures
  if (values.json) printJson(figures)
  else {
    print(`${tracks} tracks, ${connections} connections, ${figures.processor}; medians of ${rounds} rounds`)
    print(
      `answers after ${startS.toFixed(2)} s (target ${targets.startS}), fast after ${figures.readyS.toFixed(2)} s`,
    )
    print(
      `${figures.perS.toFixed(0)} searches/s, p50 ${figures.p50Ms} ms, p99 ${figures.p99Ms} ms; bare index, one thread and its helper: ` +
        `${figures.barePerS.toFixed(0)}/s; share ${share.toFixed(2)} (target ${targets.share})`,
    )
    print(`the first 3 seconds: ${figures.coldPerS.toFixed(0)} searches/s`)
    print(`at half the load: p99 ${halfP99Ms.toFixed(0)} ms (target ${targets.p99Ms})`)
    print(`search by photo: p50 ${photoMs.toFixed(0)} ms (target ${targets.photoMs})`)
    print(
      `beside an ingest: ${besideIngest.perS.toFixed(0)} searches/s, p50 ${besideIngest.p50Ms} ms, p99 ${besideIngest.p99Ms} ms; ` +
        `${besideIngest.ingested.clips} clips ingested, ${besideIngest.ingested.failed} failed`,
    )
    print(`errors: ${errors}`)
  }
  const isReached =
    share >= targets.share &&
    halfP99Ms <= targets.p99Ms &&
    photoMs <= targets.photoMs &&
    startS <= targets.startS
  process.exitCode = isReached && errors + besideIngest.ingested.failed === 0 ? 0 : 1
} finally {
  rmSync(own, { recursive: true, force: true })
}
