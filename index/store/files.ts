import { sep } from 'node:path'
import type { FileFailure, FileStamp, Place } from './file-facts.js'
import { PathReads } from './path-reads.js'
import { PathWrites } from './path-writes.js'
import { RootRows, type Root } from './roots.js'
import type { Database } from './sqlite.js'

/** Where clips lie: paths under roots, with the digests that were read once. */
export interface FileStore {
  /**
   * The root under which a folder's files are kept: the folder itself, or a root above it that is known already. A new root
   * takes over those below it, so that a file has one row: ids of roots below are then no longer valid.
   */
  rootFor(folder: string): Root
  /**
   * The content's digest, if this very file (device, inode, size, times) was hashed before, under whatever name. Rows of before
   * schema 4 have no time of the node's change: they are trusted where that was before their clip came into the archive.
   */
  knownDigest(stamp: FileStamp): string | undefined
  record(rootId: number, relativePath: string, stamp: FileStamp, clipId: string): void
  /**
   * Notes why a file's content was not read. What an earlier run knew of it stays, as on a share that is away for a moment,
   * unless the failure tells that the content is another now.
   */
  recordFailed(
    rootId: number,
    relativePath: string,
    stamp: FileStamp,
    failure: { readonly code: string; readonly message: string },
  ): void
  /** Notes a file that was found, before it is opened; what is known of it already stays. */
  recordFound(rootId: number, relativePath: string, sizeBytes: number): void
  /** Marks or, without a failure, clears what is said of a file. */
  setFailure(
    rootId: number,
    relativePath: string,
    failure: { readonly code: string; readonly message: string } | undefined,
  ): void
  /** Clears what is said against a content wherever it lies; what is said of a file itself, changed or gone, stays. */
  clearFailuresOf(clipId: string): void
  pathsOf(clipId: string): string[]
  placesOf(clipId: string): Place[]
  /** Where files lie as rows say that are damaged. */
  damagedPaths(): string[]
  /** Paths recorded below a root's folder, to notice those that are gone; without a clip where the row is damaged. */
  pathsBelow(rootId: number, prefix: string): { relativePath: string; clipId: string | null }[]
  removePath(rootId: number, relativePath: string): void
  failures(): FileFailure[]
  countFailed(): number
}

/** After these a file does not hold what it held before. */
const otherContent: ReadonlySet<string> = new Set(['CLIP_EMPTY', 'CLIP_CHANGED'])

/** Statements are prepared once for the connection. */
export function createFileStore(database: Database): FileStore {
  const roots = new RootRows(database)
  const reads = new PathReads(database)
  const writes = new PathWrites(database)
  return {
    rootFor: (folder) => roots.holding(folder),
    knownDigest: (stamp) => reads.digestOf(stamp),
    record: (rootId, relativePath, stamp, clipId) => writes.put({ rootId, relativePath }, stamp, clipId),
    recordFailed(rootId, relativePath, stamp, failure) {
      const key = { rootId, relativePath }
      if (otherContent.has(failure.code)) writes.put(key, stamp, null)
      else writes.add(key, stamp, null)
      writes.setFailure(key, failure)
    },
    recordFound: (rootId, relativePath, sizeBytes) =>
      writes.add({ rootId, relativePath }, { device: '', inode: '', sizeBytes, mtimeNs: '' }, null),
    setFailure: (rootId, relativePath, failure) => writes.setFailure({ rootId, relativePath }, failure),
    clearFailuresOf: (clipId) => writes.clearFailuresOf(clipId),
    damagedPaths: () => reads.damaged(),
    pathsOf: (clipId) => reads.placesOf(clipId).map(({ path }) => path),
    placesOf: (clipId) => reads.placesOf(clipId),
    pathsBelow: (rootId, prefix) =>
      reads.ofRoot(rootId).filter(({ relativePath }) => isBelow(relativePath, prefix)),
    removePath: (rootId, relativePath) => writes.remove({ rootId, relativePath }),
    failures: () => reads.failures(),
    countFailed: () => reads.countFailed(),
  }
}

const isBelow = (path: string, prefix: string) =>
  prefix === '' || path === prefix || path.startsWith(prefix + sep)
