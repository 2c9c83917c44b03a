import { CameoError } from '../../../pipeline/common/errors.js'
import { ExactIndex } from '../exact/exact-index.js'
import { HnswIndex, vectorIndexBytes, type HnswParameters } from '../hnsw/hnsw-index.js'
import type { DescriptorStore } from '../../store/descriptors.js'
import { counted } from '../../../pipeline/common/counted.js'

export type LocalIndex = ExactIndex | HnswIndex
export type IndexKind = 'exact' | 'hnsw'

/** Where vectors come from, and what the index of them may take. */
export interface FeedSource {
  readonly store: DescriptorStore
  readonly spaceId: number
  readonly dimension: number
  readonly parameters: HnswParameters
  /** Memory the index may take; by default what the machine has available. */
  readonly maxBytes: number | undefined
  /** Told the label of each row whose vector is damaged; it is left out. */
  readonly onDamaged: (label: number) => void
}

export interface Applied {
  /** The last row of `descriptor_changes` that is applied. */
  readonly lastChange: number
  readonly changes: number
  /** True where a vector was erased from the index. */
  readonly erased: boolean
}

/** Changes read from SQLite at once: 1 MB at 512 dimensions. */
const pageSize = 512

/** Other work of the event loop gets a turn after so long; adding one vector to a large graph takes 2 ms. */
const sliceMs = 20

/** Builds an index from the live descriptors. Throws INDEX_TOO_LARGE where `count` vectors do not fit in memory. */
export async function buildIndex(
  source: FeedSource,
  kind: IndexKind,
  count: number,
): Promise<{ readonly index: LocalIndex; readonly lastChange: number }> {
  const { store, spaceId, dimension, parameters } = source
  // Read before the rows: what changes while they are read is applied once more later, which does no harm.
  const lastChange = store.lastChange()
  if (kind === 'hnsw') refuseTooLarge(source, count)
  const index = kind === 'hnsw' ? HnswIndex.create(dimension, parameters) : new ExactIndex(dimension)
  if (index instanceof HnswIndex) index.reserve(count)
  const slice = createSlice()
  for (let label = -1; ;) {
    const { descriptors, next } = store.liveAfter(spaceId, label, pageSize)
    for (const row of descriptors) {
      if (row.vector === 'damaged') source.onDamaged(row.label)
      else index.add(row.label, row.vector)
      await slice.end()
    }
    if (next === undefined) return { index, lastChange }
    label = next
  }
}

/** Applies the changes after number `after`; applying one twice does no harm. Throws INDEX_TOO_LARGE. */
export async function applyChanges(source: FeedSource, index: LocalIndex, after: number): Promise<Applied> {
  const { store, spaceId } = source
  // A change of another space moves the number on too.
  const newest = store.lastChange()
  const slice = createSlice()
  let [lastChange, changes, erased] = [after, 0, false]
  for (;;) {
    const page = store.changesAfter(spaceId, lastChange, pageSize)
    for (const { label, vector } of page) {
      if (vector === 'erased') erased = index.erase(label) || erased
      else if (vector === 'damaged') source.onDamaged(label)
      else if (!index.has(label)) {
        if (index instanceof HnswIndex && index.isFull)
          refuseTooLarge(source, index.nextCapacity, index.capacity)
        index.add(label, vector)
      }
      await slice.end()
    }
    changes += page.length
    lastChange = page.at(-1)?.change ?? lastChange
    if (page.length < pageSize) return { lastChange: Math.max(lastChange, newest), changes, erased }
  }
}

/** Throws INDEX_TOO_LARGE where a graph of `count` vectors does not fit; there is room for `held` of them already. */
export function refuseTooLarge(
  { dimension, parameters, maxBytes }: Pick<FeedSource, 'dimension' | 'parameters' | 'maxBytes'>,
  count: number,
  held = 0,
): void {
  const needed = vectorIndexBytes(count, dimension, parameters)
  const available = maxBytes ?? process.availableMemory() + vectorIndexBytes(held, dimension, parameters)
  if (needed > available)
    throw new CameoError(
      'INDEX_TOO_LARGE',
      `a vector index of ${counted(count, 'track')} needs ${megabytes(needed)} of memory and ${megabytes(available)} ` +
        'are available: use a machine with more memory, or an external vector database',
    )
}

/** `end()` waits for other work of the event loop where the slice has lasted long enough. */
function createSlice(): { end(): Promise<void> | undefined } {
  let started = performance.now()
  return {
    end() {
      if (performance.now() - started < sliceMs) return undefined
      return new Promise((resolve) => {
        setImmediate(() => {
          started = performance.now()
          resolve()
        })
      })
    },
  }
}

function megabytes(bytes: number): string {
  return `${Math.ceil(bytes / 1e6)} MB`
}
