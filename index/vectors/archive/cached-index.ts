import { CameoError } from '../../../pipeline/common/errors.js'
import { createDescriptorStore } from '../../store/descriptors.js'
import { readMeta, spacesOf } from '../../store/meta.js'
import type { Database } from '../../store/sqlite.js'
import { CallOrder } from '../call-order.js'
import { canWriteTo, removeSnapshot, snapshotBytesOnDisk } from '../hnsw/snapshot.js'
import type { VectorEngines, VectorSpace } from '../vector-engine.js'
import type { Neighbor, VectorIndex } from '../vector-index.js'
import { automatic, openEngine, planEngines, type NamedEngine } from './engine-plan.js'
import { closingOnError, startIndex, type IndexSource, type StartedIndex } from './start-index.js'
import { applyChanges, fillIndex, type FeedSource } from './sync-from-store.js'

export interface VectorCacheOptions {
  readonly database: Database
  readonly spaceId: number
  /** Folder of the snapshots; made when the first is written. One process at a time should write there. */
  readonly dir: string
  /** Never write snapshots. Also so where the database was opened read-only or the folder cannot be written. */
  readonly readOnly?: boolean
  /** Called with a sentence for the user: a snapshot was damaged, the index is rebuilt or stays in memory. */
  readonly onNotice?: (message: string) => void
  /** Name of the engine that indexes the vectors. Default: `auto`. */
  readonly engine?: string
  /** Engines beside those that are built in. */
  readonly engines?: VectorEngines
  readonly exactUpTo?: number
  /** Memory the index may take; by default what the machine has available. */
  readonly maxBytes?: number
}

export interface VectorCacheStats {
  readonly engine: string
  readonly dimension: number
  /** Vectors that can be found. */
  readonly size: number
  /** Erased vectors that still take a place in the graph, until it is compacted. */
  readonly erased: number
  readonly lastChange: number
  /** Changes applied since the snapshot on disk; 0 where the engine writes none. */
  readonly unsavedChanges: number
  readonly memoryBytes: number
  readonly snapshotBytes: number
  readonly readOnly: boolean
}

/** Erased vectors cost searches their time and links; with a fifth of them the graph is built anew. */
const maxErasedShare = 0.2

/**
 * A snapshot is due after a tenth of the vectors changed: writing 100,000 vectors takes about as long as adding
 * 500, so it costs ingestion a few percent. Below the minimum, replaying the log at the next start is quick anyway.
 */
export const snapshotShare = 0.1
const snapshotMinimum = 2_000

/** Closing writes one where replaying the changes would take longer (about 2 ms each, against 8 µs a vector). */
const closeShare = 0.004

/**
 * See `VectorCache`.
 * @throws INDEX_TOO_LARGE where the vectors do not fit in memory, ARCHIVE_DAMAGED without the space, USAGE where there is no such
 *   engine, ARCHIVE_BUSY where the engine cannot be reached
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
      notice(`the folder ${dir} cannot be written: the vector index stays in memory only`)
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

/** After the start there is a snapshot of the index, or none where its engine writes none: it would keep erased vectors. */
async function keepOneSnapshot(
  cache: VectorCache,
  { snapshot, index: { snapshots } }: StartedIndex,
  { dir, feed: { spaceId }, readOnly, notice }: CacheParts,
): Promise<void> {
  if (snapshot === 'loaded') return
  if (snapshots === undefined) {
    const hasFiles = snapshotBytesOnDisk(dir, spaceId) > 0 || snapshot === 'unusable'
    if (hasFiles && !readOnly) await removeSnapshot(dir, spaceId)
  } else if (readOnly) notice('the archive is read-only: the vector index is built again at each start')
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
 * The vector index of one descriptor space, which follows the table `descriptors` through its log of changes. SQLite is the
 * truth: the index may be behind it, and hits are to be checked against it. Searches may run at any time; everything that changes
 * the index runs one after the other and lets searches in between.
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

  /** Vectors that can be found. */
  get size(): number {
    return this.#size
  }

  /** Labels of rows that were met damaged: the index lacks their vectors. */
  get damagedLabels(): ReadonlySet<number> {
    return this.#parts.damagedLabels
  }

  /** As `VectorIndex.search`; see `searchWidening`. Throws VECTOR_INVALID, and ARCHIVE_BUSY where the engine cannot be reached. */
  search(queries: readonly Float32Array[], k: number): Promise<Neighbor[][]> {
    return this.#open.index.search(queries, k)
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

  /** Applies what was committed to SQLite since, and returns how many changes that were. Cheap where there are none. */
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
   * Catches up and writes a snapshot, if anything changed since the last. Vectors erased from SQLite before the call
   * are in no file of the folder after it. False where nothing was to be written.
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

  /** `snapshot` where a vector was erased or enough has changed; to be called after each segment or so. */
  async snapshotIfDue(): Promise<boolean> {
    const due = Math.max(snapshotMinimum, snapshotShare * this.size)
    return this.#unsavedErasures || this.#unsavedChanges >= due ? this.snapshot() : false
  }

  /**
   * Builds the index anew from SQLite where too much of it is erased, or where it has crossed the size between exact
   * and graph search, and writes a snapshot. Searches and `catchUp` go on with the old index meanwhile. Where memory
   * does not hold both, it says so and leaves the old one. True where the index was built anew.
   */
  compactIfNeeded(): Promise<boolean> {
    this.#rebuilding ??= this.#compact().finally(() => (this.#rebuilding = undefined))
    return this.#rebuilding
  }

  /** Waits for what is under way, and writes a snapshot where replaying the changes at the next start would take long. */
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

/** What engines are told of a space. Throws ARCHIVE_DAMAGED without it. */
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
