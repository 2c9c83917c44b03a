import { z } from 'zod'
import { isWhole } from './checksum.js'
import { parseColumn } from './json-column.js'
import type { PersonRow } from './people-rows.js'
import type { Database } from './sqlite.js'

/** What was done to people. `group`: tracks were grouped again. */
export type PeopleAction = 'group' | 'merge' | 'split' | 'name' | 'hide' | 'show'

/** An entry of the log. */
export interface PeopleChange {
  readonly changeId: number
  /** ISO 8601. */
  readonly at: string
  readonly action: PeopleAction
  readonly isUndone: boolean
  /** Whom it concerned. */
  readonly people: readonly number[]
  /** Number of tracks that it moved and that are still known. */
  readonly tracks: number
}

/** What is needed to undo a change. */
export interface ChangeDetails {
  /** The people that it concerned, as they were. */
  readonly before: readonly (Omit<PersonRow, 'name'> & { readonly existed: boolean })[]
  readonly moves: readonly { readonly trackId: number; readonly personId: number }[]
  readonly enrolled: readonly { readonly name: string; readonly source: string }[]
}

/** Says that two tracks show the same person, or two people. */
export interface StoredLink {
  readonly kind: 'must' | 'cannot'
  readonly a: number
  readonly b: number
}

interface ChangeRow {
  readonly changeId: number
  readonly at: string
  readonly action: PeopleAction
  readonly undone: number
  readonly people: string
  readonly tracks: number
}

const selectChanges = `SELECT change_id AS changeId, at, action, undone,
    (SELECT json_group_array(person_id) FROM people_before b WHERE b.change_id = c.change_id) AS people,
    (SELECT count(*) FROM people_moves m WHERE m.change_id = c.change_id) AS tracks
  FROM people_changes c`

/** The log of changes, and the corrections in it. Call what writes within the transaction of the change itself. */
export class PeopleChanges {
  readonly #database
  readonly #anchor
  readonly #before
  readonly #move
  readonly #link

