import { resolve } from 'node:path'
import { sha256OfFile } from '../../pipeline/common/digest.js'
import { CameoError } from '../../pipeline/common/errors.js'
import { oneLine } from '../../pipeline/common/visible-text.js'
import type { FaceEmbeddings } from '../../pipeline/describe/pooled-input.js'
import { thresholdOfModels } from '../../pipeline/models/packs/pack-threshold.js'
import { embedPhotoFace, type PhotoFace } from '../../pipeline/photos/process-photo.js'
import type { Person } from '../../pipeline/photos/process-query-clip.js'
import type { Stages } from '../../pipeline/stages/load-pipeline.js'
import { furtherEmbeddersOf, type ArchiveModels } from '../archive/archive-models.js'
import { isVisible } from '../archive/in-scope.js'
import type { FilledArchive } from '../archive/open-archive.js'
import { describeDisagreeing, measureText } from '../identities/check-enrolment.js'
import { agreementOf, type SourceAgreement } from '../identities/enrolment-agreement.js'
import { enrolledFaces } from '../identities/enrolled-faces.js'
import { knownName, referencesOf } from '../identities/identities.js'
import { readVerdicts, type Verdicts } from '../identities/verdicts.js'
import type { Describer } from '../../pipeline/describe/describe-track.js'
import { correctedQuery } from './corrected-query.js'
import type { Damage } from '../store/damage.js'
import { describedTrackReader } from '../store/stored-tracks.js'
import { createTrackHits } from '../store/track-hits.js'
import {
  faceOfPhoto,
  personOfClip,
  type Candidate,
  type Chosen,
  type QueryCaller,
} from '../queries/query-person.js'
import { hidingNames } from './unseen-name.js'

/** The person to search for. */
export type Subject =
  /** Photos of the person, and which of the faces; of several photos the one that each is plainly of. */
  | { readonly kind: 'image'; readonly paths: readonly string[]; readonly face?: number | undefined }
  /** A clip, and which of its people; its main one by default. */
  | { readonly kind: 'clip'; readonly path: string; readonly face?: number | undefined }
  | { readonly kind: 'name'; readonly name: string }
  /** A track of the archive. */
  | { readonly kind: 'track'; readonly trackId: number }
  /** A question that was read before, perhaps in another thread. */
  | { readonly kind: 'question'; readonly question: Query }

/** What a report says about its query. */
export interface AskedQuery {
  readonly kind: 'image' | 'clip' | 'name' | 'track' | 'person'
  /** File, name or number, as given; of several photos their files, with commas between them. */
  readonly value: string
  /** Of several photos: how each fits the others. */
  readonly photos?: readonly QueryPhoto[]
  /** Which of several faces or people, from 1, where one was chosen. */
  readonly face?: number
  /** The people in the photo or the clip. */
  readonly people?: readonly Candidate[]
  /** Remarks on reading the file, as sentences. */
  readonly notices?: readonly string[]
  /** 0..1. */
  readonly quality: number
  readonly thumbnailJpeg: Uint8Array | undefined
  /** For a clip: the SHA-256 of its content. */
  readonly clipId?: string
}

/** One of several photos of a query. */
export interface QueryPhoto extends SourceAgreement {
  /** Of its face, 0..1: its weight in the query. */
  readonly quality: number
}

/** A question, ready to be described. Consists of data only, so that it can be sent to another thread. */
export interface Query extends AskedQuery {
  /** For a track: its descriptor, L2-normalised. Replaces the embeddings. */
  readonly descriptor?: Float32Array
  readonly embeddings: readonly FaceEmbeddings[]
  /** For a name: its faces that were skipped because they are damaged. */
  readonly damage?: readonly Damage[]
  /** For a name: what people said about it, and the number of photos and clips that its faces are from. */
  readonly verdicts?: Verdicts
  readonly references?: number
}

/** The descriptor with which tracks are compared: of the faces, and moved by the corrections of a name. L2-normalised. */
export async function descriptorOfQuery(
  {
    descriptor: own,
    embeddings,
    verdicts,
    references = 1,
  }: Pick<Query, 'descriptor' | 'embeddings' | 'verdicts' | 'references'>,
  describer: Pick<Describer, 'describe'>,
): Promise<Float32Array> {
  if (own !== undefined) return own
  const descriptor = await describer.describe(embeddings)
  return verdicts === undefined ? descriptor : correctedQuery({ descriptor, references }, verdicts)
}

/**
 * Embeds the faces of the person to search for. A name and a track need no models.
 * @throws NAME_UNKNOWN, TRACK_UNKNOWN, IMAGE_*, FACE_UNKNOWN, QUERY_NO_TRACK, CLIP_*, INTERRUPTED; as `ArchiveModels.stages` does
 */
export async function readQuery(
  subject: Subject,
  opened: FilledArchive,
  models: ArchiveModels,
  caller: QueryCaller,
): Promise<Query> {
  switch (subject.kind) {
    case 'name':
      return queryOfName(subject.name, opened)
    case 'image':
      return queryOfPhotos(subject, models, caller)
    case 'clip':
      return queryOfClip(subject, models, caller)
    case 'track':
      return queryOfTrack(subject.trackId, opened)
    case 'question':
      return subject.question
  }
}

/** @throws TRACK_UNKNOWN */
function queryOfTrack(trackId: number, { archive }: FilledArchive): Query {
  const { database } = archive
  const track = describedTrackReader(database)(trackId)
  if (track === undefined || !isVisible(archive, track.clipId))
    throw new CameoError('TRACK_UNKNOWN', `the archive has no track ${trackId}`)
  const { descriptor, quality, clipId } = track
  return {
    ...{ kind: 'track', value: `${trackId}`, quality, clipId, descriptor, embeddings: [] },
    thumbnailJpeg: createTrackHits(database, 0).thumbnailOf(trackId),
  }
}

