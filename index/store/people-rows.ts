import { isWhole } from './checksum.js'
import type { Database } from './sqlite.js'

/** A person: a group of tracks. */
export interface PersonRow {
  readonly personId: number
  readonly identityId: number | undefined
  /** Undefined if the person has none. */
  readonly name: string | undefined
  readonly isHidden: boolean
}

/** A person in a list, with how many tracks and clips it has. */
export interface CountedPerson extends PersonRow {
  readonly tracks: number
  readonly clips: number
}

/** Which people are listed. */
export interface PeopleFilter {
  /** Also those who are hidden, or only them. Default: without them. */
  readonly hidden?: 'without' | 'with' | 'only'
  /** Only people with a name, or only those without. */
  readonly named?: boolean | undefined
  /** Only people with so many tracks or more. Default: 1. */
  readonly minTracks?: number
}

/** The place after which a page begins: people are in order of falling numbers of tracks, then of ids. */
export interface PeoplePlace {
  readonly tracks: number
  readonly personId: number
}

/** A track of a person. */
export interface MemberRow {
  readonly trackId: number
  readonly clipId: string
  /** JSON: [[startS, endS], …] */
  readonly spans: string
  /** Of the best face, 0..1. */
  readonly quality: number
}

interface Row {
  readonly personId: number
  readonly identityId: number | null
  readonly name: string | null
  readonly hidden: number
}

const selectPeople = `SELECT person_id AS personId, identity_id AS identityId, name, hidden
  FROM people LEFT JOIN identities USING (identity_id)`

/** People, and which tracks are theirs. Damaged rows count as absent. Statements are prepared once. */
export class PeopleRows {
  readonly #database
  readonly #select
  readonly #selectNamed
  readonly #selectOfTrack
  readonly #selectMembers
  readonly #insert
  readonly #restore
  readonly #put
  readonly #remove
  readonly #setIdentity
  readonly #setHidden
  readonly #count

