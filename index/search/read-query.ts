import { resolve } from 'node:path'
import { sha256OfFile } from '../../pipeline/common/digest.js'
import type { FaceEmbeddings } from '../../pipeline/describe/pooled-input.js'
import { embedPhotoFace } from '../../pipeline/photos/process-photo.js'
import { furtherEmbeddersOf, type ArchiveModels } from '../archive/archive-models.js'
import type { FilledArchive } from '../archive/open-archive.js'
import { knownName, referencesOf } from '../identities/identities.js'
import type { Damage } from '../store/damage.js'
import { faceOfPhoto, personOfClip, type Candidate, type QueryCaller } from '../queries/query-person.js'

/** Whom to search for. */
export type Subject =
  | { readonly kind: 'image'; readonly path: string; readonly face?: number | undefined }
  /** A clip, and which of its people; its main one by default. */
  | { readonly kind: 'clip'; readonly path: string; readonly face?: number | undefined }
  | { readonly kind: 'name'; readonly name: string }

/** What an answer says of its question. */
export interface AskedQuery {
  readonly kind: Subject['kind']
  /** File or name, as given. */
  readonly value: string
  /** Which of several faces or people, from 1, where one was chosen. */
  readonly face?: number
  /** Whom the photo or the clip shows. */
  readonly people?: readonly Candidate[]
  /** How its file could be read, as sentences. */
  readonly notices?: readonly string[]
  /** 0..1. */
  readonly quality: number
  readonly thumbnailJpeg: Uint8Array | undefined
}

/** A question, ready to be described. */
export interface Query extends AskedQuery {
  readonly embeddings: readonly FaceEmbeddings[]
  /** Of a clip: SHA-256 of its content. */
  readonly clipId?: string
  /** What of a name's faces was left out. */
  readonly damage?: readonly Damage[]
}

/**
 * The faces of whom is asked for, embedded. A name needs no models.
 * @throws NAME_UNKNOWN, IMAGE_*, FACE_UNKNOWN, QUERY_NO_TRACK, CLIP_*, INTERRUPTED; as `ArchiveModels.stages` does
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
      return queryOfPhoto(subject, models, caller)
    case 'clip':
      return queryOfClip(subject, models, caller)
  }
}

function queryOfName(value: string, { archive, recipe }: FilledArchive): Query {
  const damage: Damage[] = []
  const embeddings = referencesOf(
    archive.database,
    knownName(archive.database, value),
    recipe.embedderDigest,
    furtherEmbeddersOf(recipe).map(({ digest }) => digest),
    (found) => damage.push(found),
  )
  const quality = Math.max(...embeddings.map((face) => face.quality))
  return { kind: 'name', value, embeddings, quality, thumbnailJpeg: undefined, damage }
}

async function queryOfPhoto(
  { path, face }: Extract<Subject, { kind: 'image' }>,
  models: ArchiveModels,
  caller: QueryCaller,
): Promise<Query> {
  const stages = await models.stages()
  const { chosen, people, notices } = await faceOfPhoto(path, stages, face, caller)
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
  const { chosen, people } = await personOfClip(absolute, await models.stages(), face, caller)
  return {
    ...{ kind: 'clip', value: path, people, quality: chosen.quality },
    ...(face === undefined ? {} : { face }),
    embeddings: chosen.faces.map(({ embedding, quality, extraEmbeddings = [] }) => ({
      ...{ ...embedding, quality, extraEmbeddings },
    })),
    thumbnailJpeg: chosen.thumbnailJpeg,
    clipId: await sha256OfFile(absolute),
  }
}
