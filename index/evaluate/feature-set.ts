/**
 * The faces of many clips, as evaluation and training read them, whether they come out of an archive or out of feature
 * files. Columns rather than objects: iQIYI-VID's training half has over a million faces.
 *
 *     clip ─1:n─ track ─1:n─ face
 */
export interface FeatureSet {
  /** Values of one embedding. */
  readonly dimension: number
  /** What made the embeddings: the embedder's digest, or the name of the feature file. */
  readonly embedder: string
  /** File names as ground truth gives them; several clips may not share one. */
  readonly clipNames: readonly string[]
  /** Index into `clipNames` of each track; ascending. */
  readonly trackClips: Int32Array
  /** Faces of track t are firstFace[t] .. firstFace[t + 1] − 1; one longer than `trackClips`. */
  readonly firstFace: Int32Array
  /** Float16 bits, [faces, dimension] row-major, not normalised. */
  readonly embeddings: Uint16Array
  /** 0..1, [faces]. */
  readonly qualities: Float32Array
  /** 1 for the largest face of its frame, [faces]; absent where frames are not known: then every face counts as such. */
  readonly isMainFace?: Uint8Array
}
