import type { DescriptorChange, DescriptorStore } from '../../store/descriptors.js'
import type { ChangeBatch, LabelledVector, VectorIndex } from '../vector-index.js'

/** The source of vectors. */
export interface FeedSource {
  readonly store: DescriptorStore
  readonly spaceId: number
  /** Called with the label of each row with a damaged vector. The vector is skipped. */
  readonly onDamaged: (label: number) => void
}

export interface Applied {
  /** The last applied row of `descriptor_changes`. */
  readonly lastChange: number
  readonly changes: number
  /** True if a vector was erased from an index in memory. */
  readonly erased: boolean
}

/** Number of changes read from SQLite at once: 1 MB at 512 dimensions. */
const pageSize = 512

/**
 * Adds all live descriptors to an empty index. Returns the number of the change up to which the index is complete.
 * @param count number of descriptors for which memory is reserved
 * @throws INDEX_TOO_LARGE
 */
export async function fillIndex(source: FeedSource, index: VectorIndex, count: number): Promise<number> {
  const { store, spaceId } = source
  // Read this before the rows. Changes made while the rows are read are applied again later, which does no harm.
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

/**
 * Applies the changes after number `after`. Applying a change twice does no harm.
 * @throws INDEX_TOO_LARGE, ARCHIVE_DAMAGED
 */
export async function applyChanges(source: FeedSource, index: VectorIndex, after: number): Promise<Applied> {
  const { store, spaceId } = source
  // Changes of other spaces also increase the number.
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

/** Applies a batch. Returns true if an index in memory has fewer vectors afterwards. */
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
