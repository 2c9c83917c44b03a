import { isWhole } from './checksum.js'
import { parseLeftOut } from './clip-columns.js'
import type { ClipFacts } from './clip-facts.js'
import type { Database } from './sqlite.js'

/** The rows of `clips`. Statements are prepared once. */
export class ClipRows {
  readonly #upsert
  readonly #selectLeftOut
  readonly #selectDuration
  readonly #selectDamaged
  readonly #deleteWithoutRun
  readonly #deleteWithoutPath
  /** Deletes from each table separately, because a row that links two of them may be lost. */
  readonly #deletes

  constructor(database: Database) {
    this.#upsert = database.prepare(
      `INSERT INTO clips (clip_id, size_bytes, duration_s, width_px, height_px, codec, container, added_at, left_out)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (clip_id) DO UPDATE SET duration_s = excluded.duration_s, width_px = excluded.width_px,
         height_px = excluded.height_px, codec = excluded.codec, left_out = excluded.left_out`,
    )
    this.#selectLeftOut = database
      .prepare<[string], string | null>('SELECT left_out FROM clips WHERE clip_id = ?')
      .pluck()
    this.#selectDuration = database
      .prepare<[string], number | null>('SELECT duration_s FROM clips WHERE clip_id = ?')
      .pluck()
    const damagedRows = (['clips', 'runs', 'segments'] as const).map(
      (table) => `UNION ALL SELECT 1 FROM ${table} WHERE clip_id = @clipId AND NOT ${isWhole(table)}`,
    )
    this.#selectDamaged = database.prepare<{ readonly clipId: string }>(
      `SELECT 1 FROM damaged_clips WHERE clip_id = @clipId ${damagedRows.join(' ')}`,
    )
    this.#deleteWithoutRun = database.prepare<[string]>(
      'DELETE FROM clips WHERE clip_id = ? AND NOT EXISTS (SELECT 1 FROM runs WHERE runs.clip_id = clips.clip_id)',
    )
    this.#deleteWithoutPath = (['clips', 'alerts', 'alerts_due', 'unnamed_erased'] as const).map((table) =>
      database.prepare<[]>(
        `DELETE FROM ${table} WHERE NOT EXISTS (SELECT 1 FROM paths WHERE paths.clip_id = ${table}.clip_id)`,
      ),
    )
    this.#deletes = ['runs', 'clips', 'damaged_clips'].map((table) =>
      database.prepare<[string]>(`DELETE FROM ${table} WHERE clip_id = ?`),
    )
  }

  /** Adds or updates a clip. An existing clip keeps its size, its container and the time at which it was added. */
  put(clipId: string, facts: ClipFacts): void {
    const { sizeBytes, durationS = null, widthPx, heightPx, codec, container, leftOut = [] } = facts
    const now = new Date().toISOString()
    const about = [sizeBytes, durationS, widthPx, heightPx, codec, container, now]
    this.#upsert.run(clipId, ...about, leftOut.length === 0 ? null : JSON.stringify(leftOut))
  }

  /** Sentences about content of the clip that is never examined. */
  leftOutOf(clipId: string): readonly string[] {
    return parseLeftOut(this.#selectLeftOut.get(clipId) ?? null)
  }

  /** In seconds. Undefined if it is not known. */
  durationOf(clipId: string): number | undefined {
    return this.#selectDuration.get(clipId) ?? undefined
  }

  /** True if the clip is marked as damaged, or its own rows are damaged. */
  isDamaged(clipId: string): boolean {
    return this.#selectDamaged.get({ clipId }) !== undefined
  }

  deleteWithoutRun(clipId: string): void {
    this.#deleteWithoutRun.run(clipId)
  }

  /** Also what is recorded about them. */
  deleteWithoutPath(): void {
    for (const statement of this.#deleteWithoutPath) statement.run()
  }

  /** Deletes a clip, its runs, and its damage mark. */
  deleteWithRuns(clipId: string): void {
    for (const statement of this.#deletes) statement.run(clipId)
  }
}
