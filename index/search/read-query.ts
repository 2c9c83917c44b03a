import { resolve } from 'node:path'
import { sha256OfFile } from '../../pipeline/common/digest.js'
import type { FaceEmbeddings } from '../../pipeline/describe/pooled-input.js'
import { embedPhotoFace } from '../../pipeline/photos/process-photo.js'
import { furtherEmbeddersOf, type ArchiveModels } from '../archive/archive-models.js'
import type { FilledArchive } from '../archive/open-archive.js'
import { knownName, referencesOf } from '../identities/identities.js'
import type { Damage } from '../store/damage.js'
import { faceOfPhoto, personOfClip, type Candidate, type QueryCaller } from '../queries/query-person.js'

/** The person to search for. */
export type Subject =
  | { readonly kind: 'image'; readonly path: string; readonly face?: number | undefined }
  /** A clip and the number of one of its people. Default: the main person. */
  | { readonly kind: 'clip'; readonly path: string; readonly face?: number | undefined }
  | { readonly kind: 'name'; readonly name: string }

/** What a report says about its query. */
export interface AskedQuery {
  readonly kind: Subject['kind']
  /** File or name, as it was given. */
  readonly value: string
  /** The number of the chosen face or person, from 1. Absent if none was chosen. */
  readonly face?: number
  /** The people in the photo or the clip. */
  readonly people?: readonly Candidate[]
  /** Remarks on reading the file, as sentences. */
  readonly notices?: readonly string[]
  /** 0..1. */
  readonly quality: number
  readonly thumbnailJpeg: Uint8Array | undefined
}

/** A query with its embeddings, from which a descriptor can be computed. */
export interface Query extends AskedQuery {
  readonly embeddings: readonly FaceEmbeddings[]
  /** For a clip: the SHA-256 of its content. */
  readonly clipId?: string
  /** For a name: its faces that were skipped because they are damaged. */
  readonly damage?: readonly Damage[]
}

/**
 * Embeds the faces of the person to search for. A name needs no models.
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
