import { quoted } from '../../pipeline/common/display-name.js'
import { CameoError } from '../../pipeline/common/errors.js'
import type { ExtraEmbedding } from '../../pipeline/embed/extra-embedders.js'
import type { FaceEmbeddings } from '../../pipeline/describe/pooled-input.js'
import type { Damage } from '../store/damage.js'
import { noteErasure } from '../store/erasure.js'
import {
  addIdentity,
  deleteIdentity,
  findIdentity,
  hasDamagedIdentity,
  listIdentities,
  type Identity,
} from '../store/identities.js'
import {
  appendJournal,
  eraseFromJournal,
  eraseSourceFromJournal,
  isPublished,
  lastJournalEntry,
} from '../store/journal.js'
import {
  deleteReferenceFacesFrom,
  facesOfIdentity,
  hasReferenceFaces,
  referenceFaceStates,
  replaceReferenceFaces,
  wholeReferenceFaces,
} from '../store/reference-faces.js'
import type { Database } from '../store/sqlite.js'
import { inTransaction } from '../store/transaction.js'
import type { Embedding } from '../../pipeline/data/embedding.js'

/** An enrolled face of a name. */
export interface ReferenceFace {
  /** The file that it came from, as given at enrolment. */
  readonly source: string
  readonly embedding: Embedding
  /** Embeddings of the same face by further embedders. */
  readonly extraEmbeddings?: readonly ExtraEmbedding[]
  /** 0..1. */
  readonly quality: number
}

/** Adds reference faces to a new or known name. Faces of the same source replace the earlier ones. */
export function enroll(
  database: Database,
  name: string,
  embedder: string,
  references: readonly ReferenceFace[],
): Identity {
  return inTransaction(database, () => {
    addIdentity(database, name)
    const rows = references.flatMap(({ source, embedding, quality, extraEmbeddings = [] }) =>
      [{ ...embedding, embedder }, ...extraEmbeddings].map((row) => ({ ...row, source, quality })),
    )
    replaceReferenceFaces(database, identityIdOf(database, name), rows)
    appendJournal(database, 'enroll', { name, sources: references.map(({ source }) => source) })
    const faces = listIdentities(database).find((identity) => identity.name === name)?.faces ?? 0
    return { name, faces }
  })
}

/**
 * The reference faces of a name for this embedder, with their embeddings by the further embedders. If some faces have
 * all further embeddings, returns only those. Skips sources with a damaged face and calls `onDamage` for them.
 * @throws NAME_UNKNOWN; ARCHIVE_DAMAGED if faces are lost or no intact face is left
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
  const whole = facesOfIdentity(database, identityId).filter(({ source }) => !damaged.has(source))
  const rows = whole.filter((row) => row.embedder === embedder)
  if (rows.length === 0 && damaged.size > 0) throw damagedName(name)
  if (rows.length === 0)
    throw new CameoError(
      'NAME_UNKNOWN',
      `${quoted(name)} was enrolled with models that differ from those of the archive: enroll the photos again`,
    )
  // Faces of a source are written in the same order for every embedder.
  const others = further.map((digest) => {
    const bySource = new Map<string, Uint16Array[]>()
    for (const { source, embedder: by, float16 } of whole)
      if (by === digest) bySource.set(source, [...(bySource.get(source) ?? []), float16])
    return { digest, bySource }
  })
  const faces = rows.map(({ source, float16: own, quality }) => ({
    ...{ float16: own, quality },
    extraEmbeddings: others.flatMap(({ digest, bySource }) => {
      const float16 = bySource.get(source)?.shift()
      return float16 === undefined ? [] : [{ embedder: digest, float16 }]
    }),
  }))
  const complete = faces.filter(({ extraEmbeddings }) => extraEmbeddings.length === further.length)
  return complete.length > 0 ? complete : faces
}

/** Sources of a name that have a damaged face. @throws ARCHIVE_DAMAGED if a face is lost */
function damagedSources(database: Database, name: string, identityId: number): ReadonlySet<string> {
  const rows = referenceFaceStates(database, identityId)
  if (rows.some(({ rowCount }) => rowCount !== rows.length)) throw damagedName(name)
  return new Set(rows.flatMap(({ source, isWhole }) => (isWhole ? [] : [source])))
}

