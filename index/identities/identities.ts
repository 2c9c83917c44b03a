import { quoted } from '../../pipeline/common/display-name.js'
import { CameoError } from '../../pipeline/common/errors.js'
import type { ExtraEmbedding } from '../../pipeline/embed/extra-embedders.js'
import type { FaceEmbeddings } from '../../pipeline/describe/pooled-input.js'
import { toBlob, toUint16 } from '../store/blobs.js'
import { isWhole } from '../store/checksum.js'
import type { Damage } from '../store/damage.js'
import type { Database } from '../store/sqlite.js'
import { noteErasure } from '../store/erasure.js'
import {
  appendJournal,
  eraseFromJournal,
  eraseSourceFromJournal,
  isPublished,
  lastJournalEntry,
} from '../store/journal.js'
import type { Embedding } from '../../pipeline/data/embedding.js'

/** A face that a name is enrolled with. */
export interface ReferenceFace {
  /** File it came from, as the person gave it. */
  readonly source: string
  readonly embedding: Embedding
  /** By further embedders. */
  readonly extraEmbeddings?: readonly ExtraEmbedding[]
  /** 0..1. */
  readonly quality: number
}

/** An enrolled name. */
export interface Identity {
  readonly name: string
  /** By the embedder that knows most of them. */
  readonly faces: number
}

/** Adds reference faces to a name, new or known; faces of the same source replace the earlier ones. */
export function enroll(
  database: Database,
  name: string,
  embedder: string,
  references: readonly ReferenceFace[],
): Identity {
  return database
    .transaction((): Identity => {
      database.prepare('INSERT INTO identities (name) VALUES (?) ON CONFLICT DO NOTHING').run(name)
      const identityId = identityIdOf(database, name)
      const remove = database.prepare(
        'DELETE FROM reference_faces WHERE identity_id = ? AND source = ? AND embedder = ?',
      )
      const insert = database.prepare(
        'INSERT INTO reference_faces (identity_id, source, embedder, norm, vector, quality) VALUES (?, ?, ?, ?, ?, ?)',
      )
      const rows = references.flatMap(({ source, embedding, quality, extraEmbeddings = [] }) =>
        [{ ...embedding, embedder }, ...extraEmbeddings].map((row) => ({ ...row, source, quality })),
      )
      for (const row of rows) remove.run(identityId, row.source, row.embedder)
      for (const { source, embedder: by, norm, float16, quality } of rows)
        insert.run(identityId, source, by, norm, toBlob(float16), quality)
      appendJournal(database, 'enroll', { name, sources: references.map(({ source }) => source) })
      const faces = listIdentities(database).find((identity) => identity.name === name)?.faces ?? 0
      return { name, faces }
    })
    .immediate()
}

/**
 * The reference faces of a name under this embedder, with what further ones made of them; those alone that have all of these,
 * where there are any. Sources of which a face is damaged are left out, which \`onDamage\` is told.
 * @throws NAME_UNKNOWN; ARCHIVE_DAMAGED where faces are lost, or none is left
 */
