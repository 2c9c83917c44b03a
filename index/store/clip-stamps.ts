import { isWhole } from './checksum.js'
import type { FileStamp } from './file-facts.js'
import type { Database } from './sqlite.js'
import { wholePath } from './whole-path.js'

/** A file of a clip, and what identified it when its content was read. */
export interface StampedFile {
  /** A URL if its root is a URL. */
  readonly path: string
  readonly stamp: FileStamp
}

interface Row {
  readonly root: string
  readonly relativePath: string
  readonly device: string
  readonly inode: string
  readonly sizeBytes: number
  readonly mtimeNs: string
  readonly ctimeNs: string | null
}

/** The files of a clip, from intact rows, in order of roots and paths. */
export function stampedFilesOf(database: Database, clipId: string): StampedFile[] {
  return database
    .prepare<[string], Row>(
      `SELECT roots.path AS root, relative_path AS relativePath, device, inode, size_bytes AS sizeBytes,
              mtime_ns AS mtimeNs, ctime_ns AS ctimeNs
       FROM paths JOIN roots USING (root_id) WHERE clip_id = ? AND ${isWhole('paths')} AND ${isWhole('roots')}
       ORDER BY root_id, relative_path`,
    )
    .all(clipId)
    .map(({ root, relativePath, ctimeNs, ...stamp }) => ({
      path: wholePath(root, relativePath),
      stamp: { ...stamp, ...(ctimeNs === null ? {} : { ctimeNs }) },
    }))
}

/** The folders and URLs that contain the archive's files. */
export function rootPaths(database: Database): string[] {
  return database
    .prepare<[], string>(`SELECT path FROM roots WHERE ${isWhole('roots')} ORDER BY path`)
    .pluck()
    .all()
}
