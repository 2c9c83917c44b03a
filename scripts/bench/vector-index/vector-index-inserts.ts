import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createBareGraph } from '../../../index/vectors/hnsw/hnsw-index.js'
import type { Database } from '../../../index/store/sqlite.js'
import { openVectorCache, snapshotShare } from '../../../index/vectors/archive/cached-index.js'
import {
  addTracks,
  dimension,
  ingest,
  openBenchArchive,
  rowOf,
  spaceId,
  storedCount,
  type Rows,
} from './vector-index-archive.js'
import { synthesiseDescriptors } from './vector-index-data.js'

/** Larger archives are filled alone: the bare library would take hours. */
export const largestFilledInTurns = 200_000

/** Product and library take turns of this many vectors, so that noise of the machine affects both equally. */
const turnTracks = 1024
const turnsOnTop = 20

/** Times of one insert. */
export interface InsertTimes {
  readonly productMs: number
  readonly bareMs: number
}

export interface BenchArchive {
  readonly database: Database
  readonly dir: string
}

type BareGraph = ReturnType<typeof createBareGraph>
type Log = (line: string) => void

export class Stopwatch {
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

/** Fills an empty archive up to row `end`, with a snapshot of all; undefined if it already has rows. */
export async function fillInTurns(
  { database, dir }: BenchArchive,
  rows: Rows,
  end: number,
  log: Log,
): Promise<InsertTimes | undefined> {
  if (storedCount(database) > 0) return undefined
  const cache = await openVectorCache({ database, spaceId, dir: join(dir, 'index') })
  const bare = createBareGraph(dimension, end)
  const watches = { product: new Stopwatch(), bare: new Stopwatch() }
  for (let from = 0; from < end; from += turnTracks) {
    const to = Math.min(end, from + turnTracks)
    await watches.product.time(() => ingest(database, cache, rows, from, to))
    await watches.bare.time(() => addTo(bare, rows, from, to))
    tell(log, from, to)
  }
  await watches.product.time(() => cache.snapshot())
  await cache.close()
  bare.close()
  return { productMs: watches.product.totalMs / end, bareMs: watches.bare.totalMs / end }
}

/** Continues to fill the archive up to row `end`, with a snapshot of all. */
export async function fillAlone(
  { database, dir }: BenchArchive,
  rows: Rows,
  end: number,
  log: Log,
): Promise<void> {
  const stored = storedCount(database)
  if (stored >= end) return
  const cache = await openVectorCache({ database, spaceId, dir: join(dir, 'index') })
  for (let from = stored; from < end; from += turnTracks) {
    const to = Math.min(end, from + turnTracks)
    await ingest(database, cache, rows, from, to)
    tell(log, from, to)
  }
  await cache.snapshot()
  await cache.close()
}

/**
 * Inserts further rows into a copy of the archive in `dir`, which has `size` rows, and into `bare`, which has
 * the same. The time of an insert includes its share of a snapshot.
 */
export async function insertOnTop(dir: string, size: number, bare: BareGraph): Promise<InsertTimes> {
  const count = turnsOnTop * turnTracks
  const { vectors } = synthesiseDescriptors(count, dimension, 0)
  const rows = { vectors, first: size }
  const copy = mkdtempSync(join(tmpdir(), 'cameo-bench-'))
  try {
    cpSync(dir, copy, { recursive: true })
    const database = openBenchArchive(copy, size)
    addTracks(database, size, size + count)
    const cache = await openVectorCache({ database, spaceId, dir: join(copy, 'index') })
    bare.reserve(size + count)
    const watches = { product: new Stopwatch(), bare: new Stopwatch(), snapshot: new Stopwatch() }
    for (let from = size; from < size + count; from += turnTracks) {
      const to = from + turnTracks
      await watches.product.time(() => ingest(database, cache, rows, from, to))
      await watches.bare.time(() => addTo(bare, rows, from, to))
    }
    await watches.snapshot.time(() => cache.snapshot())
    await cache.close()
    database.close()
    const snapshotMs = watches.snapshot.totalMs / (snapshotShare * size)
    return { productMs: watches.product.totalMs / count + snapshotMs, bareMs: watches.bare.totalMs / count }
  } finally {
    rmSync(copy, { recursive: true, force: true })
  }
}

function addTo(bare: BareGraph, { vectors, first }: Rows, from: number, to: number): void {
  for (let i = from; i < to; i++) bare.add(i + 1, rowOf(vectors, i - first))
}

function tell(log: Log, from: number, to: number): void {
  if (Math.floor(from / turnTracks) % 10 === 9) log(`${to} inserted`)
}
