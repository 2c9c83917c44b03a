/**
 * Measures the vector index as the product uses it (SQLite rows, snapshots, default settings). Compares it
 * with exact search and with hnswlib called in a loop, on synthetic face-like descriptors. Exit code 1 if a
 * target is missed.
 *
 *   node dist/scripts/bench/vector-index/vector-index.js [--million | --size N] [--archive DIR] [--json]
 *
 * A named archive is kept: filling one with a million takes an hour, and an interrupted run continues with
 * it. Up to 200,000 vectors, archive and bare library are filled in turns, and all inserts are measured. For
 * larger archives, inserts are measured afterwards, in a copy.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { ExactIndex } from '../../../index/vectors/exact/exact-index.js'
import { createBareGraph } from '../../../index/vectors/hnsw/hnsw-index.js'
import { vectorIndexBytes } from '../../../index/vectors/hnsw/hnsw-memory.js'
import { openVectorCache } from '../../../index/vectors/archive/cached-index.js'
import { defaultExactUpTo } from '../../../index/vectors/archive/engine-plan.js'
import type { Neighbor } from '../../../index/vectors/vector-index.js'
import { defaultFirstK, holdsAllAbove, searchWidening } from '../../../index/vectors/widening-search.js'
import {
  dimension,
  ingest,
  openBenchArchive,
  rowOf,
  snapshotFile,
  spaceId,
  storedCount,
} from './vector-index-archive.js'
import { synthesiseDescriptors, type SyntheticDescriptors } from './vector-index-data.js'
import {
  fillAlone,
  fillInTurns,
  insertOnTop,
  largestFilledInTurns,
  Stopwatch,
} from './vector-index-inserts.js'

const matchThreshold = 0.35

const queryCount = 1000

/** Number of changes between the snapshot and the start. */
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
  /**
   * Share of exact search's neighbours above the match threshold that are found: all together, mean over
   * queries, and of single tracks.
   */
  readonly recall: number
  readonly recallPerQuery: number
  readonly recallOfSingles: number
  readonly mapExact: number
  readonly mapLoss: number
  readonly searchP50Ms: number
  readonly searchP95Ms: number
  readonly exactP50Ms: number
  readonly bareP50Ms: number
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

// ---------------------------------------------------------------- measuring

/** Average precision over the first 100, with all of the identity's tracks in the denominator. */
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

async function bench(size: number, dir: string, log: (line: string) => void): Promise<Figures> {
  log(`making ${size} descriptors`)
  const data = synthesiseDescriptors(size, dimension, queryCount)
  const database = openBenchArchive(dir, size)
  const indexDir = join(dir, 'index')
  const rows = { vectors: data.vectors, first: 0 }
  const started = size - changesBeforeStart
  const turns =
    size <= largestFilledInTurns ? await fillInTurns({ database, dir }, rows, started, log) : undefined
  if (turns === undefined) await fillAlone({ database, dir }, rows, started, log)

  await ingest(database, undefined, rows, storedCount(database), size)
  const start = new Stopwatch()
  const opened = await start.time(() => openVectorCache({ database, spaceId, dir: indexDir }))
  log(`started in ${(start.totalMs / 1000).toFixed(1)} s`)
  const bare = createBareGraph(dimension, size, snapshotFile(indexDir))
  for (let i = started; i < size; i++) bare.add(i + 1, rowOf(data.vectors, i))
  const exact = new ExactIndex(dimension)
  const exactInserts = new Stopwatch()
  const labelled = Array.from({ length: size }, (_, i) => ({ label: i + 1, vector: rowOf(data.vectors, i) }))
  await exactInserts.time(() => exact.add(labelled))

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
    mapExact += averagePrecision(oracle, data, identity)
    mapProduct += averagePrecision(product, data, identity)
  }
  await opened.close()
  database.close()
  log('inserting')
  const inserts = turns ?? (await insertOnTop(dir, size, bare))
  return {
    tracks: size,
    identities: data.sizes.length,
    singles: data.sizes.filter((tracks) => tracks === 1).length,
    firstK: defaultFirstK,
    recall: found / wanted,
    recallPerQuery: perQuery.reduce((sum, share) => sum + share, 0) / perQuery.length,
    recallOfSingles: foundSingles / wantedSingles,
    mapExact: mapExact / queryCount,
    // Rounded, so that a loss of one query is exactly 1/1000.
    mapLoss: Number(((mapExact - mapProduct) / queryCount).toFixed(9)),
    searchP50Ms: searches.product.quantile(0.5),
    searchP95Ms: searches.product.quantile(0.95),
    exactP50Ms: searches.exact.quantile(0.5),
    bareP50Ms: searches.bare.quantile(0.5),
    searchesPerS: (1000 * queryCount) / searches.product.totalMs,
    exactSearchesPerS: (1000 * queryCount) / searches.exact.totalMs,
    searchShareOfBare: searches.bare.totalMs / searches.product.totalMs,
    exactInsertsPerS: (1000 * size) / exactInserts.totalMs,
    insertsPerS: 1000 / inserts.productMs,
    insertShareOfBare: inserts.bareMs / inserts.productMs,
    startS: start.totalMs / 1000,
    indexMb: vectorIndexBytes(size, dimension) / 1e6,
    peakRssMb: process.resourceUsage().maxRSS / 1024,
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
  options: {
    million: { type: 'boolean' },
    size: { type: 'string' },
    archive: { type: 'string' },
    json: { type: 'boolean' },
  },
})
const size = values.size === undefined ? (values.million === true ? 1_000_000 : 100_000) : Number(values.size)
if (!Number.isInteger(size) || size <= 2 * defaultExactUpTo) {
  console.error(
    `--size takes a whole number above ${2 * defaultExactUpTo}: smaller archives are searched exactly`,
  )
  process.exit(2)
}
const dir = values.archive ?? mkdtempSync(join(tmpdir(), 'cameo-bench-'))
const figures = await bench(size, dir, (line) => {
  console.error(line)
}).finally(() => {
  if (values.archive === undefined) rmSync(dir, { recursive: true, force: true })
})
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
