import { quoted } from '../../pipeline/common/display-name.js'
import { CameoError } from '../../pipeline/common/errors.js'
import { forgetName } from './identities.js'
import { toBlob } from '../store/blobs.js'
import { deleteReferenceFaces, referenceFaces, type ReferenceFaceRow } from '../store/reference-faces.js'
import type { Database } from '../store/sqlite.js'
import { inTransaction } from '../store/transaction.js'
import { noteErasure } from '../store/erasure.js'
import { appendJournal, eraseSourceFromJournal, isPublished, lastJournalEntry } from '../store/journal.js'

/** An enrolled face of a name, with the number by which it can be chosen. */
export interface EnrolledFace {
  /** From 1, in the order of enrolment. If a face is erased, the numbers of the later ones decrease by 1. */
  readonly number: number
  readonly source: string
  readonly float16: Uint16Array
  /** 0..1. */
  readonly quality: number
  /** Row of its picture. Null if none was kept. */
  readonly pictureId: number | null
}

/** The faces of a name for an embedder. Empty if the name has none. */
export function enrolledFaces(database: Database, name: string, embedder: string): EnrolledFace[] {
  return referenceFaces(database, name)
    .filter((row) => row.embedder === embedder)
    .map(({ source, float16, quality, pictureId }, index) => ({
      ...{ number: index + 1, source, quality, float16, pictureId },
    }))
}

/**
 * Erases one face of a name, for every embedder. If the name has no other face, erases the name too. The journal
 * records that the faces of this source have changed.
 * @param number as in `enrolledFaces`
 * @returns the source of the face and the number of faces left; 0 if the name was erased
 * @throws FACE_UNKNOWN
 */
export function forgetFace(
  database: Database,
  name: string,
  embedder: string,
  number: number,
): { readonly source: string; readonly left: number } {
  return inTransaction(database, () => {
    const { source, rows } = chosenFace(database, name, embedder, number)
    removeRows(database, rows)
    const left = referenceFaces(database, name)
    if (left.length === 0) forgetName(database, name)
    else if (isPublished(database)) appendJournal(database, 'enroll', { name, sources: [source] })
    else if (!left.some((row) => row.source === source))
      eraseSourceFromJournal(database, name, source, lastJournalEntry(database))
    return { source, left: left.filter((row) => row.embedder === embedder).length }
  })
}

/** Erases the rows of a name that are meant, and with the last one the name. Returns how many they were. */
export function forgetFacesThat(
  database: Database,
  name: string,
  isMeant: (row: ReferenceFaceRow) => boolean,
): number {
  return inTransaction(database, () => {
    const rows = referenceFaces(database, name)
    const meant = rows.filter(isMeant)
    removeRows(database, meant)
    if (meant.length > 0 && meant.length === rows.length) forgetName(database, name)
    return meant.length
  })
}

/** The rows of one face of a name, by every embedder. Empty if there is no such face. */
export function rowsOfFace(
  database: Database,
  name: string,
  embedder: string,
  number: number,
): ReferenceFaceRow[] {
  return enrolledFaces(database, name, embedder)[number - 1] === undefined
    ? []
    : [...chosenFace(database, name, embedder, number).rows]
}

/** @throws FACE_UNKNOWN */
function chosenFace(
  database: Database,
  name: string,
  embedder: string,
  number: number,
): { readonly source: string; readonly rows: readonly ReferenceFaceRow[] } {
  const faces = enrolledFaces(database, name, embedder)
  const chosen = faces[number - 1]
  if (chosen === undefined)
    throw new CameoError(
      'FACE_UNKNOWN',
      `${quoted(name)} has no face ${number}: it has ${faces.length} of them; list them to choose one`,
      { details: { remedy: 'list-faces', name } },
    )
  const { source, pictureId } = chosen
  const own = referenceFaces(database, name).filter((row) => row.source === source)
  if (pictureId !== null) return { source, rows: own.filter((row) => row.pictureId === pictureId) }
  // Without pictures, faces of a source are written in the same order for every embedder.
  const isAlike = (face: Pick<EnrolledFace, 'source' | 'pictureId'>) =>
    face.source === source && face.pictureId === null
  const place = faces.slice(0, number - 1).filter(isAlike).length
  const embedders = [...new Set(own.map((row) => row.embedder))]
  return {
    source,
    rows: embedders.flatMap((by) =>
      own.filter((row) => row.embedder === by && isAlike(row)).slice(place, place + 1),
    ),
  }
}

/**
 * Erases the faces of a name from one source, except the given ones: the others were forgotten on another machine. If
 * the name lacks one of the given faces, for example because it uses other models, nothing is erased. Writes no
 * journal entry, because the caller received the change from the topic that the journal is published to.
 */
export function forgetFacesBeyond(
  database: Database,
  name: string,
  source: string,
  faces: readonly { readonly embedder: string; readonly vector: Uint8Array }[],
): void {
  const beyond = referenceFaces(database, name).filter((row) => row.source === source)
  for (const { embedder, vector } of faces) {
    const at = beyond.findIndex(
      (row) => row.embedder === embedder && Buffer.compare(toBlob(row.float16), vector) === 0,
    )
    if (at < 0) return
    beyond.splice(at, 1)
  }
  removeRows(database, beyond)
}

function removeRows(database: Database, rows: readonly ReferenceFaceRow[]): void {
  deleteReferenceFaces(
    database,
    rows.map(({ referenceId }) => referenceId),
  )
  if (rows.length > 0) noteErasure(database)
}
