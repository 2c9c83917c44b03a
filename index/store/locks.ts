import { setTimeout as sleep } from 'node:timers/promises'
import { CameoError } from '../../pipeline/common/errors.js'
import { isLocked, lockFile, type FileLock } from './database.js'

const ingestLock = 'ingest.lock'
const followerLock = 'follower.lock'
const snapshotsLock = 'snapshots.lock'

const tryAgainAfterMs = 100
/** Forgetting a clip of a large archive writes its vectors anew; a snapshot is written within seconds. */
const waitMs = 120_000
/** A follower takes two locks, and is known by the second. */
const followerWithinMs = 2000

/**
 * The right to write clips into an archive, for one process at a time; searching goes on meanwhile.
 * @throws ARCHIVE_BUSY
 */
export function lockArchive(archiveDir: string): FileLock {
  return lockFile(archiveDir, ingestLock)
}

/**
 * The same right for a process that takes erasures in its stride, as the index worker does: it looks before every clip
 * whether it was forgotten, and takes erased vectors out of the snapshot by itself. Waits for a command that is about to be
 * done, but not for another follower; `onWait` is told once.
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
 * Undefined where a follower holds the archive: then erasing needs no lock.
 * @throws ARCHIVE_BUSY where another process does
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
 * The right to exchange the files of vector snapshots in this folder, for one process at a time; waits for it.
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

/** Whether an index worker keeps the archive. */
export const hasFollower = (archiveDir: string): boolean => isLocked(archiveDir, followerLock)
