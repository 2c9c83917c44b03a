import { setTimeout as sleep } from 'node:timers/promises'
import { CameoError } from '../../pipeline/common/errors.js'
import { isLocked, lockFile, type FileLock } from './database.js'

const ingestLock = 'ingest.lock'
const followerLock = 'follower.lock'
const snapshotsLock = 'snapshots.lock'
const peopleLock = 'people.lock'
const erasureLock = 'erasure.lock'

const tryAgainAfterMs = 100
/**
 * Forgetting a clip rewrites the vectors of the archive. Even for a large archive, a snapshot is written within
 * seconds.
 */
const waitMs = 120_000
/** A follower takes two locks, and is recognised by the second one. */
const followerWithinMs = 2000

/**
 * Locks an archive for writing clips: one process at a time. Searches can still run.
 * @throws ARCHIVE_BUSY
 */
export function lockArchive(archiveDir: string): FileLock {
  return lockFile(archiveDir, ingestLock)
}

/**
 * The same lock for a process that allows erasures while it runs, like the index worker. Such a process checks before
 * every clip whether the clip was forgotten, and removes erased vectors from the snapshot itself. Waits for a running
 * command, but not for another follower. Calls `onWait` once.
 * @throws ARCHIVE_BUSY at once or after two minutes
 */
export async function lockAsFollower(archiveDir: string, onWait: () => void): Promise<FileLock> {
  let hasWaited = false
  const archive = await untilFree(
    waitMs,
    () => lockArchive(archiveDir),
    (error) => {
      if (hasFollower(archiveDir)) throw error
      if (!hasWaited) onWait()
      hasWaited = true
    },
  )
  try {
    const follower = lockFile(archiveDir, followerLock)
    return {
      release() {
        follower.release()
        archive.release()
      },
    }
  } catch (error) {
    archive.release()
    throw error
  }
}

/**
 * Locks an archive for an erasure. Undefined if a follower holds the archive, because erasing then needs no lock.
 * @throws ARCHIVE_BUSY if another process holds it
 */
export async function lockForErasure(archiveDir: string): Promise<FileLock | undefined> {
  return untilFree(followerWithinMs, () => {
    try {
      return lockArchive(archiveDir)
    } catch (error) {
      if (isBusy(error) && hasFollower(archiveDir)) return undefined
      throw error
    }
  })
}

/**
 * Locks what is known about people without names: one change at a time. Clips may be added and erased meanwhile.
 * @throws ARCHIVE_BUSY
 */
export function lockPeople(archiveDir: string): FileLock {
  return lockFile(archiveDir, peopleLock)
}

/** Says that an erasure is running. Undefined if another one is: beside a follower, several may run. */
export function tryLockErasures(archiveDir: string): FileLock | undefined {
  try {
    return lockFile(archiveDir, erasureLock)
  } catch (error) {
    if (isBusy(error)) return undefined
    throw error
  }
}

/**
 * Locks the folder of the vector snapshots for replacing its files: one process at a time. Waits for the lock.
 * @throws ARCHIVE_BUSY after two minutes
 */
export async function lockSnapshots(dir: string): Promise<FileLock> {
  return untilFree(waitMs, () => lockFile(dir, snapshotsLock))
}

async function untilFree<T>(
  withinMs: number,
  attempt: () => T,
  onBusy: (error: unknown) => void = () => undefined,
): Promise<T> {
  for (const until = performance.now() + withinMs; ;) {
    try {
      return attempt()
    } catch (error) {
      if (!isBusy(error) || performance.now() > until) throw error
      onBusy(error)
    }
    await sleep(tryAgainAfterMs)
  }
}

const isBusy = (error: unknown): boolean => error instanceof CameoError && error.code === 'ARCHIVE_BUSY'

/** True if an index worker maintains the archive. */
export const hasFollower = (archiveDir: string): boolean => isLocked(archiveDir, followerLock)
