import { CameoError, messageOf } from '../../pipeline/common/errors.js'
import { counted, pluralOf } from '../../pipeline/common/counted.js'
import { quoted } from '../../pipeline/common/display-name.js'
import { oneLine } from '../../pipeline/common/visible-text.js'
import { throwIfStopped } from '../../pipeline/common/stop.js'
import type { DeviceChoice } from '../../pipeline/models/device.js'
import { embedFacePicture } from '../../pipeline/photos/embed-picture.js'
import type { Caller } from '../../pipeline/stages/caller.js'
import type { Stages } from '../../pipeline/stages/load-pipeline.js'
import { furtherEmbeddersOf, withModels, type ArchiveModels } from '../archive/archive-models.js'
import type { Archive, FilledArchive } from '../archive/open-archive.js'
import { findIdentity, listIdentities } from '../store/identities.js'
import { appendJournal } from '../store/journal.js'
import {
  addReferenceFaces,
  facesOfIdentity,
  type NewReferenceFace,
  type ReferenceFaceRow,
} from '../store/reference-faces.js'
import { picturesOf } from '../store/reference-pictures.js'
import type { Database } from '../store/sqlite.js'
import { inTransaction } from '../store/transaction.js'

export interface RefreshRequest {
  readonly device: DeviceChoice
  /** Stops before the next name. */
  readonly signal?: AbortSignal | undefined
}

/** What became of the names of an archive with other models. */
export interface RefreshReport {
  /** Names whose pictures were embedded with the archive's models, and how many. */
  readonly refreshed: readonly { readonly name: string; readonly faces: number }[]
  /** Names that the archive's models know no face of: they need photos. */
  readonly needPhotos: readonly string[]
}

/**
 * Embeds the kept pictures of all names with the archive's models, where that was not done yet. Names are written one
 * by one; a call that was stopped can be repeated.
 * @throws INTERRUPTED; and the errors of `ArchiveModels.stages`
 */
export async function refreshNames(
  opened: FilledArchive,
  request: RefreshRequest,
  caller: Caller,
): Promise<RefreshReport> {
  return withModels(opened, { device: request.device, embedders: 'all' }, caller, (models) =>
    refreshWith({ opened, models }, request, caller),
  )
}

/** The same with models that are already loaded. They must include all embedders. */
export async function refreshWith(
  { opened, models }: { readonly opened: FilledArchive; readonly models: Pick<ArchiveModels, 'stages'> },
  { signal }: Pick<RefreshRequest, 'signal'>,
  { notify }: Pick<Caller, 'notify'>,
): Promise<RefreshReport> {
  const { database } = opened.archive
  const refreshed: { name: string; faces: number }[] = []
  for (const { name } of listIdentities(database)) {
    throwIfStopped(signal, 'the refresh of names')
    if (missingFaces(opened, name).length === 0) continue
    const faces = await refreshName(opened, name, await models.stages(), notify)
    if (faces > 0) refreshed.push({ name, faces })
  }
  return { refreshed, needPhotos: namesThatNeedPhotos(opened) }
}

/** Names without any face that the archive's models embedded. */
export function namesThatNeedPhotos({ archive: { database }, recipe }: FilledArchive): string[] {
  return listIdentities(database)
    .map(({ name }) => name)
    .filter((name) => !facesOf(database, name).some(({ embedder }) => embedder === recipe.embedderDigest))
}

/** Says so if the archive's models know no face of some names, as after a change of models. */
export function tellOtherNames(archive: Archive, notify: Caller['notify']): void {
  const { recipe } = archive
  if (recipe === undefined) return
  const opened = { archive, recipe }
  const names = namesThatNeedPhotos(opened)
  const [first, ...others] = names.filter((name) => missingFaces(opened, name).length > 0)
  const count = first === undefined ? 0 : 1 + others.length
  if (first !== undefined)
    notify(
      `${counted(count, 'name')} can be searched for when the kept pictures are embedded with the new models`,
      { remedy: 'refresh-names', name: first },
    )
  if (names.length > count)
    notify(`${counted(names.length - count, 'name')} without pictures ${pluralOf(names.length - count, 'needs', 'need')} photos: enroll some`) // prettier-ignore
}

const facesOf = (database: Database, name: string): readonly ReferenceFaceRow[] => {
  const identityId = findIdentity(database, name)
  return identityId === undefined ? [] : facesOfIdentity(database, identityId)
}

interface MissingFace {
  readonly pictureId: number
  readonly source: string
  readonly quality: number
  /** The archive's embedders that the face has no embedding by. */
  readonly missing: readonly string[]
}

/** Faces of a name that have a picture, but lack an embedding by one of the archive's embedders. */
export function missingFaces({ archive: { database }, recipe }: FilledArchive, name: string): MissingFace[] {
  const wanted = [recipe.embedderDigest, ...furtherEmbeddersOf(recipe).map(({ digest }) => digest)]
  const rows = facesOf(database, name)
  const pictureIds = new Set(rows.flatMap(({ pictureId }) => pictureId ?? []))
  return [...pictureIds].flatMap((pictureId) => {
    const own = rows.filter((row) => row.pictureId === pictureId)
    const missing = wanted.filter((digest) => !own.some(({ embedder }) => embedder === digest))
    const [first] = own
    if (first === undefined || missing.length === 0) return []
    return [{ pictureId, source: first.source, quality: first.quality, missing }]
  })
}

const isAboutPicture = ({ code }: CameoError) => code === 'IMAGE_UNREADABLE' || code === 'IMAGE_NO_FACE'

/**
 * Embeds the pictures of a name that lack an embedding. A picture that cannot be used is left out.
 * @param stages with all embedders
 * @returns the number of faces that were embedded
 */
export async function refreshName(
  opened: FilledArchive,
  name: string,
  stages: Stages,
  notify: Caller['notify'],
): Promise<number> {
  const { database } = opened.archive
  const identityId = findIdentity(database, name)
  if (identityId === undefined) return 0
  const pictures = picturesOf(database, identityId)
  const rows: NewReferenceFace[] = []
  const embedded = new Set<number>()
  const loaded = new Set([
    opened.recipe.embedderDigest,
    ...stages.encoders.embedders.map(({ digest }) => digest),
  ])
  for (const { pictureId, source, quality, missing } of missingFaces(opened, name))
    try {
      const picture = pictures.get(pictureId)
      // A damaged picture is left to a check of the archive. Of a further embedder, the file may be away.
      if (picture === undefined || !missing.some((digest) => loaded.has(digest))) continue
      const { embedding, extraEmbeddings } = await embedFacePicture(picture, stages)
      for (const { embedder, norm, float16 } of [
        { embedder: opened.recipe.embedderDigest, ...embedding },
        ...extraEmbeddings,
      ])
        if (missing.includes(embedder)) {
          rows.push({ source, embedder, norm, float16, quality, pictureId })
          embedded.add(pictureId)
        }
    } catch (error) {
      if (!(error instanceof CameoError) || !isAboutPicture(error)) throw error
      notify(`a picture of ${quoted(name)} from ${oneLine(source)} is left out: ${messageOf(error)}`)
    }
  if (rows.length === 0) return 0
  inTransaction(database, () => {
    // The name may have been forgotten meanwhile, or a face of it.
    const current = new Set(facesOf(database, name).flatMap(({ pictureId }) => pictureId ?? []))
    const own = rows.filter(({ pictureId }) => pictureId !== null && current.has(pictureId))
    if (own.length === 0) return
    addReferenceFaces(database, identityId, own)
    appendJournal(database, 'enroll', { name, sources: [...new Set(own.map(({ source }) => source))] })
  })
  return embedded.size
}
