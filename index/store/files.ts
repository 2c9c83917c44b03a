import { sep } from 'node:path'
import type { FileFailure, FileStamp, Place } from './file-facts.js'
import { PathReads } from './path-reads.js'
import { PathWrites } from './path-writes.js'
import { RootRows, type Root } from './roots.js'
import type { Database } from './sqlite.js'

/** The paths of clips, relative to roots, with the known digests. */
export interface FileStore {
  /**
   * The root for the files of a folder: the folder itself, or a known root above it. A new root replaces the roots
   * below it, so that a file has one row. The ids of the replaced roots become invalid.
   */
  rootFor(folder: string): Root
  /**
   * The digest of the content, if this file (device, inode, size, times) was hashed before under any name. Rows from
   * before schema 4 have no inode change time. They are trusted if the inode changed before the clip was added to the
   * archive.
   */
  knownDigest(stamp: FileStamp): string | undefined
  record(rootId: number, relativePath: string, stamp: FileStamp, clipId: string): void
  /**
   * Records why the content of a file was not read. Keeps the facts from an earlier run, for example if a network
   * share is briefly unavailable, unless the failure means that the content has changed.
   */
  recordFailed(
    rootId: number,
    relativePath: string,
    stamp: FileStamp,
    failure: { readonly code: string; readonly message: string },
  ): void
  /** Records a file that was found, before it is opened. Known facts stay. */
  recordFound(rootId: number, relativePath: string, sizeBytes: number): void
  /** Sets the failure of a file, or clears it. */
  setFailure(
    rootId: number,
    relativePath: string,
    failure: { readonly code: string; readonly message: string } | undefined,
  ): void
  /** Clears the failures of a clip at all of its paths. Failures of a file itself (changed or missing) stay. */
  clearFailuresOf(clipId: string): void
  pathsOf(clipId: string): string[]
  placesOf(clipId: string): Place[]
  /** Paths in damaged rows. */
  damagedPaths(): string[]
  /** Recorded paths below a folder of a root, used to find missing files. `clipId` is null if the row is damaged. */
  pathsBelow(rootId: number, prefix: string): { relativePath: string; clipId: string | null }[]
  removePath(rootId: number, relativePath: string): void
  failures(): FileFailure[]
  countFailed(): number
}

/** Failures after which a file no longer has its earlier content. */
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
