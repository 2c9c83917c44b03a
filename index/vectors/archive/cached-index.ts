import { CameoError } from '../../../pipeline/common/errors.js'
import { ExactIndex } from '../exact/exact-index.js'
import {
  defaultHnswParameters,
  HnswIndex,
  vectorIndexBytes,
  type HnswParameters,
} from '../hnsw/hnsw-index.js'
import type { Database } from '../../store/sqlite.js'
import { createDescriptorStore } from '../../store/descriptors.js'
import { readMeta } from '../../store/meta.js'
import type { Neighbor, VectorIndex } from '../vector-index.js'
import {
  applyChanges,
  buildIndex,
  refuseTooLarge,
  type FeedSource,
  type IndexKind,
  type LocalIndex,
} from './sync-from-store.js'
import { vectorRowsBytes } from '../sign-codes/vector-rows.js'
import {
  canWriteTo,
  loadSnapshot,
  removeSnapshot,
  snapshotBytesOnDisk,
  writeSnapshot,
  type SnapshotSubject,
} from '../hnsw/snapshot.js'

export interface VectorCacheOptions {
  readonly database: Database
  readonly spaceId: number
  /** Folder of the snapshots; made when the first is written. One process at a time should write there. */
  readonly dir: string
  /** Never write snapshots. Also so where the database was opened read-only or the folder cannot be written. */
  readonly readOnly?: boolean
  /** Called with a sentence for the user: a snapshot was damaged, the index is rebuilt or stays in memory. */
  readonly onNotice?: (message: string) => void
  readonly exactUpTo?: number
  readonly parameters?: HnswParameters
  /** Memory the index may take; by default what the machine has available. */
  readonly maxBytes?: number
}

export interface VectorCacheStats {
  readonly kind: IndexKind
  readonly dimension: number
  /** Vectors that can be found. */
  readonly size: number
  /** Erased vectors that still take a place in the graph, until it is compacted. */
  readonly erased: number
  readonly lastChange: number
  /** Changes applied since the snapshot on disk; 0 in exact search, which needs none. */
  readonly unsavedChanges: number
  readonly memoryBytes: number
  readonly snapshotBytes: number
  readonly readOnly: boolean
}

/**
 * Up to this many vectors, exact search: at 512 dimensions it takes 3 ms, about as long as the graph does, is exact,
 * and needs no snapshot, because reading so many rows takes less than half a second.
 */
export const defaultExactUpTo = 10_000

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

/** See `VectorCache`. Throws INDEX_TOO_LARGE where the vectors do not fit in memory, ARCHIVE_DAMAGED without the space. */
export async function openVectorCache(options: VectorCacheOptions): Promise<VectorCache> {
  const cache = new VectorCache(options)
  await cache.load()
  return cache
}

/**
 * The vector index of one descriptor space, a cache of the table `descriptors`. Searches are synchronous and may run
 * at any time; everything that changes the index runs one after the other and lets searches in between.
 */
export class VectorCache implements Pick<VectorIndex, 'dimension' | 'size' | 'search'> {
  readonly dimension: number
  readonly #options: VectorCacheOptions
  readonly #source: FeedSource
  readonly #subject: SnapshotSubject
  readonly #exactUpTo: number
  #index: LocalIndex
  #lastChange = 0
  #unsavedChanges = 0
  #unsavedErasures = false
  #readOnly: boolean
  #queue: Promise<unknown> = Promise.resolve()
  #rebuilding: Promise<boolean> | undefined
  readonly #damagedLabels = new Set<number>()

