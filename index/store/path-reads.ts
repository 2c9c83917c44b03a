import { isWhole } from './checksum.js'
import type { FileFailure, FileStamp, Place } from './file-facts.js'
import type { Database } from './sqlite.js'
import { wholePath } from './whole-path.js'

/** Reads the rows of `paths`. Statements are prepared once. */
export class PathReads {
  readonly #selectDigest
  readonly #selectPlaces
  readonly #selectDamaged
  readonly #selectOfRoot
  readonly #selectFailures
  readonly #selectFailedCount

  constructor(database: Database) {
    this.#selectDigest = database
      .prepare<[string, string, number, string, string | null, string], string>(
        `SELECT clip_id FROM paths WHERE inode = ? AND device = ? AND size_bytes = ? AND mtime_ns = ?
         AND clip_id IS NOT NULL AND ${isWhole('paths')} AND (ctime_ns IS ? OR (ctime_ns IS NULL AND EXISTS (
           SELECT 1 FROM clips WHERE clips.clip_id = paths.clip_id AND added_at > ?))) LIMIT 1`,
      )
      .pluck()
    this.#selectPlaces = database.prepare<[string], Omit<Place, 'path'> & { readonly root: string }>(
      `SELECT root_id AS rootId, roots.path AS root, relative_path AS relativePath, device
       FROM paths JOIN roots USING (root_id) WHERE clip_id = ? AND ${isWhole('paths')} AND ${isWhole('roots')}
       ORDER BY root_id, relative_path`,
    )
    this.#selectDamaged = database.prepare<[], { root: string; relativePath: string }>(
      `SELECT roots.path AS root, relative_path AS relativePath FROM paths JOIN roots USING (root_id)
       WHERE NOT ${isWhole('paths')}`,
    )
    this.#selectOfRoot = database.prepare<[number], { relativePath: string; clipId: string | null }>(
      `SELECT relative_path AS relativePath, CASE WHEN ${isWhole('paths')} THEN clip_id END AS clipId
       FROM paths WHERE root_id = ?`,
    )
    this.#selectFailures = database.prepare<
      [],
      { root: string; relativePath: string; clipId: string | null; code: string; message: string }
    >(
      `SELECT roots.path AS root, relative_path AS relativePath, clip_id AS clipId, code, message
       FROM paths JOIN roots USING (root_id) WHERE code IS NOT NULL ORDER BY root_id, relative_path`,
    )
    this.#selectFailedCount = database
      .prepare<[], number>('SELECT count(*) FROM paths WHERE code IS NOT NULL')
      .pluck()
  }

  /** The digest of the content of a file with this stamp. Undefined if no intact row has it. */
  digestOf({ inode, device, sizeBytes, mtimeNs, ctimeNs }: FileStamp): string | undefined {
    return this.#selectDigest.get(inode, device, sizeBytes, mtimeNs, ctimeNs ?? null, isoTime(ctimeNs))
  }

  /** The places of a clip, from intact rows, in order of roots and paths. */
  placesOf(clipId: string): Place[] {
    return this.#selectPlaces
      .all(clipId)
      .map(({ root, ...place }) => ({ ...place, path: wholePath(root, place.relativePath) }))
  }

  /** Paths in damaged rows. */
  damaged(): string[] {
    return this.#selectDamaged.all().map(({ root, relativePath }) => wholePath(root, relativePath))
  }

  /** Every file of a root. `clipId` is null if the row is damaged. */
  ofRoot(rootId: number): { relativePath: string; clipId: string | null }[] {
    return this.#selectOfRoot.all(rootId)
  }

  failures(): FileFailure[] {
    return this.#selectFailures
      .all()
      .map(({ root, relativePath, ...rest }) => ({ path: wholePath(root, relativePath), ...rest }))
  }

  countFailed(): number {
    return this.#selectFailedCount.get() ?? 0
  }
}

/**
 * A time in the format of `added_at`. If the time is unknown or invalid, returns a text that sorts after every time.
 */
export function isoTime(ctimeNs: string | undefined): string {
  const ms = ctimeNs === undefined ? NaN : Number(BigInt(ctimeNs) / 1_000_000n)
  return ms >= 0 && ms < yearTenThousandMs ? new Date(ms).toISOString() : '~'
}

/** From this time on, years have five digits, and dates no longer sort as text. */
const yearTenThousandMs = 253_402_300_800_000
