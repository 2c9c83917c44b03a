import type { FacePicture } from '../../pipeline/align/face-picture.js'
import { CameoError } from '../../pipeline/common/errors.js'
import { quoted } from '../../pipeline/common/display-name.js'
import { decodeFloat16 } from '../../pipeline/data/float16.js'
import { l2Norm } from '../../pipeline/data/vector-math.js'
import { findPack } from '../../pipeline/models/packs/catalog.js'
import type { Caller } from '../../pipeline/stages/caller.js'
import type { DeviceChoice } from '../../pipeline/models/device.js'
import { withModels, type ArchiveModels } from '../archive/archive-models.js'
import type { FilledArchive } from '../archive/open-archive.js'
import { addAlias, aliasesOf, nameOfAlias, noteOf, writeNote } from '../store/aliases.js'
import { toBlob, toUint16 } from '../store/blobs.js'
import { addCorrection, correctionsOf } from '../store/corrections.js'
import { isForgotten } from '../store/forgotten-clips.js'
import { addIdentity, findIdentity, listIdentities } from '../store/identities.js'
import { appendJournal } from '../store/journal.js'
import { addReferenceFaces, facesOfIdentity } from '../store/reference-faces.js'
import { addPicture } from '../store/reference-pictures.js'
import type { Database } from '../store/sqlite.js'
import { inTransaction } from '../store/transaction.js'
import { maxAliases } from './describe-name.js'
import { identityIdOf, knownName, parseName } from './identities.js'
import type { CorrectionLine, FaceLine, NameLine } from './names-file-format.js'
import { readNamesFile } from './read-names-file.js'
import { namesThatNeedPhotos, refreshWith } from './refresh-names.js'

export interface ImportRequest {
  readonly file: string
  readonly device: DeviceChoice
  readonly signal?: AbortSignal | undefined
}

/** What became of a name of the file. */
export interface ImportedName {
  /** As in the file. */
  readonly name: string
  /** The name that it joined, if that has another name: the archive knew it as an alias. */
  readonly into?: string
  /** `unchanged`: the archive had everything already. */
  readonly status: 'added' | 'joined' | 'unchanged'
  /** Faces that are new. */
  readonly faces: number
  readonly corrections: number
  /** Aliases that belong to others here, and so were left out. */
  readonly leftOutAliases: readonly string[]
  /** The archive has another note about the name, which stays. */
  readonly keptNote: boolean
  /** The archive's models know no face of the name, and there are no pictures that they could embed. */
  readonly needsPhotos: boolean
}

/** The result of an import of names. */
export interface ImportReport {
  readonly names: readonly ImportedName[]
  /** Faces that the archive's models embedded from their pictures. */
  readonly embedded: number
}

/**
 * Adds the names of a file to those of an archive. Nothing that the archive has is replaced. Either all names are added
 * or none. Then faces that only other models have embedded are embedded from their pictures; if that is interrupted,
 * `refreshNames` continues it.
 * @throws NAMES_INVALID; and the errors of `ArchiveModels.stages` if faces have to be embedded
 */
export async function importNames(
  opened: FilledArchive,
  request: ImportRequest,
  caller: Caller,
): Promise<ImportReport> {
  return withModels(opened, { device: request.device, embedders: 'all' }, caller, (models) =>
    importWith({ opened, models }, request, caller),
  )
}

/** The same with models that are already loaded when they are needed. They must include all embedders. */
export async function importWith(
  { opened, models }: { readonly opened: FilledArchive; readonly models: Pick<ArchiveModels, 'stages'> },
  { file, signal }: Omit<ImportRequest, 'device'>,
  caller: Pick<Caller, 'notify' | 'progress'>,
): Promise<ImportReport> {
  const { database } = opened.archive
  const { embedderDigest, packName } = opened.recipe
  const own = { embedder: embedderDigest, dimension: findPack(packName).embedder.dimension }
  const imported = inTransaction(database, () => {
    const names = new NamesImport(database, own)
    for (const line of readNamesFile(file)) names.add(line)
    return names.finish()
  })
  const { refreshed } = await refreshWith({ opened, models }, { signal }, caller)
  const lacking = new Set(namesThatNeedPhotos(opened))
  return {
    names: imported.map((each) => ({ ...each, needsPhotos: lacking.has(each.into ?? each.name) })),
    embedded: refreshed.reduce((sum, { faces }) => sum + faces, 0),
  }
}

/** A name while its lines are read. */
interface Draft {
  readonly given: string
  readonly name: string
  readonly identityId: number
  readonly isNew: boolean
  faces: number
  corrections: number
  hasNewDescription: boolean
  readonly leftOutAliases: string[]
  keptNote: boolean
  readonly sources: Set<string>
  readonly clipIds: Set<string>
}

/** Adds the lines of a file to an archive. Runs within one transaction. */
class NamesImport {
  readonly #database: Database
  /** The archive's own embedder. */
  readonly #own: { readonly embedder: string; readonly dimension: number }
  readonly #drafts = new Map<string, Draft>()

  constructor(database: Database, own: { readonly embedder: string; readonly dimension: number }) {
    this.#database = database
    this.#own = own
  }

  add(line: NameLine | FaceLine | CorrectionLine): void {
    if (line.kind === 'name') this.#addName(line)
    else {
      const draft = this.#drafts.get(line.name)
      if (draft === undefined) throw new Error('a line came before its name')
      if (line.kind === 'face') this.#addFace(draft, line)
      else this.#addCorrection(draft, line)
    }
  }

