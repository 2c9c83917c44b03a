import { statSync } from 'node:fs'
import type { FileStamp } from '../../index/store/file-facts.js'
import { fileError } from '../../pipeline/decode/clip-file.js'
import { clipName } from '../../pipeline/common/display-name.js'
import { CameoError } from '../../pipeline/common/errors.js'

/** For files that could not even be looked at. */
export const unknownStamp: FileStamp = { device: '', inode: '', sizeBytes: 0, mtimeNs: '' }

/** The device of what is fetched from elsewhere. In place of a time it has a version, such as an entity tag. */
export const remoteDevice = 'remote'

/** To which SMB, some NFS and copies round times: of FILETIME 100 ns, µs, ms, s. */
const roundedToNs = [100n, 1_000n, 1_000_000n, 1_000_000_000n]

/** What tells the file apart now. Throws CLIP_GONE, CLIP_UNREADABLE. */
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

/** On another machine the same file has another device, and may have another inode and time of the node's change. */
export const isSameContent = (a: FileStamp, b: FileStamp): boolean =>
  a.sizeBytes === b.sizeBytes &&
  (a.device === remoteDevice ? a.mtimeNs === b.mtimeNs : isSameTime(a.mtimeNs, b.mtimeNs))

/** Nanoseconds as text, compared at the coarser precision of the two: another machine's mount may have rounded one. */
export function isSameTime(a: string, b: string): boolean {
  if (a === b) return true
  if (!/^\d+$/.test(a) || !/^\d+$/.test(b)) return false
  const [aNs, bNs] = [BigInt(a), BigInt(b)]
  return roundedToNs.some(
    (unitNs) => (aNs % unitNs === 0n || bNs % unitNs === 0n) && aNs / unitNs === bNs / unitNs,
  )
}

/**
 * Throws CLIP_CHANGED where the file is another than it was: by the same mount, so its times are exactly the same. Who only renames
 * it or links to it meanwhile cannot be told from who writes it and sets its time back.
 */
export function checkUnchanged({ path, stamp }: { readonly path: string; readonly stamp: FileStamp }): void {
  const now = stampOf(path)
  const isSame = (['sizeBytes', 'mtimeNs', 'ctimeNs', 'inode'] as const).every(
    (field) => now[field] === stamp[field],
  )
  if (!isSame)
    throw new CameoError(
      'CLIP_CHANGED',
      `${clipName(path)} changed while it was read: run ingest again when it is complete`,
    )
}
