import { isAbsolute, join, relative, sep } from 'node:path'
import { isWhole } from './checksum.js'
import type { Database } from './sqlite.js'

/** What tells a file apart without reading it. Numbers as text: inodes and nanoseconds exceed a double. */
export interface FileStamp {
  readonly device: string
  readonly inode: string
  readonly sizeBytes: number
  readonly mtimeNs: string
  /**
   * When the file's node changed, which `cp -p` and `touch` cannot set back; a new name or link changes it, too. Absent where none is
   * known, as of what is fetched.
   */
  readonly ctimeNs?: string | undefined
}

export interface FileFailure {
  readonly path: string
  readonly clipId: string | null
  readonly code: string
  readonly message: string
}

/** A path that a content was met at. */
export interface Place {
  readonly rootId: number
  readonly relativePath: string
  /** The two joined; a URL where the root is one. */
  readonly path: string
  /** Of the file's stamp. */
  readonly device: string
}

/** Where clips lie: paths under roots, with the digests that were read once. */
export interface FileStore {
  /**
   * The root under which a folder's files are kept: the folder itself, or a root above it that is known already. A new root
   * takes over those below it, so that a file has one row: ids of roots below are then no longer valid.
   */
  rootFor(folder: string): { readonly rootId: number; readonly path: string }
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

/** The path of a file, of `paths JOIN roots USING (root_id)`; one root may be "/". */
export const wholePathSql = "rtrim(roots.path, '/') || '/' || relative_path"

/** After these a file does not hold what it held before. */
const otherContent: ReadonlySet<string> = new Set(['CLIP_EMPTY', 'CLIP_CHANGED'])

export function createFileStore(database: Database): FileStore {
  const selectRoots = database.prepare<[], { rootId: number; path: string }>(
    'SELECT root_id AS rootId, path FROM roots',
  )
  const insertRoot = database.prepare<[string]>('INSERT INTO roots (path) VALUES (?)')
  const takeOverPaths = database.prepare<[number, string, number]>(
    'UPDATE paths SET root_id = ?, relative_path = ? || relative_path WHERE root_id = ?',
  )
  const deleteRoot = database.prepare<[number]>('DELETE FROM roots WHERE root_id = ?')
  const selectDigest = database
    .prepare<[string, string, number, string, string | null, string], string>(
      `SELECT clip_id FROM paths WHERE inode = ? AND device = ? AND size_bytes = ? AND mtime_ns = ?
       AND clip_id IS NOT NULL AND ${isWhole('paths')} AND (ctime_ns IS ? OR (ctime_ns IS NULL AND EXISTS (
         SELECT 1 FROM clips WHERE clips.clip_id = paths.clip_id AND added_at > ?))) LIMIT 1`,
    )
    .pluck()
  const insert = `INSERT INTO paths (root_id, relative_path, clip_id, device, inode, size_bytes, mtime_ns, ctime_ns)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?)`
  const insertUnknown = database.prepare(`${insert} ON CONFLICT DO NOTHING`)
  const upsert = database.prepare(
    `${insert}
     ON CONFLICT (root_id, relative_path) DO UPDATE SET clip_id = excluded.clip_id, device = excluded.device,
       inode = excluded.inode, size_bytes = excluded.size_bytes, mtime_ns = excluded.mtime_ns,
       ctime_ns = excluded.ctime_ns`,
  )
  const updateFailure = database.prepare(
    'UPDATE paths SET code = ?, message = ? WHERE root_id = ? AND relative_path = ?',
  )
  const clearFailures = database.prepare<[string]>(
    `UPDATE paths SET code = NULL, message = NULL
     WHERE clip_id = ? AND code NOT IN ('CLIP_CHANGED', 'CLIP_GONE')`,
  )
  const selectPlaces = database.prepare<[string], Omit<Place, 'path'> & { readonly root: string }>(
    `SELECT root_id AS rootId, roots.path AS root, relative_path AS relativePath, device
     FROM paths JOIN roots USING (root_id) WHERE clip_id = ? AND ${isWhole('paths')} AND ${isWhole('roots')}
     ORDER BY root_id, relative_path`,
  )
  const selectDamaged = database.prepare<[], { root: string; relativePath: string }>(
    `SELECT roots.path AS root, relative_path AS relativePath FROM paths JOIN roots USING (root_id)
     WHERE NOT ${isWhole('paths')}`,
  )
  const selectBelow = database.prepare<[number], { relativePath: string; clipId: string | null }>(
    `SELECT relative_path AS relativePath, CASE WHEN ${isWhole('paths')} THEN clip_id END AS clipId
     FROM paths WHERE root_id = ?`,
  )
  const deletePath = database.prepare<[number, string]>(
    'DELETE FROM paths WHERE root_id = ? AND relative_path = ?',
  )
  const selectFailures = database.prepare<
    [],
    { root: string; relativePath: string; clipId: string | null; code: string; message: string }
  >(
    `SELECT roots.path AS root, relative_path AS relativePath, clip_id AS clipId, code, message
     FROM paths JOIN roots USING (root_id) WHERE code IS NOT NULL ORDER BY root_id, relative_path`,
  )
  const selectFailedCount = database
    .prepare<[], number>('SELECT count(*) FROM paths WHERE code IS NOT NULL')
    .pluck()
  const makeRoot = database.transaction((path: string) => {
    const rootId = Number(insertRoot.run(path).lastInsertRowid)
    for (const root of selectRoots.all()) {
      const way = wayFrom(path, root.path)
      if (root.rootId === rootId || way === undefined) continue
      takeOverPaths.run(rootId, `${way}${isUrl(path) ? '/' : sep}`, root.rootId)
      deleteRoot.run(root.rootId)
    }
    return { rootId, path }
  })
  const placesOf = (clipId: string) =>
    selectPlaces
      .all(clipId)
      .map(({ root, ...place }) => ({ ...place, path: wholePath(root, place.relativePath) }))
  return {
    rootFor: (folder) =>
      selectRoots.all().find(({ path }) => wayFrom(path, folder) !== undefined) ?? makeRoot(folder),
    knownDigest: ({ inode, device, sizeBytes, mtimeNs, ctimeNs }) =>
      selectDigest.get(inode, device, sizeBytes, mtimeNs, ctimeNs ?? null, isoTime(ctimeNs)),
    record(rootId, relativePath, { device, inode, sizeBytes, mtimeNs, ctimeNs }, clipId) {
      upsert.run(rootId, relativePath, clipId, device, inode, sizeBytes, mtimeNs, ctimeNs ?? null)
    },
    recordFailed(rootId, relativePath, { device, inode, sizeBytes, mtimeNs, ctimeNs }, { code, message }) {
      const write = otherContent.has(code) ? upsert : insertUnknown
      write.run(rootId, relativePath, null, device, inode, sizeBytes, mtimeNs, ctimeNs ?? null)
      updateFailure.run(code, message, rootId, relativePath)
    },
    recordFound(rootId, relativePath, sizeBytes) {
      insertUnknown.run(rootId, relativePath, null, '', '', sizeBytes, '', null)
    },
    setFailure(rootId, relativePath, failure) {
      updateFailure.run(failure?.code ?? null, failure?.message ?? null, rootId, relativePath)
    },
    clearFailuresOf(clipId) {
      clearFailures.run(clipId)
    },
    damagedPaths: () => selectDamaged.all().map(({ root, relativePath }) => wholePath(root, relativePath)),
    pathsOf: (clipId) => placesOf(clipId).map(({ path }) => path),
    placesOf,
    pathsBelow: (rootId, prefix) =>
      selectBelow
        .all(rootId)
        .filter(
          ({ relativePath }) =>
            prefix === '' || relativePath === prefix || relativePath.startsWith(prefix + sep),
        ),
    removePath(rootId, relativePath) {
      deletePath.run(rootId, relativePath)
    },
    failures: () =>
      selectFailures
        .all()
        .map(({ root, relativePath, ...rest }) => ({ path: wholePath(root, relativePath), ...rest })),
    countFailed: () => selectFailedCount.get() ?? 0,
  }
}

/** As `added_at` stands in the archive; later than any such where no time is known, or none that a clock shows. */
function isoTime(ctimeNs: string | undefined): string {
  const ms = ctimeNs === undefined ? NaN : Number(BigInt(ctimeNs) / 1_000_000n)
  return ms >= 0 && ms < yearTenThousandMs ? new Date(ms).toISOString() : '~'
}

/** From then on years have five digits, and dates are not in the order of their letters. */
const yearTenThousandMs = 253_402_300_800_000

/** True of what is fetched; all else is a path. */
export const isUrl = (uri: string) => /^[a-z][a-z0-9+.-]*:\/\//i.test(uri)

/** From a root down to a folder, '' where they are the same; undefined where the folder lies elsewhere. */
function wayFrom(root: string, folder: string): string | undefined {
  if (isUrl(root) !== isUrl(folder)) return undefined
  const way = isUrl(root) ? urlWay(root, folder) : relative(root, folder)
  return way === undefined || way === '..' || way.startsWith('..' + sep) || isAbsolute(way) ? undefined : way
}

function urlWay(root: string, folder: string): string | undefined {
  const base = root.replace(/\/$/, '')
  if (folder.replace(/\/$/, '') === base) return ''
  return folder.startsWith(`${base}/`) ? folder.slice(base.length + 1) : undefined
}

/** Of a file below its root. A root may be a URL, of which `join` would make a path. */
export function wholePath(root: string, relativePath: string): string {
  return isUrl(root) ? `${root.replace(/\/$/, '')}/${relativePath}` : join(root, relativePath)
}