  constructor(database: Database) {
    this.#database = database
    this.#anchor = database
      .prepare<[number], number>(
        `INSERT INTO people_anchors (clip_id, recipe, segment, number, spans, box, track_id)
         SELECT clip_id, recipe, segment, number, spans,
           (SELECT box FROM faces f WHERE f.track_id = tracks.track_id ORDER BY quality DESC LIMIT 1), track_id
         FROM tracks WHERE track_id = ?
         ON CONFLICT (clip_id, recipe, segment, number) DO UPDATE SET track_id = excluded.track_id
         RETURNING anchor_id`,
      )
      .pluck()
    this.#before = database.prepare<[number, number, number, number | null, number]>(
      `INSERT INTO people_before (change_id, person_id, existed, identity_id, hidden) VALUES (?, ?, ?, ?, ?)
       ON CONFLICT DO NOTHING`,
    )
    this.#move = database.prepare<[number, number, number]>(
      'INSERT INTO people_moves (change_id, anchor_id, person_id) VALUES (?, ?, ?) ON CONFLICT DO NOTHING',
    )
    this.#link = database.prepare<[number, number, number, string]>(
      'INSERT INTO people_links (change_id, a, b, kind) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING',
    )
  }

  /** Begins an entry and returns its number. */
  add(action: PeopleAction): number {
    return Number(
      this.#database
        .prepare('INSERT INTO people_changes (at, action) VALUES (?, ?)')
        .run(new Date().toISOString(), action).lastInsertRowid,
    )
  }

  /** Notes how a person was before the change. */
  concern(changeId: number, { personId, identityId, isHidden }: Omit<PersonRow, 'name'>): void {
    this.#before.run(changeId, personId, 1, identityId ?? null, isHidden ? 1 : 0)
  }

  /** Notes that the change made a person. */
  made(changeId: number, personId: number): void {
    this.#before.run(changeId, personId, 0, null, 0)
  }

  /** Notes whose track it was before the change. */
  moved(changeId: number, trackId: number, personId: number): void {
    const anchor = this.#anchor.get(trackId)
    if (anchor !== undefined) this.#move.run(changeId, anchor, personId)
  }

  link(changeId: number, { kind, a, b }: StoredLink): void {
    const [one, other] = [this.#anchor.get(a), this.#anchor.get(b)]
    if (one !== undefined && other !== undefined) this.#link.run(changeId, one, other, kind)
  }

  /** Notes that the change added faces of a clip to a name. */
  enrolled(changeId: number, identityId: number, clipId: string, source: string): void {
    this.#database
      .prepare(
        'INSERT INTO people_enrolled (change_id, identity_id, clip_id, source) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING',
      )
      .run(changeId, identityId, clipId, source)
  }

  /** Newest first. */
  list(limit: number): PeopleChange[] {
    return this.#database
      .prepare<[number], ChangeRow>(`${selectChanges} ORDER BY change_id DESC LIMIT ?`)
      .all(limit)
      .map(toChange)
  }

  get(changeId: number): PeopleChange | undefined {
    const row = this.#database
      .prepare<[number], ChangeRow>(`${selectChanges} WHERE change_id = ?`)
      .get(changeId)
    return row && toChange(row)
  }

  /** The newest change that was not undone. */
  last(): PeopleChange | undefined {
    const row = this.#database
      .prepare<[], ChangeRow>(`${selectChanges} WHERE undone = 0 ORDER BY change_id DESC LIMIT 1`)
      .get()
    return row && toChange(row)
  }

  /** The newest later change that concerns one of the same people and was not undone. */
  laterThan(changeId: number): number | undefined {
    return this.#database
      .prepare<[number, number], number>(
        `SELECT change_id FROM people_changes JOIN people_before USING (change_id)
         WHERE change_id > ? AND undone = 0
           AND person_id IN (SELECT person_id FROM people_before WHERE change_id = ?)
         ORDER BY change_id DESC LIMIT 1`,
      )
      .pluck()
      .get(changeId, changeId)
  }

  /** What of a change is still known; tracks of clips that are processed again are left out. */
  details(changeId: number): ChangeDetails {
    const before = this.#database
      .prepare<[number], { personId: number; existed: number; identityId: number | null; hidden: number }>(
        `SELECT person_id AS personId, existed, identity_id AS identityId, hidden FROM people_before
         WHERE change_id = ? AND ${isWhole('people_before')}`,
      )
      .all(changeId)
      .map(({ personId, existed, identityId, hidden }) => ({
        ...{ personId, existed: existed !== 0, identityId: identityId ?? undefined, isHidden: hidden !== 0 },
      }))
    const moves = this.#database
      .prepare<[number], { trackId: number; personId: number }>(
        `SELECT track_id AS trackId, m.person_id AS personId FROM people_moves m JOIN people_anchors USING (anchor_id)
         WHERE change_id = ? AND track_id IS NOT NULL AND ${isWhole('people_moves', 'm')}`,
      )
      .all(changeId)
    const enrolled = this.#database
      .prepare<[number], { name: string; source: string }>(
        `SELECT name, source FROM people_enrolled JOIN identities USING (identity_id) WHERE change_id = ?`,
      )
      .all(changeId)
    return { before, moves, enrolled }
  }

  /** Marks a change as undone, and deletes what it knew. */
  close(changeId: number): void {
    this.#database.prepare('UPDATE people_changes SET undone = 1 WHERE change_id = ?').run(changeId)
    for (const table of ['people_links', 'people_moves', 'people_enrolled'])
      this.#database.prepare(`DELETE FROM ${table} WHERE change_id = ?`).run(changeId)
  }

  /** Every correction whose tracks are there, newest first. */
  links(): StoredLink[] {
    return this.#database
      .prepare<[], StoredLink>(
        `SELECT kind, x.track_id AS a, y.track_id AS b
         FROM people_links l JOIN people_anchors x ON x.anchor_id = l.a JOIN people_anchors y ON y.anchor_id = l.b
         WHERE x.track_id IS NOT NULL AND y.track_id IS NOT NULL AND ${isWhole('people_links', 'l')}
         ORDER BY change_id DESC`,
      )
      .all()
  }
}

const peopleSchema = z.array(z.int())

const toChange = ({ changeId, at, action, undone, people, tracks }: ChangeRow): PeopleChange => ({
  ...{ changeId, at, action, isUndone: undone !== 0, tracks },
  people: parseColumn(peopleSchema, people, 'people of a change'),
})
