import { z } from 'zod'
import { parseColumn } from './json-column.js'
import type { Database } from './sqlite.js'

/** `new`: not told yet. `waiting`: told, and still to be posted. */
export type AlertState = 'new' | 'waiting' | 'told'

const seenSchema = z.object({
  path: z.string(),
  score: z.number(),
  ranges: z.array(z.object({ startS: z.number(), endS: z.number() })),
})

/** An enrolled person was seen in a clip that was just ingested. */
export interface Alert {
  readonly clipId: string
  readonly name: string
  /** When it was noticed, ISO 8601. */
  readonly at: string
  /** Of the clip, absolute. */
  readonly path: string
  /** Cosine similarity of the best track to the name. */
  readonly score: number
  /** When the person is seen, in seconds of the clip. */
  readonly ranges: readonly { readonly startS: number; readonly endS: number }[]
}

/** The clip was ingested, and has to be looked at for names. Call it within the transaction that completes the clip. */
export function noteAlertDue(database: Database, clipId: string): void {
  database.prepare('INSERT INTO alerts_due (clip_id) VALUES (?) ON CONFLICT DO NOTHING').run(clipId)
}

export function clipsDueForAlerts(database: Database): string[] {
  return database.prepare<[], string>('SELECT clip_id FROM alerts_due ORDER BY clip_id').pluck().all()
}

/** Stores what was seen in a clip, and that it was looked at. A name that has an alert in the clip gets no second one. */
export function storeAlerts(database: Database, clipId: string, alerts: readonly Alert[]): void {
  const insert = database.prepare(
    `INSERT INTO alerts (clip_id, name, at, state, seen) VALUES (?, ?, ?, 'new', ?) ON CONFLICT DO NOTHING`,
  )
  for (const { name, at, path, score, ranges } of alerts)
    insert.run(clipId, name, at, JSON.stringify({ path, score, ranges }))
  database.prepare('DELETE FROM alerts_due WHERE clip_id = ?').run(clipId)
}

/** Alerts in a state, the earliest first. */
export function alertsIn(database: Database, state: Exclude<AlertState, 'told'>, limit: number): Alert[] {
  return database
    .prepare<[string, number], { clipId: string; name: string; at: string; seen: string }>(
      `SELECT clip_id AS clipId, name, at, seen FROM alerts WHERE state = ? ORDER BY at, clip_id, name LIMIT ?`,
    )
    .all(state, limit)
    .map(({ seen, ...alert }) => ({ ...alert, ...parseColumn(seenSchema, seen, 'what was seen') }))
}

export function countWaitingAlerts(database: Database): number {
  return (
    database.prepare<[], number>("SELECT count(*) FROM alerts WHERE state = 'waiting'").pluck().get() ?? 0
  )
}

/** Of an alert that is told everywhere, only that there was one stays. */
export function setAlertState(
  database: Database,
  { clipId, name }: Pick<Alert, 'clipId' | 'name'>,
  state: Exclude<AlertState, 'new'>,
): void {
  database
    .prepare(
      `UPDATE alerts SET state = @state, seen = CASE WHEN @state = 'told' THEN '{}' ELSE seen END
       WHERE clip_id = @clipId AND name = @name`,
    )
    .run({ clipId, name, state })
}

/** Deletes every alert of a clip. */
export function deleteAlertsOf(database: Database, clipId: string): void {
  for (const table of ['alerts', 'alerts_due'])
    database.prepare(`DELETE FROM ${table} WHERE clip_id = ?`).run(clipId)
}
