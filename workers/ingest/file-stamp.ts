import { statSync } from 'node:fs'
import type { FileStamp } from '../../index/store/file-facts.js'
import { fileError } from '../../pipeline/decode/clip-file.js'
import { clipName } from '../../pipeline/common/display-name.js'
import { CameoError } from '../../pipeline/common/errors.js'

/** For files that could not be inspected. */
export const unknownStamp: FileStamp = { device: '', inode: '', sizeBytes: 0, mtimeNs: '' }

/** The device of a fetched file. It has a version, for example an entity tag, instead of a time. */
export const remoteDevice = 'remote'

/** SMB, some NFS servers and copies round times to these steps: 100 ns (FILETIME), µs, ms, s. */
const roundedToNs = [100n, 1_000n, 1_000_000n, 1_000_000_000n]

/** What identifies the current version of the file. Throws CLIP_GONE, CLIP_UNREADABLE. */
export function stampOf(path: string): FileStamp {
  try {
    const { dev, ino, size, mtimeNs, ctimeNs } = statSync(path, { bigint: true })
    return {
      ...{ device: `${dev}`, inode: `${ino}`, sizeBytes: Number(size) },
      ...{ mtimeNs: `${mtimeNs}`, ctimeNs: `${ctimeNs}` },
    }
  } catch (error) {
    throw fileError(path, error)
  }
}

/**
 * On another machine the same file has another device, and can have another inode and inode change time
 * (ctime).
 */
export const isSameContent = (a: FileStamp, b: FileStamp): boolean =>
  a.sizeBytes === b.sizeBytes &&
  (a.device === remoteDevice ? a.mtimeNs === b.mtimeNs : isSameTime(a.mtimeNs, b.mtimeNs))

/**
 * Nanoseconds as text. Compares at the coarser precision of the two, because another machine's mount can
 * round times.
 */
export function isSameTime(a: string, b: string): boolean {
  if (a === b) return true
  if (!/^\d+$/.test(a) || !/^\d+$/.test(b)) return false
  const [aNs, bNs] = [BigInt(a), BigInt(b)]
  return roundedToNs.some(
    (unitNs) => (aNs % unitNs === 0n || bNs % unitNs === 0n) && aNs / unitNs === bNs / unitNs,
  )
}

/**
 * Throws CLIP_CHANGED if the file differs from the stamp. Both come from the same mount, so the times are
 * exactly equal for an unchanged file. A rename or a new link changes the ctime too; it cannot be told apart
 * from a write that resets the modification time.
 */
export function checkUnchanged({ path, stamp }: { readonly path: string; readonly stamp: FileStamp }): void {
  const now = stampOf(path)
  const isSame = (['sizeBytes', 'mtimeNs', 'ctimeNs', 'inode'] as const).every(
    (field) => now[field] === stamp[field],
  )
  if (!isSame)
    throw new CameoError(
      'CLIP_CHANGED',
      `${clipName(path)} changed while it was read: ingest it again when it is complete`,
    )
}
