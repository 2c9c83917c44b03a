import { setTimeout as sleep } from 'node:timers/promises'
import { CameoError } from '../../pipeline/common/errors.js'
import type { Archive } from './open-archive.js'
import { removeFromEngine, vectorEngineOf, vectorsDir } from './choose-engine.js'
import { openArchiveIndex } from './open-archive-index.js'
import type { Database } from '../store/sqlite.js'
import { emptyLog, endErasure, pendingErasure } from '../store/erasure.js'
import { activeSpace, spacesOf } from '../store/meta.js'
import { hasErasedSince } from '../store/spaces.js'
import { isBuiltIn } from '../vectors/archive/engine-plan.js'
import { removeSnapshot, removeStrayFiles, snapshotsIn } from '../vectors/hnsw/snapshot.js'

export interface FinishOptions {
  /** How long to wait for other processes. */
  readonly waitMs: number
  /** An index worker maintains this archive and writes its snapshots, so wait for it. */
  readonly hasFollower: boolean
  /** Called once with the reason for waiting. */
  readonly onWait?: (message: string) => void
  readonly onNotice?: (message: string) => void
}

const tryAgainAfterMs = 100

/** Where erased bytes may still be, and why. Used in messages. */
const holders = {
  log: 'in its write-ahead log, because another process reads the archive',
  snapshots: 'in the snapshot of its vector index, which must be rewritten',
  engine: 'in its vector engine, which cannot be reached',
} as const

/**
 * Returns when no file of the archive contains erased data. Returns at once if no erasure is pending. The transaction
 * of an erasure removes its rows. This function cleans the vector snapshots, an engine with its own storage, and
 * SQLite's log.
 * @throws ERASURE_PENDING if another process blocks it for longer than `waitMs`; call it again to finish the erasure
 */
export async function finishErasure(archive: Archive, options: FinishOptions): Promise<void> {
  const { database } = archive
  let hasReported = false
  for (const until = performance.now() + options.waitMs; ;) {
    const token = pendingErasure(database)
    if (token === undefined) return
    const holder = await clean(archive, options)
    if (holder === undefined) {
      endErasure(database, token)
      continue
    }
    if (performance.now() >= until)
      throw new CameoError(
        'ERASURE_PENDING',
        `the erased data no longer appears in answers, but its bytes are still in ${archive.dir}, ${holders[holder]}; ` +
          'end that process or wait for it, then finish the erasure',
        { details: { remedy: 'finish-erasure', archive: archive.dir } },
      )
    if (!hasReported) options.onWait?.(`waiting: the erased data is still ${holders[holder]}`)
    hasReported = true
    await sleep(Math.min(tryAgainAfterMs, options.waitMs))
  }
}

async function clean(archive: Archive, options: FinishOptions): Promise<keyof typeof holders | undefined> {
  if (!(await cleanSnapshots(archive, options))) return 'snapshots'
  if (!(await cleanEngine(archive, options))) return 'engine'
  return emptyLog(archive.database) ? undefined : 'log'
}

/** True if no snapshot contains an erased vector. */
async function cleanSnapshots(archive: Archive, { hasFollower, onNotice }: FinishOptions): Promise<boolean> {
  const { database } = archive
  const dir = vectorsDir(archive.dir)
  for (const spaceId of spacesWithErased(database, dir)) {
    if (spaceId !== activeSpace(database)?.spaceId) await removeSnapshot(dir, spaceId)
    else if (!hasFollower) await rewriteSnapshot(archive, spaceId, onNotice)
  }
  await removeStrayFiles(dir)
  return spacesWithErased(database, dir).length === 0
}

/** True if an engine with its own storage contains no erased vector. */
async function cleanEngine(archive: Archive, { onNotice }: FinishOptions): Promise<boolean> {
  const engine = vectorEngineOf(archive)
  const active = activeSpace(archive.database)
  if (isBuiltIn(engine) || active === undefined) return true
  const others = spacesOf(archive.database).flatMap(({ spaceId }) =>
    spaceId === active.spaceId ? [] : [spaceId],
  )
  try {
    await removeFromEngine(archive, engine, others)
    // Opening the index applies the erasures.
    await (await openArchiveIndex(archive, onNotice === undefined ? {} : { onNotice })).close()
    return true
  } catch (error) {
    if (!(error instanceof CameoError) || error.code !== 'ARCHIVE_BUSY') throw error
    return false
  }
}

/** Spaces with a snapshot that is older than an erasure in the space. */
function spacesWithErased(database: Database, dir: string): number[] {
  return snapshotsIn(dir).flatMap(({ spaceId, lastChange }) =>
    hasErasedSince(database, spaceId, lastChange) ? [spaceId] : [],
  )
}

async function rewriteSnapshot(
  archive: Archive,
  spaceId: number,
  onNotice: FinishOptions['onNotice'],
): Promise<void> {
  try {
    const index = await openArchiveIndex(archive, onNotice === undefined ? {} : { onNotice })
    try {
      await index.snapshot()
      await index.compactIfNeeded()
    } finally {
      await index.close()
    }
  } catch (error) {
    if (!(error instanceof CameoError) || error.code !== 'INDEX_TOO_LARGE') throw error
    // The snapshot is only a cache, so it is not kept for a machine with more memory.
    await removeSnapshot(vectorsDir(archive.dir), spaceId)
  }
}
