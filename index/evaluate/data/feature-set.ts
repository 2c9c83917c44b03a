import { CameoError } from '../../../pipeline/common/errors.js'
import type { EmbeddingColumn, FaceColumns } from '../../../pipeline/training/face-columns.js'
import type { InputEmbedder } from '../../../pipeline/describe/pooled-input.js'
import { counted } from '../../../pipeline/common/counted.js'

/** The embeddings of all faces of a set by one embedder. */
export type FeatureColumn = InputEmbedder & EmbeddingColumn

/**
 * The faces of many clips for evaluation and training, from an archive or from feature files. Stored as columns
 * instead of objects, because the training half of iQIYI-VID has over a million faces.
 *
 * clip ─1:n─ track ─1:n─ face
 */
export interface FeatureSet extends FaceColumns {
  readonly columns: readonly FeatureColumn[]
  /** File names as in the ground truth. Each must be unique. */
  readonly clipNames: readonly string[]
  /** Index into `clipNames` of each track; ascending. */
  readonly trackClips: Int32Array
  /**
   * [faces], 1 for the largest face of its frame. Absent if frames are not known: then every face counts as the
   * largest.
   */
  readonly isMainFace?: Uint8Array
}

/** Digest for the column of feature files, which do not name their embedder. */
export const featureFilesDigest = 'feature files'

const described = (embedders: readonly InputEmbedder[]) =>
  embedders
    .map(
      ({ name, digest, dimension }) =>
        `${name} (${digest === featureFilesDigest ? counted(dimension, 'value') : digest.slice(0, 12)})`,
    )
    .join(' and ')

/**
 * Returns the set with the embeddings that a head needs, in the head's order. Embeddings of feature files match every
 * head with the same number of values.
 * @param head name of the head, for messages
 * @throws HEAD_OTHER_EMBEDDER if an embedding is missing
 */
export function columnsForHead<Set extends FeatureSet>(
  features: Set,
  wanted: readonly InputEmbedder[],
  head: string,
): Set {
  const columns = wanted.map((embedder) =>
    features.columns.find(
      ({ digest, dimension }) =>
        dimension === embedder.dimension && (digest === embedder.digest || digest === featureFilesDigest),
    ),
  )
  const found = columns.filter((column) => column !== undefined)
  if (found.length < wanted.length || new Set(found).size < found.length)
    throw new CameoError(
      'HEAD_OTHER_EMBEDDER',
      `the head ${head} was trained on embeddings of ${described(wanted)}, but these are embeddings of ${described(features.columns)}: train a head on them`,
    )
  return { ...features, columns: found }
}
