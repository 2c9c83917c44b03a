import { CameoError } from '../../../pipeline/common/errors.js'
import { createDescriptorStore } from '../../store/descriptors.js'
import { readMeta, spacesOf } from '../../store/meta.js'
import type { Database } from '../../store/sqlite.js'
import { CallOrder } from '../call-order.js'
import { canWriteTo, removeSnapshot, snapshotBytesOnDisk } from '../hnsw/snapshot.js'
import type { VectorEngines, VectorSpace } from '../vector-engine.js'
import type { BatchOptions, Neighbor, VectorIndex } from '../vector-index.js'
import { automatic, openEngine, planEngines, type NamedEngine } from './engine-plan.js'
import { closingOnError, startIndex, type IndexSource, type StartedIndex } from './start-index.js'
import { applyChanges, fillIndex, type FeedSource } from './sync-from-store.js'

export interface VectorCacheOptions {
  readonly database: Database
  readonly spaceId: number
  /** Folder of the snapshots. Created with the first snapshot. Only one process at a time should write there. */
  readonly dir: string
  /** Never write snapshots. Implied if the database was opened read-only or the folder is not writable. */
  readonly readOnly?: boolean
  /**
   * Called with a sentence for the user, for example if a snapshot was damaged, or if the index is rebuilt or stays
   * in memory.
   */
  readonly onNotice?: (message: string) => void
  /** Name of the engine that indexes the vectors. Default: `auto`. */
  readonly engine?: string
  /** Engines in addition to the built-in ones. */
  readonly engines?: VectorEngines
  readonly exactUpTo?: number
  /** Memory that the index may use, in bytes. Default: the available memory of the machine. */
  readonly maxBytes?: number
}

export interface VectorCacheStats {
  readonly engine: string
  readonly dimension: number
  /** Number of vectors that can be found. */
  readonly size: number
  /** Number of erased vectors that still occupy a place in the graph, until it is compacted. */
  readonly erased: number
  readonly lastChange: number
  /** Number of changes since the snapshot on disk. 0 if the engine writes no snapshots. */
  readonly unsavedChanges: number
  readonly memoryBytes: number
  readonly snapshotBytes: number
  readonly readOnly: boolean
}

/** Erased vectors cost search time and links. If more than a fifth of the vectors are erased, the graph is rebuilt. */
const maxErasedShare = 0.2

/**
 * A snapshot is due after a tenth of the vectors changed. Writing 100,000 vectors takes about as long as adding 500,
 * so snapshots cost ingestion a few percent. Below the minimum, replaying the log at the next start is fast.
 */
export const snapshotShare = 0.1
const snapshotMinimum = 2_000

/**
 * `close` writes a snapshot if replaying the changes would take longer (about 2 ms per change, compared with 8 µs per
 * vector).
 */
const closeShare = 0.004

/**
 * Opens a `VectorCache`.
 * @throws INDEX_TOO_LARGE if the vectors do not fit in memory; ARCHIVE_DAMAGED if the space is missing; USAGE if
 * there is no such engine; ARCHIVE_BUSY if the engine cannot be reached
 */
export async function openVectorCache(options: VectorCacheOptions): Promise<VectorCache> {
  const { database, spaceId, dir, engine: name = automatic, engines = {}, exactUpTo } = options
  const notice = options.onNotice ?? (() => undefined)
  const damagedLabels = new Set<number>()
  const feed: FeedSource = {
    ...{ store: createDescriptorStore(database), spaceId },
    onDamaged: (label) => void damagedLabels.add(label),
  }
  const plan = planEngines(name, engines, spaceToIndex(options), exactUpTo)
  let readOnly = options.readOnly === true || database.readonly
  if (!readOnly && !(await canWriteTo(dir))) {
    readOnly = true
    if (plan.engines.some(({ engine }) => engine.load !== undefined))
      notice(`the folder ${dir} is not writable: the vector index stays in memory only`)
  }
  const source = { feed, plan, notice }
  const started = await startIndex(source)
  const parts = { ...source, dir, readOnly, damagedLabels }
  return closingOnError(started.index, async () => {
    const cache = new VectorCache(parts, started, await started.index.count())
    await keepOneSnapshot(cache, started, parts)
    return cache
  })
}