  /** Writes the journal. */
  finish(): Omit<ImportedName, 'needsPhotos'>[] {
    return [...this.#drafts.values()].map((draft) => {
      const { given, name, isNew, faces, corrections, leftOutAliases, keptNote } = draft
      if (draft.sources.size > 0)
        appendJournal(this.#database, 'enroll', { name, sources: [...draft.sources] })
      if (draft.hasNewDescription) appendJournal(this.#database, 'describe-name', { name })
      for (const clipId of draft.clipIds) appendJournal(this.#database, 'correct', { name, clipId })
      const isChanged = faces > 0 || corrections > 0 || draft.hasNewDescription
      return {
        name: given,
        ...(name === given ? {} : { into: name }),
        status: isNew ? 'added' : isChanged ? 'joined' : 'unchanged',
        ...{ faces, corrections, leftOutAliases, keptNote },
      }
    })
  }

  #addName({ name: given, aliases, note }: NameLine): void {
    const database = this.#database
    const name = knownName(database, parseName(given))
    const isNew = findIdentity(database, name) === undefined
    if (isNew) addIdentity(database, name)
    const identityId = identityIdOf(database, name)
    const draft: Draft = {
      ...{ given, name, identityId, isNew, faces: 0, corrections: 0, leftOutAliases: [] },
      ...{ hasNewDescription: false, keptNote: false, sources: new Set(), clipIds: new Set() },
    }
    this.#drafts.set(given, draft)
    for (const alias of aliases) this.#addAlias(draft, parseName(alias))
    const own = noteOf(database, identityId)
    if (note !== null && own === undefined) {
      writeNote(database, identityId, note)
      draft.hasNewDescription = true
    } else draft.keptNote = note !== null && note !== own
  }

  #addAlias(draft: Draft, alias: string): void {
    const database = this.#database
    const { name, identityId } = draft
    if (alias === name || nameOfAlias(database, alias) === name) return
    const isTaken =
      nameOfAlias(database, alias) !== undefined ||
      listIdentities(database).some((identity) => identity.name === alias) ||
      aliasesOf(database, identityId).length >= maxAliases
    if (isTaken) draft.leftOutAliases.push(alias)
    else {
      addAlias(database, identityId, alias)
      draft.hasNewDescription = true
    }
  }

  #addFace(draft: Draft, face: FaceLine): void {
    const database = this.#database
    const { identityId } = draft
    const { source, quality, embeddings } = face
    if (this.#isKnown(identityId, face)) return
    for (const each of embeddings) this.#checkVector(draft, each)
    const pictureId = face.picture === null ? null : addPicture(database, identityId, pictureOf(face.picture))
    addReferenceFaces(
      database,
      identityId,
      embeddings.map(({ embedder, norm, vector }) => ({
        ...{ source, embedder, norm, quality, pictureId },
        float16: toUint16(Buffer.from(vector, 'base64')),
      })),
    )
    draft.faces++
    draft.sources.add(source)
  }

  /** @throws NAMES_INVALID if it cannot be an embedding */
  #checkVector({ given }: Draft, { embedder, vector }: FaceLine['embeddings'][number]): void {
    const bytes = Buffer.from(vector, 'base64')
    const values = bytes.byteLength % 2 === 0 ? decodeFloat16(toUint16(bytes)) : new Float32Array(0)
    const isOwn = embedder === this.#own.embedder
    if (values.length === 0 || !(l2Norm(values) > 0 && l2Norm(values) < Infinity))
      throw new CameoError('NAMES_INVALID', `a face of ${quoted(given)} has an embedding that is none`)
    if (isOwn && values.length !== this.#own.dimension)
      throw new CameoError(
        'NAMES_INVALID',
        `a face of ${quoted(given)} has an embedding of ${values.length} values, and these models give ${this.#own.dimension}`,
      )
  }

  /**
   * A face of the same file is the same if an embedder gives it the same vector. If no embedder has embedded both, it
   * counts as the same if the archive's models know the file.
   */
  #isKnown(identityId: number, { source, embeddings }: FaceLine): boolean {
    const own = facesOfIdentity(this.#database, identityId).filter((row) => row.source === source)
    const shared = embeddings.flatMap(({ embedder, vector }) =>
      own
        .filter((row) => row.embedder === embedder)
        .map((row) => toBlob(row.float16).equals(Buffer.from(vector, 'base64'))),
    )
    return shared.length > 0
      ? shared.includes(true)
      : own.some(({ embedder }) => embedder === this.#own.embedder)
  }

  #addCorrection(draft: Draft, { clipId, verdict, at, place }: CorrectionLine): void {
    const database = this.#database
    const text = JSON.stringify(place)
    const isKnown = correctionsOf(database, draft.identityId).some(
      (own) => own.clipId === clipId && own.verdict === verdict && own.place === text,
    )
    if (isKnown || isForgotten(database, clipId)) return
    addCorrection(database, draft.identityId, { clipId, verdict, at, place: text })
    draft.corrections++
    draft.clipIds.add(clipId)
  }
}

function pictureOf({ jpeg, box, landmarks }: NonNullable<FaceLine['picture']>): FacePicture {
  const [a, b, c, d, e] = landmarks
  const point = ([x, y]: readonly [number, number]) => ({ x, y })
  return {
    jpeg: Buffer.from(jpeg, 'base64'),
    boxXyxyPx: box,
    landmarksPx: [point(a), point(b), point(c), point(d), point(e)],
  }
}
