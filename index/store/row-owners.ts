import type { CheckedTable } from './checksum.js'
import { isPeopleTable } from './people-anchors.js'
import type { Database } from './sqlite.js'

export interface Owner {
  readonly clipId?: string
  readonly trackId?: number
  readonly name?: string
}

/** Finds the owners of a row. Empty if they cannot be determined. */
export type Owners = (table: CheckedTable, row: Readonly<Record<string, unknown>>) => Owner[]

/**
 * The key of a damaged row may itself be damaged. Indexes contain a second copy of some keys. If the copies differ,
 * both owners are reported. `+` keeps SQLite from using the key itself.
 */
const secondCopies: Partial<Record<CheckedTable, { readonly key: string; readonly sql: string }>> = {
  tracks: {
    key: 'track_id',
    sql: 'SELECT clip_id FROM tracks INDEXED BY sqlite_autoindex_tracks_1 WHERE +track_id = ?',
  },
  faces: { key: 'face_id', sql: 'SELECT track_id FROM faces INDEXED BY faces_track WHERE +face_id = ?' },
  descriptors: {
    key: 'label',
    sql: 'SELECT track_id FROM descriptors INDEXED BY descriptors_track WHERE +label = ?',
  },
  identities: {
    key: 'identity_id',
    sql: 'SELECT name FROM identities INDEXED BY sqlite_autoindex_identities_1 WHERE +identity_id = ?',
  },
  reference_faces: {
    key: 'reference_id',
    sql: 'SELECT identity_id FROM reference_faces INDEXED BY reference_faces_identity WHERE +reference_id = ?',
  },
}

/** Tables with rows that affect only one track. */
const trackTables: ReadonlySet<CheckedTable> = new Set([
  'tracks',
  'faces',
  'embeddings',
  'thumbnails',
  'descriptors',
])

/** Tables with rows that affect only one name. */
const nameTables: ReadonlySet<CheckedTable> = new Set([
  'reference_faces',
  'reference_pictures',
  'identity_aliases',
  'corrections',
])

export function createOwners(database: Database): Owners {
  const pluck = (sql: string) => database.prepare<[unknown]>(sql).pluck()
  const selectClip = pluck('SELECT clip_id FROM clips WHERE clip_id = ?')
  const selectClipOfTrack = pluck('SELECT clip_id FROM tracks WHERE track_id = ?')
  const selectTrackOfFace = pluck('SELECT track_id FROM faces WHERE face_id = ?')
  const selectName = pluck('SELECT name FROM identities WHERE identity_id = ?')

  const clipOf = (clipId: unknown, trackId?: unknown): Owner[] => {
    const known = selectClip.get(clipId ?? null)
    if (typeof known !== 'string') return []
    return [{ clipId: known, ...(typeof trackId === 'number' ? { trackId } : {}) }]
  }

  function ownersBy(table: CheckedTable, row: Readonly<Record<string, unknown>>): Owner[] {
    if (isPeopleTable(table)) return []
    if (table === 'identities') return typeof row.name === 'string' ? [{ name: row.name }] : []
    if (nameTables.has(table)) {
      const name = selectName.get(row.identity_id ?? null)
      return typeof name === 'string' ? [{ name }] : []
    }
    const trackId = table === 'embeddings' ? selectTrackOfFace.get(row.face_id ?? null) : row.track_id
    if (!trackTables.has(table)) return clipOf(row.clip_id)
    return clipOf(table === 'tracks' ? row.clip_id : selectClipOfTrack.get(trackId ?? null), trackId)
  }

  return (table, row) => {
    const copy = secondCopies[table]
    const owners = ownersBy(table, row)
    if (copy === undefined) return owners
    const column = /^SELECT (\w+)/.exec(copy.sql)?.[1] ?? ''
    const second = pluck(copy.sql).get(row[copy.key])
    if (second === undefined || second === row[column]) return owners
    return [...owners, ...ownersBy(table, { ...row, [column]: second })]
  }
}
