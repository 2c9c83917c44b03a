import { resolve } from 'node:path'
import { CameoError } from '../../pipeline/common/errors.js'
import { throwIfStopped } from '../../pipeline/common/stop.js'
import type { DeviceChoice } from '../../pipeline/models/device.js'
import { findPack } from '../../pipeline/models/packs/catalog.js'
import { encodeFacePicture } from '../../pipeline/align/face-picture.js'
import { picturesInClip } from '../../pipeline/photos/clip-pictures.js'
import { embedPhotoFace } from '../../pipeline/photos/process-photo.js'
import type { Caller } from '../../pipeline/stages/caller.js'
import type { Stages } from '../../pipeline/stages/load-pipeline.js'
import { ArchiveModels } from '../archive/archive-models.js'
import { noteDamage, type DamagedThing } from '../archive/damaged-things.js'
import type { FilledArchive } from '../archive/open-archive.js'
import { kindOfFile } from '../queries/query-file.js'
import { faceOfPhoto, personOfClip, type QueryCaller } from '../queries/query-person.js'
import type { Damage } from '../store/damage.js'
import { checkAgreement, type Disagreeing } from './check-enrolment.js'
import { enrolledFaces } from './enrolled-faces.js'
import { agreementOf, bySource } from './enrolment-agreement.js'
import { enroll, knownName, referencesOf, type ReferenceFace } from './identities.js'
import { refreshName } from './refresh-names.js'
import { thresholdOfModels } from '../../pipeline/models/packs/pack-threshold.js'

export interface EnrolRequest {
  readonly name: string
  /** Photos of the person, and clips that show the person as the main one. */
  readonly files: readonly string[]
  /** The number of the face in a photo, or of the person in a clip, from 1. */
  readonly face?: number | undefined
  /** Enroll the files even if most of them seem to show another person. Default: false. */
  readonly force?: boolean
  /**
   * Keep a picture of each face, from which other models can embed it later. Without it, a name needs its photos again
   * if the archive's models change. Default: true.
   */
  readonly keepPhoto?: boolean
  /** Where the faces come from, in place of the file's path. Only with one file. */
  readonly source?: string | undefined
  readonly device: DeviceChoice
  /** Stops before the next file or within a clip. Nothing is enrolled then. */
  readonly signal?: AbortSignal | undefined
}

/** A file that could not be used. */
export interface FailedFile {
  readonly source: string
  readonly error: CameoError
}

/** The result of an enrolment. */
export interface EnrolReport {
  /** The name as stored in the archive. */
  readonly name: string
  /** Number of faces that the name has now. */
  readonly faces: number
  readonly added: number
  /** Files, old and new, that do not match most of the others. */
  readonly disagreeing: readonly Disagreeing[]
  readonly failed: readonly FailedFile[]
  /** Cosine similarity from which two faces count as one person's. */
  readonly threshold: number
}

/**
 * Adds the faces of photos and clips to a name. A file that cannot be used does not affect the others. If no file can
 * be used, nothing is enrolled and `added` is 0.
 * @throws FACES_DISAGREE if most files do not match the others, unless forced; INTERRUPTED; and the errors of
 * `ArchiveModels.stages`
 */
export async function enrollFaces(
  opened: FilledArchive,
  request: EnrolRequest,
  caller: Caller,
): Promise<EnrolReport> {
  const models = new ArchiveModels(opened, { device: request.device, embedders: 'all' }, caller)
  try {
    return await enrollWith({ opened, models }, request, caller)
  } finally {
    await models.dispose()
  }
}

