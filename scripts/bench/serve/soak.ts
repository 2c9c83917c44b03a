/**
 * Searches by 32 connections beside ingests, for ten minutes: no error, and memory that does not grow. Exit code 1 otherwise.
 *
 *   node dist/scripts/bench/serve/soak.js [--tracks N] [--minutes M] [--archive DIR] [--json]
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { note, print, printJson } from '../../cli/output.js'
import { mebibyte, median, memoryOf } from '../measure.js'
import { ClipSource, ingestBeside } from './ingest-beside.js'
import { searchTracks } from './load.js'
import { prepareArchive } from './served-archive.js'
import { startServed } from './served.js'

/** Memory of the last third of the time, divided by that of the second third. */
const mostGrowth = 1.1
const sampleEveryMs = 2000

const { values } = parseArgs({
  options: {
    tracks: { type: 'string', default: '100000' },
    minutes: { type: 'string', default: '10' },
    archive: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
})
const tracks = Number(values.tracks)
const seconds = 60 * Number(values.minutes)

async function soak(archive: string, films: string) {
  const key = await prepareArchive(archive, tracks)
  const source = await ClipSource.make(films)
  const server = await startServed(archive, '--ingest-root', films)
  const memory: number[] = []
  const timer = setInterval(() => memory.push(memoryOf(server.pid).residentBytes / mebibyte), sampleEveryMs)
  try {
    await server.ready
    const stop = new AbortController()
    const ingest = ingestBeside({ url: server.url, key }, source, stop.signal)
    note(`searching for ${values.minutes} minutes`)
    const load = await searchTracks({ url: server.url, key, tracks, seconds })
    stop.abort()
    const ingested = await ingest
    const third = Math.floor(memory.length / 3)
    const secondMb = median(memory.slice(third, 2 * third))
    const lastMb = median(memory.slice(2 * third))
    return {
      ...{ processor: cpus()[0]?.model ?? 'unknown', tracks, seconds, ...load, ingested },
      ...{ secondMb, lastMb, growth: lastMb / secondMb },
    }
  } finally {
    clearInterval(timer)
    await server.stop()
  }
}

const own = mkdtempSync(join(tmpdir(), 'cameo-soak-'))
try {
  const films = join(own, 'films')
  mkdirSync(films)
  const figures = await soak(values.archive ?? join(own, 'archive'), films)
  const { perS, p50Ms, p99Ms, errors, ingested, secondMb, lastMb, growth } = figures
  if (values.json) printJson(figures)
  else {
    print(`${tracks} tracks, ${values.minutes} minutes, ${figures.processor}`)
    print(`${perS.toFixed(0)} searches/s, p50 ${p50Ms} ms, p99 ${p99Ms} ms, ${errors} errors`)
    print(`${ingested.clips} clips ingested beside it, ${ingested.failed} failed`)
    print(
      `memory: ${secondMb.toFixed(0)} MB in the second third, ${lastMb.toFixed(0)} MB in the last: ${growth.toFixed(3)} (most ${mostGrowth})`,
    )
  }
  process.exitCode = errors + ingested.failed === 0 && growth <= mostGrowth ? 0 : 1
} finally {
  rmSync(own, { recursive: true, force: true })
}