  constructor(database: Database) {
    this.#database = database
    this.#select = database.prepare<[number], Row>(
      `${selectPeople} WHERE person_id = ? AND ${isWhole('people')}`,
    )
    this.#selectNamed = database.prepare<[number], Row>(
      `${selectPeople} WHERE identity_id = ? AND ${isWhole('people')} ORDER BY person_id`,
    )
    this.#selectOfTrack = database
      .prepare<[number], number>(
        `SELECT person_id FROM people_tracks WHERE track_id = ? AND ${isWhole('people_tracks')}`,
      )
      .pluck()
    this.#selectMembers = database.prepare<[number], MemberRow>(
      `SELECT track_id AS trackId, clip_id AS clipId, spans, quality FROM people_tracks JOIN tracks USING (track_id)
       WHERE person_id = ? AND ${isWhole('people_tracks')} ORDER BY quality DESC, track_id`,
    )
    this.#insert = database.prepare<[]>('INSERT INTO people DEFAULT VALUES')
    this.#restore = database.prepare<[number, number | null, number]>(
      `INSERT INTO people (person_id, identity_id, hidden) VALUES (?, ?, ?)
       ON CONFLICT (person_id) DO UPDATE SET identity_id = excluded.identity_id, hidden = excluded.hidden`,
    )
    // The track may have been deleted since it was read.
    this.#put = database.prepare<[number, number]>(
      `INSERT INTO people_tracks (track_id, person_id) SELECT track_id, ? FROM tracks WHERE track_id = ?
       ON CONFLICT (track_id) DO UPDATE SET person_id = excluded.person_id`,
    )
    this.#remove = database.prepare<[number]>('DELETE FROM people_tracks WHERE track_id = ?')
    this.#setIdentity = database.prepare<[number | null, number]>(
      'UPDATE people SET identity_id = ? WHERE person_id = ?',
    )
    this.#setHidden = database.prepare<[number, number]>('UPDATE people SET hidden = ? WHERE person_id = ?')
    this.#count = database
      .prepare<[], number>(
        'SELECT count(*) FROM people WHERE person_id IN (SELECT person_id FROM people_tracks)',
      )
      .pluck()
  }

  get(personId: number): PersonRow | undefined {
    const row = this.#select.get(personId)
    return row && toPerson(row)
  }

  /** The people that have the name of this identity. */
  withIdentity(identityId: number): PersonRow[] {
    return this.#selectNamed.all(identityId).map(toPerson)
  }

  /** The person that a track is of. */
  ofTrack(trackId: number): number | undefined {
    return this.#selectOfTrack.get(trackId)
  }

  /** The tracks of a person, best face first. */
  membersOf(personId: number): MemberRow[] {
    return this.#selectMembers.all(personId)
  }

  /** Number of people with tracks. */
  count(): number {
    return this.#count.get() ?? 0
  }

  /** Every person, by id. */
  all(): ReadonlyMap<number, PersonRow> {
    const rows = this.#database.prepare<[], Row>(`${selectPeople} WHERE ${isWhole('people')}`).all()
    return new Map(rows.map((row) => [row.personId, toPerson(row)]))
  }

  /** The person of every track that has one. */
  memberships(): ReadonlyMap<number, number> {
    const rows = this.#database
      .prepare<[], [number, number]>(
        `SELECT track_id, person_id FROM people_tracks WHERE ${isWhole('people_tracks')}`,
      )
      .raw()
    return new Map(rows.iterate())
  }

  /** Up to `limit` people after a place. */
  list(
    { hidden = 'without', named, minTracks = 1 }: PeopleFilter,
    after: PeoplePlace | undefined,
    limit: number,
  ): CountedPerson[] {
    const conditions = [
      isWhole('people'),
      ...(hidden === 'with' ? [] : [`hidden = ${hidden === 'only' ? 1 : 0}`]),
      ...(named === undefined ? [] : [`identity_id IS ${named ? 'NOT ' : ''}NULL`]),
      'tracks >= @minTracks',
      '(tracks < @tracks OR (tracks = @tracks AND person_id > @personId))',
    ]
    return this.#database
      .prepare<Record<string, number>, Row & { readonly tracks: number; readonly clips: number }>(
        `WITH counted AS MATERIALIZED (
           SELECT person_id, count(*) AS tracks, count(DISTINCT clip_id) AS clips
           FROM people_tracks JOIN tracks USING (track_id) WHERE ${isWhole('people_tracks')} GROUP BY person_id)
         SELECT person_id AS personId, identity_id AS identityId, name, hidden, tracks, clips
         FROM counted JOIN people USING (person_id) LEFT JOIN identities USING (identity_id)
         WHERE ${conditions.join(' AND ')} ORDER BY tracks DESC, person_id LIMIT @limit`,
      )
      .all({
        minTracks,
        tracks: after?.tracks ?? Number.MAX_SAFE_INTEGER,
        personId: after?.personId ?? 0,
        limit,
      })
      .map(({ tracks, clips, ...row }) => ({ ...toPerson(row), tracks, clips }))
  }

  /** The people after a place, counted by their tracks of some clips alone; those without such a track are left out. */
  listIn(
    clipIds: ReadonlySet<string>,
    { hidden = 'without', named, minTracks = 1 }: PeopleFilter,
    after: PeoplePlace | undefined,
  ): CountedPerson[] {
    const seen = this.#seenIn(clipIds)
    return [...this.all().values()]
      .flatMap((person) => {
        const own = seen.get(person.personId)
        return own === undefined ? [] : [{ ...person, tracks: own.tracks, clips: own.clips.size }]
      })
      .filter(
        ({ isHidden, identityId, tracks, personId }) =>
          (hidden === 'with' || isHidden === (hidden === 'only')) &&
          (named === undefined || (identityId !== undefined) === named) &&
          tracks >= minTracks &&
          (after === undefined ||
            tracks < after.tracks ||
            (tracks === after.tracks && personId > after.personId)),
      )
      .sort((a, b) => b.tracks - a.tracks || a.personId - b.personId)
  }

  #seenIn(clipIds: ReadonlySet<string>): ReadonlyMap<number, { tracks: number; clips: Set<string> }> {
    const rows = this.#database
      .prepare<[], [personId: number, clipId: string]>(
        `SELECT person_id, clip_id FROM people_tracks JOIN tracks USING (track_id) WHERE ${isWhole('people_tracks')}`,
      )
      .raw()
    const seen = new Map<number, { tracks: number; clips: Set<string> }>()
    for (const [personId, clipId] of rows.iterate()) {
      if (!clipIds.has(clipId)) continue
      const own = seen.get(personId) ?? { tracks: 0, clips: new Set<string>() }
      own.tracks++
      own.clips.add(clipId)
      seen.set(personId, own)
    }
    return seen
  }

  /** Makes a new person and returns its id. */
  add(): number {
    return Number(this.#insert.run().lastInsertRowid)
  }

  /** Makes a person again, or gives it back what it had. */
  restore({ personId, identityId, isHidden }: Omit<PersonRow, 'name'>): void {
    this.#restore.run(personId, identityId ?? null, isHidden ? 1 : 0)
  }

  /** Gives a track to a person. A person who loses the last track disappears. */
  put(trackId: number, personId: number): void {
    this.#put.run(personId, trackId)
  }

  remove(trackId: number): void {
    this.#remove.run(trackId)
  }

  /** Deletes people without tracks that wait for none. */
  removeEmpty(): void {
    this.#database.exec(
      `DELETE FROM people WHERE person_id NOT IN (SELECT person_id FROM people_tracks)
       AND person_id NOT IN (SELECT person_id FROM people_anchors WHERE person_id IS NOT NULL)`,
    )
  }

  setIdentity(personId: number, identityId: number | undefined): void {
    this.#setIdentity.run(identityId ?? null, personId)
  }

  setHidden(personId: number, isHidden: boolean): void {
    this.#setHidden.run(isHidden ? 1 : 0, personId)
  }
}

const toPerson = ({ personId, identityId, name, hidden }: Row): PersonRow => ({
  ...{ personId, identityId: identityId ?? undefined, name: name ?? undefined, isHidden: hidden !== 0 },
})
