import { quoted } from '../../pipeline/common/display-name.js'
import { CameoError } from '../../pipeline/common/errors.js'
import type { ExtraEmbedding } from '../../pipeline/embed/extra-embedders.js'
import type { FaceEmbeddings } from '../../pipeline/describe/pooled-input.js'
import type { FacePicture } from '../../pipeline/align/face-picture.js'
import { nameOfAlias } from '../store/aliases.js'
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
  type ReferenceFaceRow,
  wholeReferenceFaces,
} from '../store/reference-faces.js'
import { addPicture, deletePicturesFrom, picturesOf } from '../store/reference-pictures.js'
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
  /** Absent if no picture is kept. */
  readonly picture?: FacePicture | undefined
}

/** An embedding of an enrolled face. Embeddings of one face by several embedders share its picture object. */
export interface EmbeddedReference {
  readonly source: string
  readonly embedder: string
  readonly embedding: Embedding
  readonly quality: number
  readonly picture?: FacePicture | undefined
}

/** Adds reference faces to a new or known name. Faces of the same source replace the earlier ones. */
export function enroll(
  database: Database,
  name: string,
  embedder: string,
  references: readonly ReferenceFace[],
): Identity {
  const embedded = references.flatMap(({ source, embedding, quality, picture, extraEmbeddings = [] }) =>
    [{ embedder, ...embedding }, ...extraEmbeddings].map(({ embedder: by, float16, norm }) => ({
      ...{ source, quality, picture, embedder: by, embedding: { float16, norm } },
    })),
  )
  return enrollEmbedded(database, name, embedded)
}

/** The same for faces with embeddings by any embedders. Pictures of the same sources are replaced, too. */
export function enrollEmbedded(
  database: Database,
  name: string,
  references: readonly EmbeddedReference[],
): Identity {
  return inTransaction(database, () => {
    addIdentity(database, name)
    const identityId = identityIdOf(database, name)
    const sources = new Set(references.map(({ source }) => source))
    for (const source of sources)
      if (deletePicturesFrom(database, identityId, source) > 0) noteErasure(database)
    const kept = new Map<FacePicture, number>()
    const pictureIdOf = (picture: FacePicture | undefined) => {
      if (picture === undefined) return null
      const id = kept.get(picture) ?? addPicture(database, identityId, picture)
      kept.set(picture, id)
      return id
    }
    const rows = references.map(({ embedding, picture, ...row }) => ({
      ...{ ...row, ...embedding, pictureId: pictureIdOf(picture) },
    }))
    replaceReferenceFaces(database, identityId, rows)
    appendJournal(database, 'enroll', { name, sources: [...sources] })
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
  if (rows.length === 0) throw otherModels(database, name, identityId)
  // A picture says which rows are of one face. Without pictures, faces of a source are written in the same order for
  // every embedder.
  const keyOf = ({ source, pictureId }: Pick<ReferenceFaceRow, 'source' | 'pictureId'>) =>
    JSON.stringify([source, pictureId])
  const others = further.map((digest) => {
    const byFace = new Map<string, Uint16Array[]>()
    for (const row of whole)
      if (row.embedder === digest) byFace.set(keyOf(row), [...(byFace.get(keyOf(row)) ?? []), row.float16])
    return { digest, byFace }
  })
  const faces = rows.map((row) => ({
    ...{ float16: row.float16, quality: row.quality },
    extraEmbeddings: others.flatMap(({ digest, byFace }) => {
      const float16 = byFace.get(keyOf(row))?.shift()
      return float16 === undefined ? [] : [{ embedder: digest, float16 }]
    }),
  }))
  const complete = faces.filter(({ extraEmbeddings }) => extraEmbeddings.length === further.length)
  return complete.length > 0 ? complete : faces
}

/** Pictures, if there are any, bring the name back. */
function otherModels(database: Database, name: string, identityId: number): CameoError {
  if (facesOfIdentity(database, identityId).length === 0)
    return new CameoError('NAME_UNKNOWN', `${quoted(name)} has no faces: it needs photos, so enroll some`, {
      details: { remedy: 'enroll-first', name },
    })
  const what = `${quoted(name)} was enrolled with models that differ from those of the archive`
  return picturesOf(database, identityId).size === 0
    ? new CameoError(
        'NAME_UNKNOWN',
        `${what}, and no pictures of its faces were kept: it needs photos, so enroll some`,
        { details: { remedy: 'enroll-first', name } },
      )
    : new CameoError('NAME_UNKNOWN', `${what}; the kept pictures of its faces can be embedded again`, {
        details: { remedy: 'refresh-names', name },
      })
}

/** Sources of a name that have a damaged face. @throws ARCHIVE_DAMAGED if a face is lost */
function damagedSources(database: Database, name: string, identityId: number): ReadonlySet<string> {
  const rows = referenceFaceStates(database, identityId)
  if (rows === undefined) throw damagedName(name)
  return new Set(rows.flatMap(({ source, isWhole }) => (isWhole ? [] : [source])))
}

const damagedName = (name: string) =>
  new CameoError(
    'ARCHIVE_DAMAGED',
    `the enrolled faces of ${quoted(name)} are damaged: forget the name and enroll its photos again`,
  )

/** All reference faces of a name, for every embedder. Empty if the name is unknown. */
export function referenceFacesOf(database: Database, name: string): EmbeddedReference[] {
  const identityId = findIdentity(database, name)
  if (identityId === undefined) return []
  const pictures = picturesOf(database, identityId)
  return wholeReferenceFaces(database, name).map(
    ({ source, embedder, norm, float16, quality, pictureId }) => ({
      ...{ source, embedder, quality },
      embedding: { float16, norm },
      picture: pictureId === null ? undefined : pictures.get(pictureId),
    }),
  )
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

/**
 * Returns a name as it is stored; for an alias, the name that has it. An old archive may hold names that were stored
 * before names were normalised.
 */
export function knownName(database: Database, name: string): string {
  const names = listIdentities(database).map((identity) => identity.name)
  if (names.includes(name)) return name
  return names.find((known) => known.normalize('NFC').trim() === name) ?? nameOfAlias(database, name) ?? name
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
