import { CameoError, messageOf } from '../common/errors.js'
import { inputDimension, pooledInput, type FaceEmbeddings, type InputEmbedder } from './pooled-input.js'
import type { Model } from '../models/session.js'
import { poolEmbeddings } from './pool.js'
import { l2Norm, l2Normalise } from '../data/vector-math.js'

/** Turns a track's face embeddings into the vector that is indexed. */
export interface Describer {
  readonly dimension: number
  /** L2-normalised, `dimension` values. Throws HEAD_INVALID if the head returns values that are not numbers. */
  describe(faces: readonly FaceEmbeddings[]): Promise<Float32Array>
  /** The same for many tracks, in one run if the head is known to take several rows. */
  describeAll(tracks: readonly (readonly FaceEmbeddings[])[]): Promise<Float32Array[]>
}

/**
 * An ONNX model [n, d] → [n, e]. Its output named `descriptor` is the descriptor; without such a name, its first
 * output. Without `embedders` it takes the pooled embedding of the pack's own embedder, one row at a time.
 */
export interface DescriberHead {
  readonly path: string
  readonly model: Model
  /** The embedders of its input: see `pooledInput`. */
  readonly embedders?: readonly InputEmbedder[]
}

/**
 * Quality-weighted pooling, followed by the head if there is one.
 * @param own the pack's embedder; its digest matters only if a head takes several embedders
 * @throws HEAD_INVALID if the head does not take such embeddings, or returns values that are not numbers
 */
export async function createDescriber(
  own: { readonly digest: string; readonly dimension: number },
  head: DescriberHead | undefined,
): Promise<Describer> {
  const { dimension } = own
  if (head === undefined) {
    const pool = (faces: readonly FaceEmbeddings[]) => poolEmbeddings(faces, dimension)
    return {
      dimension,
      describe: (faces) => Promise.resolve(pool(faces)),
      describeAll: (tracks) => Promise.resolve(tracks.map(pool)),
    }
  }
  const { model, embedders } = head
  const name = model.outputNames.includes('descriptor') ? 'descriptor' : model.outputNames[0]
  const width = embedders === undefined ? dimension : inputDimension(embedders)
  // A head with one embedder takes the embeddings that exist: `checkHead` has checked before that they are that
  // embedder's.
  const input = (faces: readonly FaceEmbeddings[]) =>
    embedders === undefined || embedders.length === 1
      ? poolEmbeddings(faces, width)
      : pooledInput(faces, embedders, own.digest)

  async function apply(rows: Float32Array, count: number): Promise<Float32Array[]> {
    const output =
      name === undefined ? undefined : (await model.run({ data: rows, dims: [count, width] })).get(name)
    if (output === undefined) throw new CameoError('HEAD_INVALID', `the head ${head?.path} has no output`)
    const length = output.data.length / count
    return Array.from({ length: count }, (_, row) => {
      const descriptor = output.data.subarray(row * length, (row + 1) * length)
      if (!Number.isFinite(l2Norm(descriptor)))
        throw new CameoError(
          'HEAD_INVALID',
          `the head ${head?.path} returns values that are not numbers: train it again`,
        )
      return l2Normalise(descriptor)
    })
  }

  const one = async (faces: readonly FaceEmbeddings[]) => firstOf(await apply(input(faces), 1))
  return {
    dimension: (await probe()).length,
    describe: one,
    async describeAll(tracks) {
      if (embedders === undefined) {
        const descriptors: Float32Array[] = []
        for (const faces of tracks) descriptors.push(await one(faces))
        return descriptors
      }
      const rows = new Float32Array(tracks.length * width)
      for (const [row, faces] of tracks.entries()) rows.set(input(faces), row * width)
      return tracks.length === 0 ? [] : apply(rows, tracks.length)
    },
  }

  async function probe(): Promise<Float32Array> {
    try {
      return firstOf(await apply(new Float32Array(width).fill(1 / Math.sqrt(width)), 1))
    } catch (cause) {
      if (cause instanceof CameoError) throw cause
      throw new CameoError(
        'HEAD_INVALID',
        `the head ${head?.path} does not take embeddings of ${width} values (${messageOf(cause).replace(/\s+/g, ' ')}): use a head that was made for these models`,
        { cause },
      )
    }
  }
}

function firstOf([first]: readonly Float32Array[]): Float32Array {
  if (first === undefined) throw new Error('a run of one row returned none')
  return first
}
