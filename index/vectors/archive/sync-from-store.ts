import type { DescriptorChange, DescriptorStore } from '../../store/descriptors.js'
import type { ChangeBatch, LabelledVector, VectorIndex } from '../vector-index.js'

/** Where vectors come from. */
export interface FeedSource {
  readonly store: DescriptorStore
  readonly spaceId: number
  /** Told the label of each row whose vector is damaged; it is left out. */
  readonly onDamaged: (label: number) => void
}

export interface Applied {
  /** The last row of `descriptor_changes` that is applied. */
  readonly lastChange: number
  readonly changes: number
  /** True where a vector was erased from an index in memory. */
  readonly erased: boolean
}

/** Changes read from SQLite at once: 1 MB at 512 dimensions. */
const pageSize = 512

/**
 * Adds all live descriptors to an empty index, and returns the number of the change up to which it is complete.
 * @param count of the descriptors, for which room is made. Throws INDEX_TOO_LARGE.
 */
export async function fillIndex(source: FeedSource, index: VectorIndex, count: number): Promise<number> {
  const { store, spaceId } = source
  // Read before the rows: what changes while they are read is applied once more later, which does no harm.
  const lastChange = store.lastChange()
  await index.memory?.reserve(count)
  for (let label = -1; ;) {
    const { descriptors, next } = store.liveAfter(spaceId, label, pageSize)
    await applyBatch(index, { ...batchOf(descriptors, source), lastChange: undefined })
    if (next === undefined) break
    label = next
  }
  await index.durable?.apply({ add: [], erase: [], lastChange })
  return lastChange
}

/** Applies the changes after number `after`; applying one twice does no harm. Throws INDEX_TOO_LARGE, ARCHIVE_DAMAGED. */
export async function applyChanges(source: FeedSource, index: VectorIndex, after: number): Promise<Applied> {
  const { store, spaceId } = source
  // A change of another space moves the number on too.
  const newest = store.lastChange()
  let [lastChange, changes, erased] = [after, 0, false]
  for (;;) {
    const page = store.changesAfter(spaceId, lastChange, pageSize)
    const isLast = page.length < pageSize
    changes += page.length
    lastChange = page.at(-1)?.change ?? lastChange
    if (isLast) lastChange = Math.max(lastChange, newest)
    const hasErased = await applyBatch(index, { ...batchOf(page, source), lastChange })
    erased ||= hasErased
    if (isLast) return { lastChange, changes, erased }
  }
}

type Row = Pick<DescriptorChange, 'label' | 'vector'>

function batchOf(rows: readonly Row[], { onDamaged }: FeedSource): Pick<ChangeBatch, 'add' | 'erase'> {
  const add = new Map<number, LabelledVector>()
  const erase = new Set<number>()
  for (const { label, vector } of rows) {
    if (vector === 'erased') erase.add(label)
    else if (vector === 'damaged') onDamaged(label)
    else add.set(label, { label, vector })
  }
  return { add: [...add.values()], erase: [...erase] }
}

/** True where an index in memory has fewer vectors for it. */
async function applyBatch(index: VectorIndex, batch: ChangeBatch): Promise<boolean> {
  if (index.durable !== undefined) {
    await index.durable.apply(batch)
    return false
  }
  const known = await index.has(batch.add.map(({ label }) => label))
  await index.add(batch.add.filter((_, i) => known[i] !== true))
  const before = await index.count()
  await index.erase(batch.erase)
  return (await index.count()) < before
}
