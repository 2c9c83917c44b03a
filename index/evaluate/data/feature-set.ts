import { CameoError } from '../../../pipeline/common/errors.js'
import type { EmbeddingColumn, FaceColumns } from '../../../pipeline/training/face-columns.js'
import type { InputEmbedder } from '../../../pipeline/describe/pooled-input.js'
import { counted } from '../../../pipeline/common/counted.js'

/** What one embedder makes of every face of a set. */
export type FeatureColumn = InputEmbedder & EmbeddingColumn

/**
 * The faces of many clips, as evaluation and training read them, whether they come out of an archive or out of feature
 * files. Columns rather than objects: iQIYI-VID's training half has over a million faces.
 *
 *     clip ─1:n─ track ─1:n─ face
 */
export interface FeatureSet extends FaceColumns {
  readonly columns: readonly FeatureColumn[]
  /** File names as ground truth gives them; several clips may not share one. */
  readonly clipNames: readonly string[]
  /** Index into `clipNames` of each track; ascending. */
  readonly trackClips: Int32Array
  /** 1 for the largest face of its frame, [faces]; absent where frames are not known: then every face counts as such. */
  readonly isMainFace?: Uint8Array
}

/** Digest of the one column of feature files, which do not say what made them. */
export const featureFilesDigest = 'feature files'

const described = (embedders: readonly InputEmbedder[]) =>
  embedders
    .map(
      ({ name, digest, dimension }) =>
        `${name} (${digest === featureFilesDigest ? counted(dimension, 'value') : digest.slice(0, 12)})`,
    )
    .join(' and ')

/**
 * The set with the embeddings that a head takes, in its order. Those of feature files go with every head of as many values.
 * @param head for messages
 * @throws HEAD_OTHER_EMBEDDER that names both sides
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
      `the head ${head} was trained on embeddings of ${described(wanted)}, these are of ${described(features.columns)}: train a head on them`,
    )
  return { ...features, columns: found }
}
