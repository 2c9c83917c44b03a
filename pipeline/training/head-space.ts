import { CameoError } from '../common/errors.js'
import { readOnnxTensor } from '../onnx/onnx-file.js'
import { loadGraph, type SessionOptions } from '../models/session.js'
import { classWeightsName } from './training-graph.js'
import { counted } from '../common/counted.js'
import { headNames, type HeadMetadata } from '../describe/head/head-metadata.js'

/** Vectors as rows, [count, dimension] row-major. */
export interface HeadVectors {
  readonly dimension: number
  readonly vectors: Float32Array
}

/** Rows per run, as in `loadHead`. */
const rowsAtOnce = 1024

/**
 * The weights of a head's classes, in the order of its metadata's `classes`, without the noise class. Not normalised.
 * @throws HEAD_INVALID with `name`
 */
export function readClassWeights(
  name: string,
  onnx: Uint8Array,
  { classes }: Pick<HeadMetadata, 'classes'>,
): HeadVectors {
  const tensor = readOnnxTensor(onnx, classWeightsName)
  const [rows, dimension] = tensor?.dims ?? []
  if (tensor === undefined || dimension === undefined || rows !== classes.length + 1)
    throw new CameoError(
      'HEAD_INVALID',
      `the head ${name} has no weights for its ${counted(classes.length, 'class', 'classes')} and noise: train it again`,
    )
  // Class 0 is noise.
  return { dimension, vectors: tensor.data.subarray(dimension) }
}

/**
 * The network's output for pooled embeddings [n, inputDimension]: L2-normalised, in the space of the head's class
 * weights.
 * @throws HEAD_INVALID with `name`, MODEL_UNREADABLE, DEVICE_UNAVAILABLE
 */
export async function headFeatures(
  name: string,
  onnx: Uint8Array,
  pooled: HeadVectors,
  session: Omit<SessionOptions, 'graph'>,
): Promise<HeadVectors> {
  const graph = await loadGraph(name, onnx, session)
  try {
    if (!graph.outputNames.includes(headNames.features))
      throw new CameoError(
        'HEAD_INVALID',
        `the head ${name} has no output "${headNames.features}": an older version wrote it; train it again`,
      )
    const { dimension: inputs } = pooled
    const rows = pooled.vectors.length / inputs
    let [vectors, dimension] = [new Float32Array(0), 0]
    for (let from = 0; from < rows; from += rowsAtOnce) {
      const n = Math.min(rowsAtOnce, rows - from)
      const data = pooled.vectors.subarray(from * inputs, (from + n) * inputs)
      const outputs = await graph.run({ [headNames.input]: { data, dims: [n, inputs] } }, [
        headNames.features,
      ])
      const output = outputs[headNames.features]
      if (output === undefined) throw new Error('the head lacks an output')
      if (from === 0) {
        dimension = output.data.length / n
        vectors = new Float32Array(rows * dimension)
      }
      vectors.set(output.data, from * dimension)
    }
    return { dimension, vectors }
  } finally {
    await graph.dispose()
  }
}
