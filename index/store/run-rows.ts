import type { Run, RunKey, RunState } from './clip-facts.js'
import type { Database } from './sqlite.js'

/** The row of a run. */
export type StoredRun = Pick<Run, 'segments' | 'cuttable' | 'state' | 'truncated'>

interface Row {
  readonly segments: number
  readonly cuttable: number
  readonly state: RunState
  readonly truncated: number
}

export interface RunCounts {
  readonly clips: number
  readonly tracks: number
  readonly partial: number
}

/** The rows of `runs`: one per clip and recipe. Statements are prepared once. */
export class RunRows {
  readonly #insert
  readonly #select
  readonly #complete
  readonly #reopen
  readonly #delete
  readonly #deleteOthers
  readonly #counts

  constructor(database: Database) {
    this.#insert = database.prepare(
      `INSERT INTO runs (clip_id, recipe, segments, cuttable, state) VALUES (?, ?, ?, ?, 'working')
       ON CONFLICT DO NOTHING`,
    )
    this.#select = database.prepare<[string, string], Row>(
      'SELECT segments, cuttable, state, truncated FROM runs WHERE clip_id = ? AND recipe = ?',
    )
    this.#complete = database.prepare<[string, string]>(
      `UPDATE runs SET
         state = CASE WHEN EXISTS (SELECT 1 FROM segments s WHERE s.clip_id = runs.clip_id AND s.recipe = runs.recipe
           AND s.state = 'failed') THEN 'partial' ELSE 'done' END,
         truncated = EXISTS (SELECT 1 FROM segments s WHERE s.clip_id = runs.clip_id AND s.recipe = runs.recipe
           AND s.truncated)
       WHERE clip_id = ? AND recipe = ?
         AND segments = (SELECT count(*) FROM segments s WHERE s.clip_id = runs.clip_id AND s.recipe = runs.recipe)`,
    )
    this.#reopen = database.prepare<[string, string]>(
      `UPDATE runs SET state = 'working' WHERE clip_id = ? AND recipe = ?`,
    )
    this.#delete = database.prepare<[string, string]>('DELETE FROM runs WHERE clip_id = ? AND recipe = ?')
    this.#deleteOthers = database.prepare<[string, string]>(
      'DELETE FROM runs WHERE clip_id = ? AND recipe <> ?',
    )
    this.#counts = database.prepare<[], RunCounts>(
      `SELECT (SELECT count(DISTINCT clip_id) FROM runs WHERE state <> 'working') AS clips,
         (SELECT count(*) FROM tracks) AS tracks,
         (SELECT count(*) FROM runs WHERE state = 'partial') AS partial`,
    )
  }

  /** Adds a run with this number of segments. An existing run stays unchanged. */
  add({ clipId, recipe }: RunKey, segments: number, cuttable: boolean): void {
    this.#insert.run(clipId, recipe, segments, cuttable ? 1 : 0)
  }

  get({ clipId, recipe }: RunKey): StoredRun | undefined {
    const row = this.#select.get(clipId, recipe)
    return row && { ...row, cuttable: row.cuttable !== 0, truncated: row.truncated !== 0 }
  }

  /** Completes a run if every segment is stored or failed. Returns false if segments are missing. */
  complete({ clipId, recipe }: RunKey): boolean {
    return this.#complete.run(clipId, recipe).changes > 0
  }

  reopen({ clipId, recipe }: RunKey): void {
    this.#reopen.run(clipId, recipe)
  }

  delete({ clipId, recipe }: RunKey): void {
    this.#delete.run(clipId, recipe)
  }

  /** Deletes the runs of the clip under other recipes. */
  deleteOthers({ clipId, recipe }: RunKey): void {
    this.#deleteOthers.run(clipId, recipe)
  }

  counts(): RunCounts {
    return this.#counts.get() ?? { clips: 0, tracks: 0, partial: 0 }
  }
}

/** The state of every run, in order of clips. */
export const runStates = (database: Database): { readonly clipId: string; readonly state: RunState }[] =>
  database
    .prepare<[], { clipId: string; state: RunState }>(
      'SELECT clip_id AS clipId, state FROM runs ORDER BY clip_id, recipe',
    )
    .all()
