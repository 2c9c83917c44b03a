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
  /** The index worker that keeps this archive writes its snapshots: it is waited for. */
  readonly hasFollower: boolean
  /** Told once what is waited for. */
  readonly onWait?: (message: string) => void
  readonly onNotice?: (message: string) => void
}

const tryAgainAfterMs = 100

/** What still holds erased bytes, as it is told to people, and what is waited for. */
const holders = {
  log: 'in its write-ahead log, because another process reads the archive',
  snapshots: 'in the snapshot of its vector index, which is written anew',
  engine: 'in its vector engine, which cannot be reached',
} as const

/**
 * Returns when no file of the archive holds what was erased from it, at once where nothing is pending. The rows of an erasure are
 * gone when its transaction is; this sees to the snapshots of vectors, to an engine that stores them elsewhere, and to SQLite's log.
 * @throws ERASURE_PENDING where another process is in the way for longer; call it again to finish the erasure
 */
export async function finishErasure(archive: Archive, options: FinishOptions): Promise<void> {
  const { database } = archive
  let hasTold = false
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
        `what was erased is in no answer any more, but its bytes still stand in ${archive.dir}, ${holders[holder]}; ` +
          'end that process or wait for it, then finish the erasure',
        { details: { remedy: 'finish-erasure', archive: archive.dir } },
      )
    if (!hasTold) options.onWait?.(`waiting: what was erased still stands ${holders[holder]}`)
    hasTold = true
    await sleep(Math.min(tryAgainAfterMs, options.waitMs))
  }
}

async function clean(archive: Archive, options: FinishOptions): Promise<keyof typeof holders | undefined> {
  if (!(await cleanSnapshots(archive, options))) return 'snapshots'
  if (!(await cleanEngine(archive, options))) return 'engine'
  return emptyLog(archive.database) ? undefined : 'log'
}

/** True where no snapshot has a vector any more that was erased. */
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

/** True where an engine with storage of its own has no vector any more that was erased. */
async function cleanEngine(archive: Archive, { onNotice }: FinishOptions): Promise<boolean> {
  const engine = vectorEngineOf(archive)
  const active = activeSpace(archive.database)
  if (isBuiltIn(engine) || active === undefined) return true
  const others = spacesOf(archive.database).flatMap(({ spaceId }) =>
    spaceId === active.spaceId ? [] : [spaceId],
  )
  try {
    await removeFromEngine(archive, engine, others)
    // Opening it applies what was erased.
    await (await openArchiveIndex(archive, onNotice === undefined ? {} : { onNotice })).close()
    return true
  } catch (error) {
    if (!(error instanceof CameoError) || error.code !== 'ARCHIVE_BUSY') throw error
    return false
  }
}

/** Spaces whose snapshot was written before one of its labels was erased. */
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
    // What is no more than a cache is not kept for a machine with more memory.
    await removeSnapshot(vectorsDir(archive.dir), spaceId)
  }
}