/**
 * Writes a snapshot after the start. If the engine writes none, removes old snapshots, because they could contain
 * erased vectors.
 */
async function keepOneSnapshot(
  cache: VectorCache,
  { snapshot, index: { snapshots } }: StartedIndex,
  { dir, feed: { spaceId }, readOnly, notice }: CacheParts,
): Promise<void> {
  if (snapshot === 'loaded') return
  if (snapshots === undefined) {
    const hasFiles = snapshotBytesOnDisk(dir, spaceId) > 0 || snapshot === 'unusable'
    if (hasFiles && !readOnly) await removeSnapshot(dir, spaceId)
  } else if (readOnly) notice('the archive is read-only: the vector index is rebuilt at each start')
  else await cache.snapshot()
}

interface OpenIndex {
  readonly engine: NamedEngine
  readonly index: VectorIndex
}

interface CacheParts extends IndexSource {
  readonly dir: string
  readonly readOnly: boolean
  readonly damagedLabels: ReadonlySet<number>
}

/**
 * The vector index of one descriptor space. It follows the table `descriptors` through its log of changes. SQLite is
 * the source of truth: the index may be behind it, so check hits against it. Searches may run at any time. Changes to
 * the index run one after the other, and searches can run between them.
 */
export class VectorCache implements Pick<VectorIndex, 'dimension' | 'search'> {
  readonly #parts: CacheParts
  #open: OpenIndex
  #size: number
  #lastChange: number
  #unsavedChanges: number
  #unsavedErasures: boolean
  readonly #turns = new CallOrder()
  #rebuilding: Promise<boolean> | undefined

  /** Use `openVectorCache`. */
  constructor(parts: CacheParts, started: StartedIndex, size: number) {
    this.#parts = parts
    this.#open = started
    this.#size = size
    this.#lastChange = started.lastChange
    this.#unsavedChanges = started.unsavedChanges
    this.#unsavedErasures = started.hasUnsavedErasures
  }

  get dimension(): number {
    return this.#open.index.dimension
  }

  /** Number of vectors that can be found. */
  get size(): number {
    return this.#size
  }

  /** Labels of damaged rows. The index does not contain their vectors. */
  get damagedLabels(): ReadonlySet<number> {
    return this.#parts.damagedLabels
  }

  /**
   * Like `VectorIndex.search`; see `searchWidening`.
   * @throws VECTOR_INVALID; ARCHIVE_BUSY if the engine cannot be reached
   */
  search(queries: readonly Float32Array[], k: number, options?: BatchOptions): Promise<Neighbor[][]> {
    return this.#open.index.search(queries, k, options)
  }

  stats(): VectorCacheStats {
    const { engine, index } = this.#open
    const { dir, readOnly, feed } = this.#parts
    return {
      engine: engine.name,
      ...{ dimension: this.dimension, size: this.#size, lastChange: this.#lastChange },
      erased: index.memory?.erased ?? 0,
      unsavedChanges: index.snapshots === undefined ? 0 : this.#unsavedChanges,
      memoryBytes: index.memory?.bytes ?? 0,
      snapshotBytes: snapshotBytesOnDisk(dir, feed.spaceId),
      readOnly,
    }
  }

  /** Applies new changes from SQLite and returns their number. Fast if there are none. */
  catchUp(): Promise<number> {
    return this.#turns.change(() => this.#apply())
  }

  async #apply(): Promise<number> {
    const before = this.#lastChange
    const { feed } = this.#parts
    if (feed.store.lastChange() === before) return 0
    const applied = await applyChanges(feed, this.#open.index, before)
    this.#lastChange = applied.lastChange
    this.#unsavedChanges += applied.changes
    this.#unsavedErasures ||= applied.erased
    await this.#countAgain()
    return applied.changes
  }

  /**
   * Catches up, and writes a snapshot if anything changed since the last one. After the call, no file of the folder
   * contains vectors that were erased from SQLite before it. Returns false if nothing was written.
   */
  async snapshot(): Promise<boolean> {
    await this.catchUp()
    return this.#turns.change(async () => {
      const { snapshots } = this.#open.index
      if (this.#parts.readOnly || snapshots === undefined || this.#unsavedChanges === 0) return false
      await snapshots.save(async () => {
        await this.#apply()
        return this.#lastChange
      })
      this.#unsavedChanges = 0
      this.#unsavedErasures = false
      return true
    })
  }

