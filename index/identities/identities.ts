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

/** Adds reference faces to a name, new or known; faces of the same source replace the earlier ones. */
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
  const whole = facesOfIdentity(database, identityId).filter(({ source }) => !damaged.has(source))
  const rows = whole.filter((row) => row.embedder === embedder)
  if (rows.length === 0 && damaged.size > 0) throw damagedName(name)
  if (rows.length === 0)
    throw new CameoError(
      'NAME_UNKNOWN',
      `${quoted(name)} was enrolled with other models than the archive's: enroll the photos again`,
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

/** Sources of a name of which a face is damaged. Throws ARCHIVE_DAMAGED where one is lost. */
function damagedSources(database: Database, name: string, identityId: number): ReadonlySet<string> {
  const rows = referenceFaceStates(database, identityId)
  if (rows.some(({ rowCount }) => rowCount !== rows.length)) throw damagedName(name)
  return new Set(rows.flatMap(({ source, isWhole }) => (isWhole ? [] : [source])))
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
  return wholeReferenceFaces(database, name).map(({ source, embedder, norm, float16, quality }) => ({
    ...{ source, embedder, quality },
    embedding: { float16, norm },
  }))
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
  inTransaction(database, () => {
    deleteIdentity(database, identityIdOf(database, name))
    noteErasure(database)
    if (isPublished(database)) appendJournal(database, 'forget-name', { name })
    else eraseFromJournal(database, name, lastJournalEntry(database))
  })
}

/** Erases the faces that a name has from one source, and the name where it has no others; the journal says so as for a name. */
export function forgetEnrolled(database: Database, name: string, source: string): void {
  inTransaction(database, () => {
    deleteFaces(database, name, source)
    if (!hasReferenceFaces(database, name)) forgetName(database, name)
    else if (isPublished(database)) appendJournal(database, 'enroll', { name, sources: [source] })
    else eraseSourceFromJournal(database, name, source, lastJournalEntry(database))
  })
}

/**
 * Erases the faces that a name has from one source, and the name where it has no others. Nothing is written of it in the
 * journal: whoever calls this learnt it from the topic that the journal goes to.
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

/** Throws NAME_UNKNOWN; ARCHIVE_DAMAGED where one of the names is damaged, and may be this one. */
function identityIdOf(database: Database, name: string): number {
  const identityId = findIdentity(database, name)
  if (identityId !== undefined) return identityId
  if (hasDamagedIdentity(database))
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