const damagedName = (name: string) =>
  new CameoError(
    'ARCHIVE_DAMAGED',
    `the enrolled faces of ${quoted(name)} are damaged: forget the name and enroll its photos again`,
  )

/** All reference faces of a name, for every embedder. Empty if the name is unknown. */
export function referenceFacesOf(
  database: Database,
  name: string,
): (ReferenceFace & { readonly embedder: string })[] {
  return wholeReferenceFaces(database, name).map(({ source, embedder, norm, float16, quality }) => ({
    ...{ source, embedder, quality },
    embedding: { float16, norm },
  }))
}

/**
 * Normalises a name. The same letters can be encoded in several ways that look the same (NFC, NFD).
 * @throws USAGE if the name is empty
 */
export function parseName(text: string): string {
  const name = text.normalize('NFC').trim()
  if (name === '') throw new CameoError('USAGE', 'the name is empty')
  return name
}

/** Returns a name as it is stored. An old archive may hold names that were stored before names were normalised. */
export function knownName(database: Database, name: string): string {
  const names = listIdentities(database).map((identity) => identity.name)
  if (names.includes(name)) return name
  return names.find((known) => known.normalize('NFC').trim() === name) ?? name
}

/**
 * Erases a name and its faces. If the journal is published, it keeps the name until the erasure has reached the
 * topic.
 * @throws NAME_UNKNOWN
 */
export function forgetName(database: Database, name: string): void {
  inTransaction(database, () => {
    deleteIdentity(database, identityIdOf(database, name))
    noteErasure(database)
    if (isPublished(database)) appendJournal(database, 'forget-name', { name })
    else eraseFromJournal(database, name, lastJournalEntry(database))
  })
}

/**
 * Erases the faces of a name from one source. If the name has no other face, erases the name too. Records this in the
 * journal.
 */
export function forgetEnrolled(database: Database, name: string, source: string): void {
  inTransaction(database, () => {
    deleteFaces(database, name, source)
    if (!hasReferenceFaces(database, name)) forgetName(database, name)
    else if (isPublished(database)) appendJournal(database, 'enroll', { name, sources: [source] })
    else eraseSourceFromJournal(database, name, source, lastJournalEntry(database))
  })
}

/**
 * Erases the faces of a name from one source. If the name has no other face, erases the name too. Writes no journal
 * entry, because the caller received the change from the topic that the journal is published to.
 */
export function forgetSource(database: Database, name: string, source: string): void {
  inTransaction(database, () => {
    deleteFaces(database, name, source)
    const identityId = findIdentity(database, name)
    if (identityId === undefined || hasReferenceFaces(database, name)) return
    deleteIdentity(database, identityId)
    eraseFromJournal(database, name, lastJournalEntry(database))
    noteErasure(database)
  })
}

function deleteFaces(database: Database, name: string, source: string): void {
  if (deleteReferenceFacesFrom(database, name, source) > 0) noteErasure(database)
}

/** @throws NAME_UNKNOWN; ARCHIVE_DAMAGED if a name of the archive is damaged, because it may be this one */
export function identityIdOf(database: Database, name: string): number {
  const identityId = findIdentity(database, name)
  if (identityId !== undefined) return identityId
  if (hasDamagedIdentity(database))
    throw new CameoError(
      'ARCHIVE_DAMAGED',
      `nobody is enrolled as ${quoted(name)}, but a name in the archive is damaged; check the whole archive to find out which`,
      { details: { remedy: 'check-archive' } },
    )
  const known = listIdentities(database).map((identity) => quoted(identity.name))
  if (known.length === 0)
    throw new CameoError('NAME_UNKNOWN', `nobody is enrolled as ${quoted(name)}; enroll the name first`, {
      details: { remedy: 'enroll-first', name },
    })
  throw new CameoError(
    'NAME_UNKNOWN',
    `nobody is enrolled as ${quoted(name)}: the known names are ${known.slice(0, 20).join(', ')}${known.length > 20 ? ', …' : ''}`,
  )
}
