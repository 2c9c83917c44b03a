import { CameoError } from '../../../pipeline/common/errors.js'
import { featureFilesDigest, type FeatureSet } from '../data/feature-set.js'
import { counted } from '../../../pipeline/common/counted.js'

/** Size of one chunk of embeddings. */
const chunkBytes = 64 << 20

/** A face of the clip that is being added. */
export interface BuilderFace {
  /** Float16 bits. */
  readonly embedding: Uint16Array
  /** 0..1. */
  readonly quality: number
}

/**
 * Collects a `FeatureSet` clip by clip, one track per clip. The embeddings are stored in chunks and released chunk by
 * chunk at the end, so that a set of several GB is not in memory twice.
 */
export class FeatureSetBuilder {
  readonly #clipNames: string[] = []
  readonly #known = new Set<string>()
  readonly #trackClips: number[] = []
  readonly #firstFace: number[] = [0]
  readonly #qualities: number[] = []
  readonly #chunks: Uint16Array[] = []
  #chunkFaces = 0
  #lastFaces = 0
  #dimension = 0

  /**
   * Adds a clip. A clip without faces has a name but no track. @param source the file, for messages
   * @throws FEATURES_INVALID if the clip was already added, or its features have another length
   */
  addClip(name: string, faces: readonly BuilderFace[], source: string): void {
    if (this.#known.has(name))
      throw new CameoError('FEATURES_INVALID', `${source} names the clip ${name}, which was read already`)
    for (const { embedding } of faces) {
      if (this.#dimension === 0) this.#begin(embedding.length)
      if (embedding.length !== this.#dimension)
        throw new CameoError(
          'FEATURES_INVALID',
          `${source} has features of ${counted(embedding.length, 'value')} for the clip ${name}, but the others have ${this.#dimension}`,
        )
    }
    this.#known.add(name)
    this.#clipNames.push(name)
    if (faces.length === 0) return
    this.#trackClips.push(this.#clipNames.length - 1)
    for (const { embedding, quality } of faces) {
      this.#append(embedding)
      this.#qualities.push(quality)
    }
    this.#firstFace.push(this.#qualities.length)
  }

  /** @throws FEATURES_INVALID if no clip has a face, or if there are more faces than fit into memory */
  finish(name: string): FeatureSet {
    const faces = this.#qualities.length
    const dimension = this.#dimension
    if (faces === 0) throw new CameoError('FEATURES_INVALID', `${name} has no face`)
    return {
      columns: [{ digest: featureFilesDigest, name, dimension, embeddings: this.#joined(faces * dimension) }],
      clipNames: this.#clipNames,
      trackClips: Int32Array.from(this.#trackClips),
      firstFace: Int32Array.from(this.#firstFace),
      qualities: Float32Array.from(this.#qualities),
    }
  }

  #begin(dimension: number): void {
    this.#dimension = dimension
    this.#chunkFaces = Math.max(1, Math.floor(chunkBytes / 2 / dimension))
    this.#lastFaces = this.#chunkFaces
  }

  #append(embedding: Uint16Array): void {
    if (this.#lastFaces === this.#chunkFaces) {
      this.#chunks.push(new Uint16Array(this.#chunkFaces * this.#dimension))
      this.#lastFaces = 0
    }
    this.#chunks.at(-1)?.set(embedding, this.#lastFaces * this.#dimension)
    this.#lastFaces++
  }

  #joined(values: number): Uint16Array {
    const joined = this.#allocate(values)
    let at = 0
    for (let chunk = this.#chunks.shift(); chunk !== undefined; chunk = this.#chunks.shift()) {
      joined.set(chunk.subarray(0, values - at), at)
      at += chunk.length
    }
    return joined
  }

  #allocate(values: number): Uint16Array {
    try {
      return new Uint16Array(values)
    } catch (error) {
      throw new CameoError(
        'FEATURES_INVALID',
        `${counted(this.#qualities.length, 'face')} of ${counted(this.#dimension, 'value')} do not fit into memory: keep fewer faces per clip, or read fewer files`,
        { cause: error },
      )
    }
  }
}
