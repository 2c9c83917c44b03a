import type { GraphBuilder, Value } from '../../onnx/graph-builder.js'

/** What a loss is made of, for a batch of n rows, C classes after class 0, which is noise: strangers of all kinds. */
export interface LossInputs {
  /** [n, e], what the head gives; not normalised. */
  readonly features: Value
  /** [n, e], of length 1. */
  readonly unitFeatures: Value
  /** [1 + C, e] */
  readonly classWeights: Value
  /** [1 + C, e], of length 1. */
  readonly unitClassWeights: Value
  /** [1, 1 + C]; used by the plain softmax alone. */
  readonly biases: Value
  /** [n, 1] int64, 0..C. */
  readonly labels: Value
  /** [n, 1]: how much a row counts; they sum to 1. */
  readonly rowWeights: Value
  /** [n, 1]: 1 for a row of a class, 0 for one of noise. */
  readonly isKnown: Value
  readonly classCount: number
}

export interface Loss {
  readonly name: string
  /** True where batches need several rows of each class. */
  readonly needsPairs: boolean
  /** How class scores are read off a head that was trained so. */
  readonly scoring: 'cosine' | 'linear'
  /** Factor of the cosines in the softmax. */
  readonly scale: number
  /** A scalar. */
  build(graph: GraphBuilder, inputs: LossInputs): Value
}

/** Cosines are kept this far from ±1 before arccos, whose slope is endless there. */
export const cosineLimit = 1 - 1e-6
