import { GraphBuilder, type Value } from '../onnx/graph-builder.js'
import type { Loss } from './losses/loss.js'
import type { Network } from './network.js'
import { overDeviation } from './network.js'
import { add, matmul, normaliseRows, scale, subtract } from '../onnx/ops.js'
import { classBiasesName, classWeightsName } from './training-graph.js'
import { headNames } from '../describe/head/head-metadata.js'

export interface InferenceOptions {
  readonly network: Network
  readonly loss: Pick<Loss, 'scoring' | 'scale'>
  /** Share of the network's change to its input that goes into the descriptor, 0..1; residual networks only. */
  readonly residualShare: number
}

/**
 * The graph of a trained head, without dropout: pooled embeddings [n, d] →
 * - scores [n, 1 + C]: log-probabilities of noise and the classes;
 * - descriptor [n, e]: L2-normalised, for people without a class;
 * - features [n, e]: the network's output, L2-normalised, in the space of the class weights. It equals the descriptor
 *   unless the residual share is below 1.
 * @param tensor returns a parameter, or the `LAYER mean` and `LAYER variance` of a standardising layer
 */
export function buildInferenceGraph(
  { network, loss, residualShare }: InferenceOptions,
  tensor: (graph: GraphBuilder, name: string) => Value,
): GraphBuilder {
  const graph = new GraphBuilder()
  const known = new Map<string, Value>()
  const valueOf = (name: string): Value => {
    const value = known.get(name) ?? tensor(graph, name)
    known.set(name, value)
    return value
  }
  const x = graph.input(headNames.input, ['n', network.inputDimension])
  const features = network.forward(
    {
      graph,
      parameter: valueOf,
      standardise: (layer, value) =>
        overDeviation(graph, subtract(graph, value, valueOf(`${layer} mean`)), valueOf(`${layer} variance`)),
      dropout: (_layer, value) => value,
    },
    x,
  )
  const unitFeatures = normaliseRows(graph, features)
  const classWeights = valueOf(classWeightsName)
  const logits =
    loss.scoring === 'linear'
      ? add(graph, matmul(graph, features, classWeights, { transposeB: true }), valueOf(classBiasesName))
      : matmul(graph, scale(graph, unitFeatures, loss.scale), normaliseRows(graph, classWeights), {
          transposeB: true,
        })
  graph.output(headNames.scores, graph.node('LogSoftmax', [logits], logits.dims, { attributes: { axis: 1 } }))
  const isWhole = residualShare === 1 || network.outputDimension !== network.inputDimension
  const descriptor = isWhole
    ? unitFeatures
    : normaliseRows(graph, add(graph, x, scale(graph, subtract(graph, features, x), residualShare)))
  graph.output(headNames.descriptor, descriptor)
  graph.output(headNames.features, unitFeatures)
  return graph
}