export function referencesOf(
  database: Database,
  name: string,
  embedder: string,
  further: readonly string[],
  onDamage: (damage: Damage) => void,
): FaceEmbeddings[] {
  const identityId = identityIdOf(database, name)
  const damaged = damagedSources(database, name, identityId)
  if (damaged.size > 0) onDamage({ name, what: 'reference_faces' })
  const selectRows = database.prepare<
    [number, string],
    { source: string; vector: Uint8Array; quality: number }
  >(
    'SELECT source, vector, quality FROM reference_faces WHERE identity_id = ? AND embedder = ? ORDER BY reference_id',
  )
  const select = {
    all: (id: number, by: string) => selectRows.all(id, by).filter(({ source }) => !damaged.has(source)),
  }
  const rows = select.all(identityId, embedder)
  if (rows.length === 0 && damaged.size > 0) throw damagedName(name)
  if (rows.length === 0)
    throw new CameoError(
      'NAME_UNKNOWN',
      `${quoted(name)} was enrolled with other models than the archive's: enroll the photos again`,
    )
  // Faces of a source are written in the same order for every embedder.
  const others = further.map((digest) => {
    const bySource = new Map<string, Uint16Array[]>()
    for (const { source, vector } of select.all(identityId, digest))
      bySource.set(source, [...(bySource.get(source) ?? []), toUint16(vector)])
    return { digest, bySource }
  })
  const faces = rows.map(({ source, vector, quality }) => ({
    ...{ float16: toUint16(vector), quality },
    extraEmbeddings: others.flatMap(({ digest, bySource }) => {
      const float16 = bySource.get(source)?.shift()
      return float16 === undefined ? [] : [{ embedder: digest, float16 }]
    }),
  }))
  const complete = faces.filter(({ extraEmbeddings }) => extraEmbeddings.length === further.length)
  return complete.length > 0 ? complete : faces
}

/** Sources of a name of which a face is damaged. Throws ARCHIVE_DAMAGED where one is lost. */
function damagedSources(database: Database, name: string, identityId: number): ReadonlySet<string> {
  const rows = database
    .prepare<[number], { source: string; isWhole: number; rowCount: number }>(
      `SELECT source, ${isWhole('reference_faces')} AS isWhole, row_count AS rowCount
       FROM reference_faces JOIN identities USING (identity_id) WHERE identity_id = ?`,
    )
    .all(identityId)
  if (rows.some(({ rowCount }) => rowCount !== rows.length)) throw damagedName(name)
  return new Set(rows.flatMap(({ source, isWhole }) => (isWhole === 0 ? [source] : [])))
}

const damagedName = (name: string) =>
  new CameoError(
    'ARCHIVE_DAMAGED',
    `what ${quoted(name)} was enrolled with is damaged: forget the name and enroll its photos again`,
  )

/** All reference faces of a name, of whatever embedder; none where it is unknown. */
export function referenceFacesOf(
  database: Database,
  name: string,
): (ReferenceFace & { readonly embedder: string })[] {
  return database
    .prepare<
      [string],
      { source: string; embedder: string; norm: number; vector: Uint8Array; quality: number }
    >(
      `SELECT source, embedder, norm, vector, quality FROM reference_faces JOIN identities USING (identity_id)
       WHERE name = ? AND ${isWhole('reference_faces')} ORDER BY reference_id`,
    )
    .all(name)
    .map(({ source, embedder, norm, vector, quality }) => ({
      ...{ source, embedder, quality },
      embedding: { float16: toUint16(vector), norm },
    }))
}

/** Whether a name has faces from this source. */
export function hasSource(database: Database, name: string, source: string): boolean {
  return (
    database
      .prepare(
        'SELECT 1 FROM reference_faces JOIN identities USING (identity_id) WHERE name = ? AND source = ? LIMIT 1',
      )
      .get(name, source) !== undefined
  )
}

/** Every source that a name has faces from. */
export function listSources(database: Database): { readonly name: string; readonly source: string }[] {
  return database
    .prepare<[], { name: string; source: string }>(
      'SELECT DISTINCT name, source FROM identities JOIN reference_faces USING (identity_id)',
    )
    .all()
}

export function listIdentities(database: Database): Identity[] {
  return database
    .prepare<[], Identity>(
      `SELECT name, coalesce(max(faces), 0) AS faces
       FROM identities LEFT JOIN (
         SELECT identity_id, count(*) AS faces FROM reference_faces GROUP BY identity_id, embedder
       ) USING (identity_id)
       GROUP BY identity_id ORDER BY name`,
    )
    .all()
}

/**
 * The same letters can be written as characters of one part or of several (NFC, NFD), which look the same.
 * @throws USAGE where nothing is left of it
 */
export function parseName(text: string): string {
  const name = text.normalize('NFC').trim()
  if (name === '') throw new CameoError('USAGE', 'the name is empty')
  return name
}