/** Like `enrollFaces`, with models that are already loaded. They must include all embedders. */
export async function enrollWith(
  { opened, models }: { readonly opened: FilledArchive; readonly models: ArchiveModels },
  request: EnrolRequest,
  caller: Caller,
): Promise<EnrolReport> {
  const {
    archive: { database },
    recipe,
  } = opened
  const { name: given, force = false } = request
  const threshold = thresholdOfModels(models.pack)
  const { references, failed } = await readFaces(request, models, caller)
  const name = knownName(database, given)
  if (references.length > 0) await refreshName(opened, name, await models.stages(), caller.notify)
  if (references.length === 0) return { name, faces: 0, added: 0, disagreeing: [], failed, threshold }
  const { dimension } = models.pack.embedder
  const before = enrolledFaces(database, name, recipe.embedderDigest)
  const disagreeing = checkAgreement(
    { name, enrolled: before, given: references, dimension, threshold },
    force,
  )
  const identity = enroll(database, name, recipe.embedderDigest, references)
  const after = enrolledFaces(database, name, recipe.embedderDigest)
  return {
    ...{ ...identity, added: references.length, failed, threshold },
    disagreeing: disagreeing.map((each) => ({
      ...each,
      faces: after.filter(({ source }) => source === each.source).map(({ number }) => number),
    })),
  }
}

async function readFaces(
  { files, face, signal, keepPhoto = true, source: given }: EnrolRequest,
  models: ArchiveModels,
  { notify, progress }: Caller,
) {
  const stages = await models.stages()
  const references: ReferenceFace[] = []
  const failed: FailedFile[] = []
  if (given !== undefined && files.length !== 1)
    throw new CameoError('USAGE', 'only the faces of one file can be given a source')
  for (const file of files) {
    const source = given ?? resolve(file)
    try {
      throwIfStopped(signal, 'the enrolment')
      const caller = { notify, progress, signal }
      const faces = await facesOf(resolve(file), stages, { face, keepPhoto }, caller)
      references.push(...faces.map((own) => ({ ...own, source })))
    } catch (error) {
      if (!(error instanceof CameoError) || error.code === 'INTERRUPTED') throw error
      failed.push({ source: given ?? file, error })
    }
  }
  return { references, failed }
}

async function facesOf(
  path: string,
  stages: Stages,
  { face, keepPhoto }: { readonly face: number | undefined; readonly keepPhoto: boolean },
  caller: QueryCaller,
): Promise<Omit<ReferenceFace, 'source'>[]> {
  if ((await kindOfFile(path)) === 'photo') {
    const { chosen } = await faceOfPhoto(path, stages, face, caller, { crops: keepPhoto })
    const { crop } = chosen
    const picture = crop === undefined ? undefined : await encodeFacePicture(crop)
    return [{ picture, ...(await embedPhotoFace(chosen, stages)) }]
  }
  const { chosen } = await personOfClip(path, stages, face, caller)
  const { faces, frame } = chosen
  const pictures = keepPhoto ? await picturesInClip(path, faces, frame.widthPx, stages, caller.signal) : []
  return faces.map(({ embedding, quality, extraEmbeddings = [] }, i) => ({
    ...{ embedding, quality, extraEmbeddings, picture: pictures[i] },
  }))
}

/** A name and its enrolled faces. */
export interface NamedFaces {
  readonly name: string
  readonly faces: number
  readonly list: readonly {
    /** The number by which the face can be forgotten. */
    readonly number: number
    readonly source: string
    readonly quality: number
    /** Mean cosine similarity to the faces of the other files. Null if there are none. */
    readonly similarity: number | null
  }[]
  /** Faces that were skipped because they are damaged. */
  readonly damaged: readonly DamagedThing[]
}

/** Lists the faces of a name. @throws NAME_UNKNOWN */
export function facesOfName(
  { archive, recipe }: FilledArchive,
  given: string,
  notify: Caller['notify'],
): NamedFaces {
  const { database } = archive
  const name = knownName(database, given)
  const damage: Damage[] = []
  // Throws if there are none.
  referencesOf(database, name, recipe.embedderDigest, [], (found) => damage.push(found))
  const enrolled = enrolledFaces(database, name, recipe.embedderDigest)
  const pack = findPack(recipe.packName)
  const agreement = agreementOf(bySource(enrolled), pack.embedder.dimension, thresholdOfModels(pack))
  const similarities = new Map(agreement.map(({ source, similarity }) => [source, similarity]))
  const list = enrolled.map(({ number, source, quality }) => ({
    ...{ number, source, quality },
    similarity: similarities.get(source) ?? null,
  }))
  return { name, faces: enrolled.length, list, damaged: noteDamage(archive, damage, notify) }
}
