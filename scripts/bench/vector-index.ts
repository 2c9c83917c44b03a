/**
 * Measures the vector index as the product uses it (SQLite rows, snapshots, default settings) against exact search
 * and against hnswlib called in a loop, on synthetic face-like descriptors. Exit code 1 where a target is missed.
 *
 *   node dist/scripts/bench/vector-index.js [--million] [--size N] [--json]
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { ExactIndex } from '../../index/exact-index.js'
import { createBareGraph, vectorIndexBytes } from '../../index/hnsw-index.js'
import { openDatabase, type Database } from '../../index/store/database.js'
import { createDescriptorStore } from '../../index/store/descriptors.js'
import { openVectorCache, type VectorCache } from '../../index/vector-cache.js'
import { defaultFirstK, holdsAllAbove, searchWidening, type Neighbor } from '../../index/vector-index.js'
import { synthesiseDescriptors, type SyntheticDescriptors } from './vector-index-data.js'

const dimension = 512
const matchThreshold = 0.35
const spaceId = 1

/** Tracks of a segment, which are one transaction; the index catches up after each. */
const segmentTracks = 32

/** Product, library and exact search take turns of so many vectors, so that noise of the machine meets all alike. */
const turnTracks = 1024

const queryCount = 1000

/** Changes that lie between the snapshot and the start. */
const changesBeforeStart = 100

const targets = {
  recall: 0.999,
  mapLoss: 0.001,
  searchP50Ms: 5,
  startSPer100k: 3,
  insertShare: 0.85,
}

interface Figures {
  readonly tracks: number
  readonly identities: number
  readonly singles: number
  readonly firstK: number
  /** Of exact search's neighbours above the match threshold: all together, mean over queries, and of single tracks. */
  readonly recall: number
  readonly recallPerQuery: number
  readonly recallOfSingles: number
  readonly mapExact: number
  readonly mapLoss: number
  readonly searchP50Ms: number
  readonly searchP95Ms: number
  readonly exactP50Ms: number
  readonly searchesPerS: number
  readonly exactSearchesPerS: number
  /** Searches/s as a share of the bare library's with the same k, which finds less. */
  readonly searchShareOfBare: number
  readonly insertsPerS: number
  readonly exactInsertsPerS: number
  readonly insertShareOfBare: number
  readonly startS: number
  readonly indexMb: number
  readonly peakRssMb: number
}

// ---------------------------------------------------------------- the product's side

/** Row i becomes track i + 1 and, as the first of its table, label i + 1. */
function createArchive(dir: string, tracks: number): Database {
  const database = openDatabase(dir, { create: true })
  const track = database.prepare(
    `INSERT INTO tracks (clip_id, recipe, segment, number, spans, samples, quality, provider)
     VALUES ('clip', 'recipe', ?, ?, '[[0, 1]]', 1, 1, 'cpu')`,
  )
  database.transaction(() => {
    database.exec(`
      INSERT INTO clips (clip_id, size_bytes, added_at) VALUES ('clip', 1, '');
      INSERT INTO runs (clip_id, recipe, segments, cuttable, state) VALUES ('clip', 'recipe', 1, 1, 'working');
      INSERT INTO spaces (space_id, digest, dimension, description, active)
        VALUES (${spaceId}, 'd', ${dimension}, '{}', 1)`)
    for (let i = 0; i < tracks; i++) track.run(Math.floor(i / segmentTracks), i % segmentTracks)
  })()
  return database
}

/** Stores rows `from` to `to` as ingestion does: a transaction a segment, then the index catches up. */
async function ingest(
  database: Database,
  cache: VectorCache | undefined,
  vectors: Float32Array,
  from: number,
  to: number,
): Promise<void> {
  const store = createDescriptorStore(database)
  const segment = database.transaction((start: number, end: number) => {
    for (let i = start; i < end; i++) store.insert(spaceId, i + 1, rowOf(vectors, i))
  })
  for (let start = from; start < to; start += segmentTracks) {
    segment(start, Math.min(to, start + segmentTracks))
    await cache?.catchUp()
    await cache?.snapshotIfDue()
    await cache?.compactIfNeeded()
  }
}