/** A name as it is enrolled: an archive may hold one that was stored before names were brought into one form. */
export function knownName(database: Database, name: string): string {
  const names = listIdentities(database).map((identity) => identity.name)
  if (names.includes(name)) return name
  return names.find((known) => known.normalize('NFC').trim() === name) ?? name
}

/**
 * Erases a name and the faces it was enrolled with. To take them out of a topic, too, the journal says which there were
 * until that is done. Throws NAME_UNKNOWN.
 */
export function forgetName(database: Database, name: string): void {
  database
    .transaction(() => {
      database.prepare('DELETE FROM identities WHERE identity_id = ?').run(identityIdOf(database, name))
      noteErasure(database)
      if (isPublished(database)) appendJournal(database, 'forget-name', { name })
      else eraseFromJournal(database, name, lastJournalEntry(database))
    })
    .immediate()
}

/** Erases the faces that a name has from one source, and the name where it has no others; the journal says so as for a name. */
export function forgetEnrolled(database: Database, name: string, source: string): void {
  database
    .transaction(() => {
      deleteFaces(database, name, source)
      if (!hasFaces(database, name)) forgetName(database, name)
      else if (isPublished(database)) appendJournal(database, 'enroll', { name, sources: [source] })
      else eraseSourceFromJournal(database, name, source, lastJournalEntry(database))
    })
    .immediate()
}

/**
 * Erases the faces that a name has from one source, and the name where it has no others. Nothing is written of it in the
 * journal: whoever calls this learnt it from the topic that the journal goes to.
 */
export function forgetSource(database: Database, name: string, source: string): void {
  database
    .transaction(() => {
      deleteFaces(database, name, source)
      if (!hasFaces(database, name)) {
        const { changes } = database.prepare('DELETE FROM identities WHERE name = ?').run(name)
        if (changes > 0) {
          eraseFromJournal(database, name, lastJournalEntry(database))
          noteErasure(database)
        }
      }
    })
    .immediate()
}

function deleteFaces(database: Database, name: string, source: string): void {
  const { changes } = database
    .prepare(
      `DELETE FROM reference_faces WHERE source = ?
       AND identity_id = (SELECT identity_id FROM identities WHERE name = ?)`,
    )
    .run(source, name)
  if (changes > 0) noteErasure(database)
}

function hasFaces(database: Database, name: string): boolean {
  const select = database.prepare(
    'SELECT 1 FROM reference_faces JOIN identities USING (identity_id) WHERE name = ? LIMIT 1',
  )
  return select.get(name) !== undefined
}

/** Throws NAME_UNKNOWN; ARCHIVE_DAMAGED where one of the names is damaged, and may be this one. */
function identityIdOf(database: Database, name: string): number {
  const identityId = database
    // Not by the index of names, which may be what is damaged.
    .prepare<[string], number>('SELECT identity_id FROM identities NOT INDEXED WHERE name = ?')
    .pluck()
    .get(name)
  if (identityId !== undefined) return identityId
  const damaged = database.prepare(`SELECT 1 FROM identities NOT INDEXED WHERE NOT ${isWhole('identities')}`)
  if (damaged.get() !== undefined)
    throw new CameoError(
      'ARCHIVE_DAMAGED',
      `nobody is enrolled as ${quoted(name)}, but a name of the archive is damaged; check every row to learn which`,
      { details: { remedy: 'check-archive' } },
    )
  const known = listIdentities(database).map((identity) => quoted(identity.name))
  if (known.length === 0)
    throw new CameoError('NAME_UNKNOWN', `nobody is enrolled as ${quoted(name)}; enroll the name first`, {
      details: { remedy: 'enroll-first', name },
    })
  throw new CameoError(
    'NAME_UNKNOWN',
    `nobody is enrolled as ${quoted(name)}: known are ${known.slice(0, 20).join(', ')}${known.length > 20 ? ', …' : ''}`,
  )
}
