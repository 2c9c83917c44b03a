import type { FileStamp } from './file-facts.js'
import type { Database } from './sqlite.js'

/** Identifies a file by its root and its path below the root. */
export interface PathKey {
  readonly rootId: number
  readonly relativePath: string
}

type Row = readonly [
  rootId: number,
  relativePath: string,
  clipId: string | null,
  device: string,
  inode: string,
  sizeBytes: number,
  mtimeNs: string,
  ctimeNs: string | null,
]

/** Writes the rows of `paths`. Statements are prepared once. */
export class PathWrites {
  readonly #insert
  readonly #upsert
  readonly #updateFailure
  readonly #clearFailures
  readonly #delete

  constructor(database: Database) {
    const insert = `INSERT INTO paths (root_id, relative_path, clip_id, device, inode, size_bytes, mtime_ns, ctime_ns)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?)`
    this.#insert = database.prepare<[...Row]>(`${insert} ON CONFLICT DO NOTHING`)
    this.#upsert = database.prepare<[...Row]>(
      `${insert}
       ON CONFLICT (root_id, relative_path) DO UPDATE SET clip_id = excluded.clip_id, device = excluded.device,
         inode = excluded.inode, size_bytes = excluded.size_bytes, mtime_ns = excluded.mtime_ns,
         ctime_ns = excluded.ctime_ns`,
    )
    this.#updateFailure = database.prepare<[string | null, string | null, number, string]>(
      'UPDATE paths SET code = ?, message = ? WHERE root_id = ? AND relative_path = ?',
    )
    this.#clearFailures = database.prepare<[string]>(
      `UPDATE paths SET code = NULL, message = NULL
       WHERE clip_id = ? AND code NOT IN ('CLIP_CHANGED', 'CLIP_GONE')`,
    )
    this.#delete = database.prepare<[number, string]>(
      'DELETE FROM paths WHERE root_id = ? AND relative_path = ?',
    )
  }

  /** Adds a row if the file has none. */
  add(key: PathKey, stamp: FileStamp, clipId: string | null): void {
    this.#insert.run(...rowOf(key, stamp, clipId))
  }

  /** Adds a row, or replaces everything except the failure. */
  put(key: PathKey, stamp: FileStamp, clipId: string | null): void {
    this.#upsert.run(...rowOf(key, stamp, clipId))
  }

  /** Sets the failure of a file, or clears it. */
  setFailure(
    { rootId, relativePath }: PathKey,
    failure: { readonly code: string; readonly message: string } | undefined,
  ): void {
    this.#updateFailure.run(failure?.code ?? null, failure?.message ?? null, rootId, relativePath)
  }

  /** Clears the failures of a clip at all of its paths. Failures of a file itself (changed or missing) stay. */
  clearFailuresOf(clipId: string): void {
    this.#clearFailures.run(clipId)
  }

  remove({ rootId, relativePath }: PathKey): void {
    this.#delete.run(rootId, relativePath)
  }
}

const rowOf = (
  { rootId, relativePath }: PathKey,
  { device, inode, sizeBytes, mtimeNs, ctimeNs }: FileStamp,
  clipId: string | null,
): Row => [rootId, relativePath, clipId, device, inode, sizeBytes, mtimeNs, ctimeNs ?? null]