  /** Writes a snapshot if a vector was erased or enough has changed. Call this about once per segment. */
  async snapshotIfDue(): Promise<boolean> {
    const due = Math.max(snapshotMinimum, snapshotShare * this.size)
    return this.#unsavedErasures || this.#unsavedChanges >= due ? this.snapshot() : false
  }

  /**
   * Rebuilds the index from SQLite and writes a snapshot, if too many vectors are erased or if the size has crossed
   * the limit between exact and graph search. Searches and `catchUp` use the old index during this time. If there is
   * not enough memory for both, calls `onNotice` and keeps the old index. Returns true if the index was rebuilt.
   */
  compactIfNeeded(): Promise<boolean> {
    this.#rebuilding ??= this.#compact().finally(() => (this.#rebuilding = undefined))
    return this.#rebuilding
  }

  /** Waits for running calls, and writes a snapshot if replaying the changes at the next start would take long. */
  async close(): Promise<void> {
    await this.#rebuilding?.catch(() => undefined)
    const isFar = this.#unsavedErasures || this.#unsavedChanges > closeShare * this.size
    try {
      if (isFar && this.#open.index.snapshots !== undefined) await this.snapshot()
    } finally {
      await this.#turns.close(() => this.#open.index.close())
    }
  }

  async #compact(): Promise<boolean> {
    const { plan, feed, notice } = this.#parts
    const old = this.#open
    const engine = plan.engineFor(this.#size, old.engine)
    const erased = old.index.memory?.erased ?? 0
    const isCrowded = erased > maxErasedShare * (this.#size + erased)
    if (engine.name === old.engine.name && !isCrowded) return false
    const index = await openEngine(engine)
    let lastChange: number
    try {
      lastChange = await fillIndex(feed, index, this.#size)
    } catch (error) {
      await index.close()
      if (!(error instanceof CameoError) || error.code !== 'INDEX_TOO_LARGE') throw error
      notice(`the vector index is not compacted: ${error.message}`)
      return false
    }
    await this.#turns.change(() => this.#exchange({ engine, index }, lastChange))
    await this.snapshot()
    return true
  }

  async #exchange(next: OpenIndex, filledTo: number): Promise<void> {
    const { feed, dir, readOnly } = this.#parts
    const { lastChange } = await applyChanges(feed, next.index, filledTo)
    const old = this.#open
    this.#open = next
    this.#lastChange = lastChange
    await this.#countAgain()
    this.#unsavedChanges = this.#size + 1
    await old.index.close()
    if (next.index.snapshots === undefined && !readOnly) await removeSnapshot(dir, feed.spaceId)
  }

  async #countAgain(): Promise<void> {
    this.#size = await this.#open.index.count()
  }
}

/** The facts of a space for an engine. @throws ARCHIVE_DAMAGED if the space is missing */
export function spaceToIndex({
  database,
  spaceId,
  dir,
  maxBytes,
}: Pick<VectorCacheOptions, 'database' | 'spaceId' | 'dir' | 'maxBytes'>): VectorSpace {
  const space = spacesOf(database).find((one) => one.spaceId === spaceId)
  const archiveId = readMeta(database, 'archive_id')
  if (space === undefined || archiveId === undefined)
    throw new CameoError('ARCHIVE_DAMAGED', `the archive has no descriptor space ${spaceId}`)
  return { ...space, archiveId, dir, maxBytes }
}