  /** Use `openVectorCache`. */
  constructor(options: VectorCacheOptions) {
    this.#options = options
    this.#subject = subjectOf(options)
    const { dimension, parameters } = this.#subject
    this.dimension = dimension
    this.#source = {
      store: createDescriptorStore(options.database),
      spaceId: options.spaceId,
      dimension,
      parameters,
      maxBytes: options.maxBytes,
      onDamaged: (label) => void this.#damagedLabels.add(label),
    }
    this.#exactUpTo = options.exactUpTo ?? defaultExactUpTo
    this.#readOnly = options.readOnly === true || options.database.readonly
    this.#index = new ExactIndex(this.dimension)
  }

  /** Called once, by `openVectorCache`. */
  async load(): Promise<void> {
    const { dir, spaceId } = this.#options
    if (!this.#readOnly && !(await canWriteTo(dir))) {
      this.#readOnly = true
      this.#notice(`the folder ${dir} cannot be written: the vector index stays in memory only`)
    }
    const snapshot = await loadSnapshot(dir, this.#subject, this.#source.store.lastChange(), (count) =>
      refuseTooLarge(this.#source, count),
    )
    if (snapshot.kind === 'loaded' && (await this.#continueFrom(snapshot.index, snapshot.lastChange))) return
    if (snapshot.kind === 'unusable')
      this.#notice(`the snapshot of the vector index ${snapshot.reason}: rebuilt from the archive`)
    const count = this.#source.store.count(spaceId)
    const { index, lastChange } = await buildIndex(this.#source, this.#kindFor(count), count)
    this.#index = index
    this.#lastChange = lastChange
    this.#unsavedChanges = index.size
    await this.catchUp()
    if (this.#readOnly) {
      if (index instanceof HnswIndex)
        this.#notice('the archive is read-only: the vector index is built again at each start')
    } else if (this.#index instanceof HnswIndex) await this.snapshot()
    else if (snapshotBytesOnDisk(dir, spaceId) > 0 || snapshot.kind === 'unusable')
      await removeSnapshot(dir, spaceId)
  }

  /** Applies to a snapshot what changed since. False where that is not known: the log of changes is damaged. */
  async #continueFrom(index: LocalIndex, lastChange: number): Promise<boolean> {
    this.#index = index
    this.#lastChange = lastChange
    try {
      await this.catchUp()
      return true
    } catch (error) {
      if (!(error instanceof CameoError) || error.code !== 'ARCHIVE_DAMAGED') throw error
      if (index instanceof HnswIndex) index.close()
      this.#notice(`${error.message}: the vector index is rebuilt from the archive`)
      return false
    }
  }

  get size(): number {
    return this.#index.size
  }

  /** Labels of rows that were met damaged: the index lacks their vectors. */
  get damagedLabels(): ReadonlySet<number> {
    return this.#damagedLabels
  }

  /** Up to `k` neighbours, best first, ties by label; see `searchWidening`. Throws VECTOR_INVALID. */
  search(query: Float32Array, k: number): Neighbor[] {
    return this.#index.search(query, k)
  }

  stats(): VectorCacheStats {
    const index = this.#index
    const exact = index instanceof ExactIndex
    return {
      kind: exact ? 'exact' : 'hnsw',
      dimension: this.dimension,
      size: index.size,
      erased: exact ? 0 : index.erased,
      lastChange: this.#lastChange,
      unsavedChanges: exact ? 0 : this.#unsavedChanges,
      memoryBytes: exact
        ? vectorRowsBytes(index.size, this.dimension)
        : vectorIndexBytes(index.size + index.erased, this.dimension, this.#subject.parameters),
      snapshotBytes: snapshotBytesOnDisk(this.#options.dir, this.#options.spaceId),
      readOnly: this.#readOnly,
    }
  }

  /** Applies what was committed to SQLite since, and returns how many changes that were. Cheap where there are none. */
  catchUp(): Promise<number> {
    return this.#inTurn(() => this.#apply())
  }

  async #apply(): Promise<number> {
    const before = this.#lastChange
    if (this.#source.store.lastChange() === before) return 0
    const applied = await applyChanges(this.#source, this.#index, before)
    this.#lastChange = applied.lastChange
    this.#unsavedChanges += applied.changes
    this.#unsavedErasures ||= applied.erased
    return applied.changes
  }

  /**
   * Catches up and writes a snapshot, if anything changed since the last. Vectors erased from SQLite before the call
   * are in no file of the folder after it. False where nothing was to be written.
   */
  async snapshot(): Promise<boolean> {
    await this.catchUp()
    return this.#inTurn(async () => {
      const index = this.#index
      if (this.#readOnly || !(index instanceof HnswIndex) || this.#unsavedChanges === 0) return false
      await writeSnapshot(this.#options.dir, this.#subject, async () => {
        await this.#apply()
        return { index, lastChange: this.#lastChange }
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
    if (this.#unsavedErasures || this.#unsavedChanges > closeShare * this.size) await this.snapshot()
    await this.#inTurn(() => {
      if (this.#index instanceof HnswIndex) this.#index.close()
      this.#index = new ExactIndex(this.dimension)
      return Promise.resolve()
    })
  }

  async #compact(): Promise<boolean> {
    const old = this.#index
    const kind: IndexKind = old instanceof ExactIndex ? 'exact' : 'hnsw'
    const next = this.#kindFor(old.size, kind)
    const crowded = old instanceof HnswIndex && old.erased > maxErasedShare * (old.size + old.erased)
    if (next === kind && !crowded) return false
    let built: { index: LocalIndex; lastChange: number }
    try {
      built = await buildIndex(this.#source, next, old.size)
    } catch (error) {
      if (!(error instanceof CameoError) || error.code !== 'INDEX_TOO_LARGE') throw error
      this.#notice(`the vector index is not compacted: ${error.message}`)
      return false
    }
    await this.#inTurn(async () => {
      const applied = await applyChanges(this.#source, built.index, built.lastChange)
      this.#index = built.index
      this.#lastChange = applied.lastChange
      this.#unsavedChanges = built.index.size + 1
      if (old instanceof HnswIndex) old.close()
      if (next === 'exact' && !this.#readOnly) await removeSnapshot(this.#options.dir, this.#options.spaceId)
    })
    await this.snapshot()
    return true
  }

  /** Exact search up to the limit; a graph is kept until only half of it is left, so that it does not flip. */
  #kindFor(size: number, now: IndexKind = 'exact'): IndexKind {
    return size > (now === 'exact' ? this.#exactUpTo : this.#exactUpTo / 2) ? 'hnsw' : 'exact'
  }

  #notice(message: string): void {
    this.#options.onNotice?.(message)
  }

  /** Runs `work` after everything that was asked for before, whether that succeeded or not. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#queue.then(work, work)
    this.#queue = result.catch(() => undefined)
    return result
  }
}

function subjectOf(options: VectorCacheOptions): SnapshotSubject {
  const space = options.database
    .prepare<[number], { digest: string; dimension: number }>(
      'SELECT digest, dimension FROM spaces WHERE space_id = ?',
    )
    .get(options.spaceId)
  const archiveId = readMeta(options.database, 'archive_id')
  if (space === undefined || archiveId === undefined)
    throw new CameoError('ARCHIVE_DAMAGED', `the archive has no descriptor space ${options.spaceId}`)
  return {
    archiveId,
    spaceId: options.spaceId,
    spaceDigest: space.digest,
    dimension: space.dimension,
    parameters: options.parameters ?? defaultHnswParameters,
  }
}
