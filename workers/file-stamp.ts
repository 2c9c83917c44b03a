import { statSync } from 'node:fs'
import type { FileStamp } from '../index/store/files.js'
import { fileError } from '../pipeline/decode/clip-file.js'
import { clipName } from '../pipeline/decode/clip-name.js'
import { CameoError } from '../pipeline/errors.js'

/** For files that could not even be looked at. */
export const unknownStamp: FileStamp = { device: '', inode: '', sizeBytes: 0, mtimeNs: '' }

/** What tells the file apart now. Throws CLIP_GONE, CLIP_UNREADABLE. */
export function stampOf(path: string): FileStamp {
  try {
    const { dev, ino, size, mtimeNs } = statSync(path, { bigint: true })
    return { device: `${dev}`, inode: `${ino}`, sizeBytes: Number(size), mtimeNs: `${mtimeNs}` }
  } catch (error) {
    throw fileError(path, error)
  }
}

/** On another machine the same file has another device, and may have another inode. */
export const isSameContent = (a: FileStamp, b: FileStamp): boolean =>
  a.sizeBytes === b.sizeBytes && a.mtimeNs === b.mtimeNs

/** Throws CLIP_CHANGED where the file is another than it was. */
export function checkUnchanged({ path, stamp }: { readonly path: string; readonly stamp: FileStamp }): void {
  const now = stampOf(path)
  if (!isSameContent(now, stamp) || now.inode !== stamp.inode)
    throw new CameoError(
      'CLIP_CHANGED',
      `${clipName(path)} changed while it was read: run ingest again when it is complete`,
    )
}
