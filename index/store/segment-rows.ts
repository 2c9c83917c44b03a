import type { SegmentOutput, SegmentSpan } from '../../pipeline/segments/segment.js'
import { parseGaps } from './clip-columns.js'
import type { Failure, Run, RunKey } from './clip-facts.js'
import { rowCountSql } from './schema.js'
import type { Database } from './sqlite.js'

/** The rows of `segments`, stored or failed. Statements are prepared once. */
export class SegmentRows {
  readonly #selectStored
  readonly #countDone
  readonly #countDoneAt
  readonly #selectGaps
  readonly #selectFailure
  readonly #sumLookedAt
  readonly #upsert
  readonly #countRows
  readonly #deleteFailed

  constructor(database: Database) {
    const ofRun = 'FROM segments WHERE clip_id = ? AND recipe = ?'
    this.#selectStored = database.prepare<[string, string], number>(`SELECT segment ${ofRun}`).pluck()
    this.#countDone = database
      .prepare<[string, string], number>(`SELECT count(*) ${ofRun} AND state = 'done'`)
      .pluck()
    this.#countDoneAt = database
      .prepare<[string, string, number], number>(
        `SELECT count(*) ${ofRun} AND segment = ? AND state = 'done'`,
      )
      .pluck()
    this.#selectGaps = database
      .prepare<[string, string], string>(`SELECT gaps ${ofRun} AND gaps IS NOT NULL ORDER BY segment`)
      .pluck()
    this.#selectFailure = database.prepare<[string, string], Failure>(
      `SELECT code, message ${ofRun} AND state = 'failed' ORDER BY segment LIMIT 1`,
    )
    this.#sumLookedAt = database.prepare<[string, string], Pick<Run, 'frames' | 'faces'>>(
      `SELECT coalesce(sum(frames), 0) AS frames, coalesce(sum(faces), 0) AS faces ${ofRun}`,
    )
    this.#upsert = database.prepare(
      `INSERT OR REPLACE INTO segments
       (clip_id, recipe, segment, start_s, end_s, state, frames, faces, truncated, code, message, gaps)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    )
    this.#countRows = database.prepare<[string, string, number]>(
      `UPDATE segments SET row_count = ${rowCountSql} WHERE clip_id = ? AND recipe = ? AND segment = ?`,
    )
    this.#deleteFailed = database.prepare<[string, string]>(`DELETE ${ofRun} AND state = 'failed'`)
  }

  /** Numbers of the segments that have a row. */
  stored({ clipId, recipe }: RunKey): number[] {
    return this.#selectStored.all(clipId, recipe)
  }

  /** Totals of the segments stored so far. */
  progressOf(key: RunKey): Pick<Run, 'stored' | 'frames' | 'faces' | 'lostS'> {
    return {
      stored: new Set(this.stored(key)),
      ...(this.#sumLookedAt.get(key.clipId, key.recipe) ?? { frames: 0, faces: 0 }),
      lostS: this.gapsOf(key).reduce((sum, [startS, endS]) => sum + endS - startS, 0),
    }
  }

  /** Stretches that could not be decoded, in order, in seconds. */
  gapsOf({ clipId, recipe }: RunKey): readonly (readonly [startS: number, endS: number])[] {
    return this.#selectGaps.all(clipId, recipe).flatMap(parseGaps)
  }

  countDone({ clipId, recipe }: RunKey): number {
    return this.#countDone.get(clipId, recipe) ?? 0
  }

  isDone({ clipId, recipe }: RunKey, segment: number): boolean {
    return (this.#countDoneAt.get(clipId, recipe, segment) ?? 0) > 0
  }

  /** The failure of the first failed segment. */
  firstFailure({ clipId, recipe }: RunKey): Failure | undefined {
    return this.#selectFailure.get(clipId, recipe)
  }

  /** Writes the row of a segment and counts its dependent rows. Its tracks must already be written. */
  putDone({ clipId, recipe }: RunKey, output: SegmentOutput): void {
    const { segment, frames, faces, truncated, gapsS } = output
    const gaps = gapsS === undefined ? null : JSON.stringify(gapsS)
    const found = [frames, faces, truncated ? 1 : 0]
    this.#upsert.run(clipId, recipe, ...placeOf(segment), 'done', ...found, null, null, gaps)
    this.#countRows.run(clipId, recipe, segment.index)
  }

  /** Writes the row of a failed segment. */
  putFailed({ clipId, recipe }: RunKey, segment: SegmentSpan, { code, message }: Failure): void {
    this.#upsert.run(clipId, recipe, ...placeOf(segment), 'failed', 0, 0, 0, code, message, null)
  }

  /** Deletes the rows of failed segments. Returns true if there were any. */
  deleteFailed({ clipId, recipe }: RunKey): boolean {
    return this.#deleteFailed.run(clipId, recipe).changes > 0
  }
}

/** The last segment ends with the clip. The time of that end may be unknown. */
const placeOf = ({ index, startS, endS }: SegmentSpan) =>
  [index, startS, Number.isFinite(endS) ? endS : null] as const