/** Where only a part of the archive may be seen, what people said about other clips does not count. @throws NAME_UNKNOWN */
export const queryOfName = (value: string, opened: FilledArchive): Query =>
  opened.archive.visible === undefined
    ? readName(value, opened)
    : hidingNames(value, () => readName(value, opened))

function readName(value: string, { archive, recipe }: FilledArchive): Query {
  const damage: Damage[] = []
  const onDamage = (found: Damage) => void damage.push(found)
  const name = knownName(archive.database, value)
  const embeddings = referencesOf(
    archive.database,
    name,
    recipe.embedderDigest,
    furtherEmbeddersOf(recipe).map(({ digest }) => digest),
    onDamage,
  )
  const quality = Math.max(...embeddings.map((face) => face.quality))
  const verdicts = readVerdicts(archive.database, name, onDamage, (clipId) => isVisible(archive, clipId))
  const enrolled = enrolledFaces(archive.database, name, recipe.embedderDigest)
  const references = new Set(enrolled.map(({ source }) => source)).size
  return {
    ...{ kind: 'name', value, embeddings, quality, thumbnailJpeg: undefined },
    ...{ damage, verdicts, references },
  }
}

/** One person as several photos show them: their faces are pooled as those of a track are, by quality. */
async function queryOfPhotos(
  { paths: given, face }: Extract<Subject, { kind: 'image' }>,
  models: ArchiveModels,
  caller: QueryCaller,
): Promise<Query> {
  const paths = [...new Map(given.map((path) => [resolve(path), path])).values()]
  const [first, ...further] = paths
  if (first === undefined) throw new CameoError('USAGE', 'a search by photos needs a photo')
  const stages = await models.stages()
  if (further.length === 0) return queryOfPhoto(first, face, stages, caller)
  if (face !== undefined)
    throw new CameoError('USAGE', 'the number of a face chooses in one photo, and several photos are given')
  const photos: Query[] = []
  for (const path of paths) photos.push(await queryOfPhoto(path, undefined, stages, caller))
  const sources = photos.map(({ value, embeddings }) => ({ source: value, faces: embeddings }))
  const threshold = thresholdOfModels(models.pack)
  const agreement = agreementOf(sources, models.pack.embedder.dimension, threshold)
  const warning = disagreementText(agreement, threshold)
  if (warning !== undefined) caller.notify(warning)
  const best = photos.reduce((a, b) => (b.quality > a.quality ? b : a))
  return {
    ...{ kind: 'image', value: paths.join(', '), quality: best.quality, thumbnailJpeg: best.thumbnailJpeg },
    notices: [
      ...photos.flatMap(({ value, notices = [] }) => notices.map((text) => `${oneLine(value)}: ${text}`)),
      ...(warning === undefined ? [] : [warning]),
    ],
    photos: agreement.map((each, i) => ({ ...each, quality: photos[i]?.quality ?? 0 })),
    embeddings: photos.flatMap(({ embeddings }) => embeddings),
  }
}

/** Undefined where all photos agree. */
function disagreementText(agreement: readonly SourceAgreement[], threshold: number): string | undefined {
  const wrong = agreement.filter(({ disagrees }) => disagrees)
  if (wrong.length === 0) return undefined
  const list = wrong.map((each) => `  ${describeDisagreeing(each)}`).join('\n')
  return `some photos seem to show somebody else than the others (${measureText(threshold)}):\n${list}`
}

async function queryOfPhoto(
  path: string,
  face: number | undefined,
  stages: Stages,
  caller: QueryCaller,
): Promise<Query> {
  const chosen = await faceOfPhoto(path, stages, face, caller)
  return questionOfFace(path, chosen, face, stages)
}

/** A question with one face of a photo. */
export async function questionOfFace(
  path: string,
  { chosen, people, notices }: Chosen<PhotoFace>,
  face: number | undefined,
  stages: Stages,
): Promise<Query> {
  const { embedding, quality, extraEmbeddings } = await embedPhotoFace(chosen, stages)
  return {
    ...{ kind: 'image', value: path, people, notices, quality },
    ...(face === undefined ? {} : { face }),
    embeddings: [{ ...embedding, quality, extraEmbeddings }],
    thumbnailJpeg: chosen.thumbnailJpeg,
  }
}

async function queryOfClip(
  { path, face }: Extract<Subject, { kind: 'clip' }>,
  models: ArchiveModels,
  caller: QueryCaller,
): Promise<Query> {
  const absolute = resolve(path)
  const chosen = await personOfClip(absolute, await models.stages(), face, caller)
  return questionOfPerson(path, chosen, face, await sha256OfFile(absolute))
}

/** A question with one person of a clip. @param clipId SHA-256 of the clip's content */
export const questionOfPerson = (
  path: string,
  { chosen, people }: Omit<Chosen<Person>, 'notices'>,
  face: number | undefined,
  clipId: string,
): Query => ({
  ...{ kind: 'clip', value: path, people, quality: chosen.quality, clipId },
  ...(face === undefined ? {} : { face }),
  embeddings: chosen.faces.map(({ embedding, quality, extraEmbeddings = [] }) => ({
    ...{ ...embedding, quality, extraEmbeddings },
  })),
  thumbnailJpeg: chosen.thumbnailJpeg,
})