function rowOf(vectors: Float32Array, row: number): Float32Array {
  return vectors.subarray(row * dimension, (row + 1) * dimension)
}

// ---------------------------------------------------------------- measuring

class Stopwatch {
  totalMs = 0
  readonly samples: number[] = []

  async time<T>(work: () => T | Promise<T>): Promise<T> {
    const start = performance.now()
    const result = await work()
    const ms = performance.now() - start
    this.totalMs += ms
    this.samples.push(ms)
    return result
  }

  quantile(share: number): number {
    return this.samples.toSorted((a, b) => a - b)[Math.floor(share * (this.samples.length - 1))] ?? 0
  }
}

/** Average precision over the first 100, all of the identity's tracks in the denominator. */
function averagePrecision(
  neighbors: readonly Neighbor[],
  data: SyntheticDescriptors,
  identity: number,
): number {
  let hits = 0
  let sum = 0
  for (const [i, { label }] of neighbors.slice(0, 100).entries())
    if (data.identityOf[label - 1] === identity) sum += ++hits / (i + 1)
  return sum / (data.sizes[identity] ?? 1)
}

async function bench(size: number, log: (line: string) => void): Promise<Figures> {
  const dir = mkdtempSync(join(tmpdir(), 'cameo-bench-'))
  try {
    log(`making ${size} descriptors`)
    const data = synthesiseDescriptors(size, dimension, queryCount)
    const database = createArchive(dir, size)
    const indexDir = join(dir, 'index')
    const cache = await openVectorCache({ database, spaceId, dir: indexDir })
    const bare = createBareGraph(dimension, size)
    const exact = new ExactIndex(dimension)
    const inserts = { product: new Stopwatch(), bare: new Stopwatch(), exact: new Stopwatch() }
    const started = size - changesBeforeStart
    for (let from = 0; from < size; from += turnTracks) {
      const to = Math.min(size, from + turnTracks)
      const stored = Math.min(to, started)
      await inserts.product.time(() => ingest(database, cache, data.vectors, from, stored))
      await inserts.bare.time(() => {
        for (let i = from; i < stored; i++) bare.add(i + 1, rowOf(data.vectors, i))
      })
      await inserts.exact.time(() => {
        for (let i = from; i < to; i++) exact.add(i + 1, rowOf(data.vectors, i))
      })
      if ((from / turnTracks) % 10 === 9) log(`${to} inserted`)
    }
    await inserts.product.time(() => cache.snapshot())
    for (let i = started; i < size; i++) bare.add(i + 1, rowOf(data.vectors, i))
    await cache.close()

    await ingest(database, undefined, data.vectors, started, size)
    const start = new Stopwatch()
    const opened = await start.time(() => openVectorCache({ database, spaceId, dir: indexDir }))
    log('searching')

    const searches = { product: new Stopwatch(), bare: new Stopwatch(), exact: new Stopwatch() }
    const perQuery: number[] = []
    let [wanted, found, wantedSingles, foundSingles, mapExact, mapProduct] = [0, 0, 0, 0, 0, 0]
    const enough = holdsAllAbove(matchThreshold)
    for (const { vector, identity } of data.queries) {
      const product = await searches.product.time(() => searchWidening(opened, vector, enough))
      const oracle = await searches.exact.time(() => searchWidening(exact, vector, enough))
      await searches.bare.time(() => bare.search(vector, defaultFirstK))
      const labels = new Set(product.map((neighbor) => neighbor.label))
      const matches = oracle.filter((neighbor) => neighbor.cosineSimilarity >= matchThreshold)
      const hits = matches.filter((neighbor) => labels.has(neighbor.label)).length
      wanted += matches.length
      found += hits
      if (matches.length > 0) perQuery.push(hits / matches.length)
      if (data.sizes[identity] === 1) {
        wantedSingles += matches.length
        foundSingles += hits
      }
      mapExact += averagePrecision(oracle, data, identity) / queryCount
      mapProduct += averagePrecision(product, data, identity) / queryCount
    }
    await opened.close()
    database.close()
    return {
      tracks: size,
      identities: data.sizes.length,
      singles: data.sizes.filter((tracks) => tracks === 1).length,
      firstK: defaultFirstK,
      recall: found / wanted,
      recallPerQuery: perQuery.reduce((sum, share) => sum + share, 0) / perQuery.length,
      recallOfSingles: foundSingles / wantedSingles,
      mapExact,
      mapLoss: mapExact - mapProduct,
      searchP50Ms: searches.product.quantile(0.5),
      searchP95Ms: searches.product.quantile(0.95),
      exactP50Ms: searches.exact.quantile(0.5),
      searchesPerS: (1000 * queryCount) / searches.product.totalMs,
      exactSearchesPerS: (1000 * queryCount) / searches.exact.totalMs,
      searchShareOfBare: searches.bare.totalMs / searches.product.totalMs,
      insertsPerS: (1000 * started) / inserts.product.totalMs,
      exactInsertsPerS: (1000 * size) / inserts.exact.totalMs,
      insertShareOfBare: inserts.bare.totalMs / inserts.product.totalMs,
      startS: start.totalMs / 1000,
      indexMb: vectorIndexBytes(size, dimension) / 1e6,
      peakRssMb: process.resourceUsage().maxRSS / 1024,
    }
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}

// ---------------------------------------------------------------- the report

interface Verdict {
  readonly target: string
  readonly value: string
  readonly reached: boolean
}

function judge(figures: Figures): Verdict[] {
  const startLimitS = targets.startSPer100k * Math.max(1, figures.tracks / 100_000)
  return [
    {
      target: `recall above ${matchThreshold} against exact search ≥ ${targets.recall}`,
      value: figures.recall.toFixed(5),
      reached: figures.recall >= targets.recall,
    },
    {
      target: `MAP@100 below exact search's by ≤ ${targets.mapLoss}`,
      value: figures.mapLoss.toFixed(5),
      reached: Math.abs(figures.mapLoss) <= targets.mapLoss,
    },
    {
      target: `search p50 ≤ ${targets.searchP50Ms} ms`,
      value: `${figures.searchP50Ms.toFixed(2)} ms`,
      reached: figures.searchP50Ms <= targets.searchP50Ms,
    },
    {
      target: `start from the snapshot ≤ ${startLimitS} s`,
      value: `${figures.startS.toFixed(2)} s`,
      reached: figures.startS <= startLimitS,
    },
    {
      target: `inserts/s ≥ ${targets.insertShare} of the bare library's`,
      value: figures.insertShareOfBare.toFixed(3),
      reached: figures.insertShareOfBare >= targets.insertShare,
    },
  ]
}

const { values } = parseArgs({
  options: { million: { type: 'boolean' }, size: { type: 'string' }, json: { type: 'boolean' } },
})
const size = values.size === undefined ? (values.million === true ? 1_000_000 : 100_000) : Number(values.size)
if (!Number.isInteger(size) || size < 1000) {
  console.error('--size takes a whole number of at least 1000')
  process.exit(2)
}
const figures = await bench(size, (line) => console.error(line))
const verdicts = judge(figures)
if (values.json === true) console.log(JSON.stringify({ figures, verdicts }, undefined, 2))
else {
  for (const [name, value] of Object.entries(figures))
    console.log(`${name.padEnd(20)} ${format(Number(value))}`)
  for (const { target, value, reached } of verdicts)
    console.log(`${reached ? 'reached' : 'MISSED '}  ${target}: ${value}`)
}
process.exitCode = verdicts.every((verdict) => verdict.reached) ? 0 : 1

function format(value: number): string {
  return Number.isInteger(value) ? String(value) : value.toPrecision(5)
}
