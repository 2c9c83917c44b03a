import type { GraphBuilder, Value } from '../../onnx/graph-builder.js'

/** Inputs of a loss for a batch of n rows and C classes. Class 0 comes first and is noise: strangers of all kinds. */
export interface LossInputs {
  /** [n, e], the head's output; not normalised. */
  readonly features: Value
  /** [n, e], of length 1. */
  readonly unitFeatures: Value
  /** [1 + C, e] */
  readonly classWeights: Value
  /** [1 + C, e], of length 1. */
  readonly unitClassWeights: Value
  /** [1, 1 + C]; only the plain softmax uses them. */
  readonly biases: Value
  /** [n, 1] int64, 0..C. */
  readonly labels: Value
  /** [n, 1]: the weight of each row; they sum to 1. */
  readonly rowWeights: Value
  /** [n, 1]: 1 for a row with a class, 0 for a noise row. */
  readonly isKnown: Value
  readonly classCount: number
}

export interface Loss {
  readonly name: string
  /** True if batches need several rows of each class. */
  readonly needsPairs: boolean
  /** How class scores are computed for a head that was trained with this loss. */
  readonly scoring: 'cosine' | 'linear'
  /** Factor of the cosines in the softmax. */
  readonly scale: number
  /** A scalar. */
  build(graph: GraphBuilder, inputs: LossInputs): Value
}

/** Cosines are kept this far from ±1 before arccos, because its slope is infinite there. */
export const cosineLimit = 1 - 1e-6
