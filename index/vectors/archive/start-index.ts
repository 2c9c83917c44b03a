import { CameoError } from '../../../pipeline/common/errors.js'
import type { DurableChanges, VectorIndex } from '../vector-index.js'
import { openEngine, type EnginePlan, type NamedEngine } from './engine-plan.js'
import { applyChanges, fillIndex, type FeedSource } from './sync-from-store.js'

export interface IndexSource {
  readonly feed: FeedSource
  readonly plan: EnginePlan
  /** Called with sentences for the user. */
  readonly notice: (message: string) => void
}

/** An index that is up to date with the archive. */
export interface StartedIndex {
  readonly engine: NamedEngine
  readonly index: VectorIndex
  /** The last applied row of `descriptor_changes`. */
  readonly lastChange: number
  /** The state of the last snapshot. */
  readonly snapshot: 'loaded' | 'absent' | 'unusable'
  /** Number of changes since that snapshot. Without a snapshot, the number of all vectors. */
  readonly unsavedChanges: number
  readonly hasUnsavedErasures: boolean
}

/**
 * Restores the index of an archive from a snapshot or from the engine's own storage. If there is neither, builds it
 * from the archive's rows.
 * @throws INDEX_TOO_LARGE; ARCHIVE_BUSY if the engine cannot be reached
 */
export async function startIndex(source: IndexSource): Promise<StartedIndex> {
  const { feed, plan } = source
  const loaded = await fromSnapshot(source)
  if (typeof loaded === 'object') return loaded
  const engine = plan.engineFor(feed.store.count(feed.spaceId))
  const index = await openEngine(engine)
  const started = { engine, index, snapshot: loaded }
  return closingOnError(index, async () => {
    const resumed = index.durable && (await resume(source, index, index.durable))
    return { ...started, ...(resumed ?? (await filled(feed, index))) }
  })
}

async function fromSnapshot(source: IndexSource): Promise<StartedIndex | 'absent' | 'unusable'> {
  const newest = source.feed.store.lastChange()
  for (const engine of source.plan.engines) {
    const loaded = await engine.engine.load?.(newest)
    if (loaded === undefined || loaded.kind === 'absent') continue
    if (loaded.kind === 'unusable') {
      source.notice(`the snapshot of the vector index ${loaded.reason}: rebuilt from the archive`)
      return 'unusable'
    }
    const { index, lastChange } = loaded
    const followed = await closingOnError(index, () => follow(source, index, lastChange))
    if (followed !== undefined) return { engine, index, snapshot: 'loaded', ...followed }
    await index.close()
  }
  return 'absent'
}

type Progress = Pick<StartedIndex, 'lastChange' | 'unsavedChanges' | 'hasUnsavedErasures'>

/** Applies the changes after number `after`. Undefined if they are not known because the log of changes is damaged. */
async function follow(
  { feed, notice }: IndexSource,
  index: VectorIndex,
  after: number,
): Promise<Progress | undefined> {
  try {
    const { lastChange, changes, erased } = await applyChanges(feed, index, after)
    return { lastChange, unsavedChanges: changes, hasUnsavedErasures: erased }
  } catch (error) {
    if (!(error instanceof CameoError) || error.code !== 'ARCHIVE_DAMAGED') throw error
    notice(`${error.message}: the vector index is rebuilt from the archive`)
    return undefined
  }
}

/**
 * Continues from the state of the engine's storage, which any process may have written. For a new storage, applies
 * the whole log, including erasures, because the storage may contain vectors from an interrupted fill. Returns
 * undefined, with an empty storage, if the index must be filled from the rows.
 */
async function resume(
  source: IndexSource,
  index: VectorIndex,
  durable: DurableChanges,
): Promise<Progress | undefined> {
  // Read this before the archive's number: changes that other processes store later are also in the archive.
  const stored = await durable.lastChange()
  const isAhead = stored > source.feed.store.lastChange()
  if (isAhead)
    source.notice(
      'the vector engine is ahead of the archive, for example after a restored backup: it is filled again',
    )
  const followed = isAhead ? undefined : await follow(source, index, stored)
  if (followed === undefined) await durable.clear()
  return followed
}

async function filled(feed: FeedSource, index: VectorIndex): Promise<Progress> {
  const lastChange = await fillIndex(feed, index, feed.store.count(feed.spaceId))
  const unsavedChanges = await index.count()
  const since = await applyChanges(feed, index, lastChange)
  return {
    lastChange: since.lastChange,
    unsavedChanges: unsavedChanges + since.changes,
    hasUnsavedErasures: since.erased,
  }
}

/** Runs `work`, and closes the index if `work` fails. */
export async function closingOnError<T>(index: VectorIndex, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    // The first error is the one to report.
    await index.close().catch(() => undefined)
    throw error
  }
}
