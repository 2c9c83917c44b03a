import type { GraphBuilder, Value } from '../onnx/graph-builder.js'
import {
  add,
  divide,
  matmul,
  meanOfRows,
  multiply,
  prelu,
  relu,
  silu,
  squareRoot,
  subtract,
} from '../onnx/ops.js'
import { gaussian } from '../common/seeded-random.js'
import type { NetworkSettings } from '../describe/head/head-metadata.js'

export interface Parameter {
  readonly name: string
  readonly dims: readonly number[]
  /** Initial values, row-major. */
  readonly initial: Float32Array
  /** False for biases, slopes and scales, which have no weight decay. */
  readonly decays: boolean
}

/** What differs between training a network and running it. */
export interface ForwardContext {
  readonly graph: GraphBuilder
  readonly parameter: (name: string) => Value
  /** (x − mean) / √variance of [n, k] per column; in training over the batch, later over the training data. */
  readonly standardise: (name: string, x: Value) => Value
  readonly dropout: (name: string, x: Value) => Value
}

export interface Network {
  readonly inputDimension: number
  readonly outputDimension: number
  readonly parameters: readonly Parameter[]
  /** Names and widths of the standardising layers. */
  readonly standardised: ReadonlyMap<string, number>
  /** Names of the layers with dropout, their widths, and the share of values that is dropped. */
  readonly dropped: ReadonlyMap<string, { readonly width: number; readonly share: number }>
  /** x [n, inputDimension] → [n, outputDimension] */
  forward(context: ForwardContext, x: Value): Value
}

/** Keeps the square root of a batch's variance away from 0. */
const varianceFloor = 1e-5

/** Draws the weights as He et al. (ICCV 2015) do. */
export function createNetwork(
  settings: NetworkSettings,
  inputDimension: number,
  random: () => number,
): Network {
  const { kind, width, depth, activation, dropout } = settings
  const parameters: Parameter[] = []
  const standardised = new Map<string, number>()
  const dropped = new Map<string, { width: number; share: number }>()
  const weights = (name: string, rows: number, columns: number, deviation: number) => {
    const initial = Float32Array.from({ length: rows * columns }, () => deviation * gaussian(random))
    parameters.push({ name, dims: [rows, columns], initial, decays: true })
  }
  const row = (name: string, length: number, value: number) =>
    parameters.push({
      name,
      dims: [1, length],
      initial: new Float32Array(length).fill(value),
      decays: false,
    })
  for (let layer = 1; layer <= (kind === 'paper' ? depth + 1 : depth); layer++) {
    const inputs = layer === 1 ? inputDimension : width
    weights(`w${layer}`, inputs, width, Math.sqrt(2 / inputs))
    row(`b${layer}`, width, 0)
    if (kind === 'paper') {
      row(`scale${layer}`, width, 1)
      standardised.set(`layer${layer}`, width)
    }
    if (activation === 'prelu') row(`slope${layer}`, width, 0.25)
    if (dropout > 0) dropped.set(`layer${layer}`, { width, share: dropout })
  }
  if (kind === 'residual') weights('out', width, inputDimension, 0)

  function layerOf(
    { graph, parameter, standardise, dropout: drop }: ForwardContext,
    x: Value,
    layer: number,
  ) {
    const product = matmul(graph, x, parameter(`w${layer}`))
    const scaled =
      kind === 'paper'
        ? multiply(graph, standardise(`layer${layer}`, product), parameter(`scale${layer}`))
        : product
    const biased = add(graph, scaled, parameter(`b${layer}`))
    const active =
      activation === 'prelu'
        ? prelu(graph, biased, parameter(`slope${layer}`))
        : activation === 'relu'
          ? relu(graph, biased)
          : silu(graph, biased)
    return dropout > 0 ? drop(`layer${layer}`, active) : active
  }

  return {
    inputDimension,
    outputDimension: kind === 'paper' ? width : inputDimension,
    parameters,
    standardised,
    dropped,
    forward(context, x) {
      const { graph, parameter } = context
      let hidden = layerOf(context, x, 1)
      if (kind === 'paper') {
        for (let layer = 2; layer <= depth + 1; layer++)
          hidden = add(graph, layerOf(context, hidden, layer), hidden)
        return hidden
      }
      for (let layer = 2; layer <= depth; layer++) hidden = layerOf(context, hidden, layer)
      return add(graph, x, matmul(graph, hidden, parameter('out')))
    },
  }
}

export interface Standardised {
  readonly value: Value
  /** [1, k], of the batch. */
  readonly mean: Value
  readonly variance: Value
}

/** Batch normalisation without its scale and shift (Ioffe and Szegedy, arXiv 1502.03167). */
export function standardiseBatch(graph: GraphBuilder, x: Value): Standardised {
  const mean = meanOfRows(graph, x)
  const centred = subtract(graph, x, mean)
  const variance = meanOfRows(graph, multiply(graph, centred, centred))
  return { value: overDeviation(graph, centred, variance), mean, variance }
}

export function overDeviation(graph: GraphBuilder, centred: Value, variance: Value): Value {
  return divide(graph, centred, squareRoot(graph, add(graph, variance, graph.scalar(varianceFloor))))
}
