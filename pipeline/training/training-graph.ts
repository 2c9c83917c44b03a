import { writeOnnx } from '../onnx/onnx-file.js'
import { GraphBuilder, type Value } from '../onnx/graph-builder.js'
import type { Loss } from './losses/loss.js'
import { standardiseBatch, type Network, type Parameter } from './network.js'
import { normaliseRows, multiply } from '../onnx/ops.js'
import { momentsOf, updateOf, type OptimizerSettings } from './optimizer.js'

/** Names of the training graph's inputs and outputs that are not parameters. */
export const stepNames = {
  features: 'features',
  labels: 'labels',
  rowWeights: 'row weights',
  isKnown: 'is known',
  rate: 'rate',
  loss: 'loss',
} as const

/** Tensors that go into a step and come out changed. */
export interface StepTensor {
  readonly input: string
  readonly output: string
  readonly dims: readonly number[]
}

export interface TrainingGraph {
  readonly onnx: Uint8Array
  readonly state: readonly StepTensor[]
  /** Outputs: mean and variance of a batch, [1, k], of each layer that standardises. */
  readonly statistics: readonly { readonly layer: string; readonly mean: string; readonly variance: string }[]
  /** Inputs [n, k] of 0 and 1/(1 − share). */
  readonly masks: readonly { readonly input: string; readonly width: number; readonly share: number }[]
  /** Multiplications and additions of the matrix products, for a row of a batch. */
  readonly productFlopsPerRow: number
}

export interface TrainingGraphOptions {
  readonly network: Network
  /** `class weights` [1 + C, e] and, where the loss has them, `class biases` [1, 1 + C]. */
  readonly classifier: readonly Parameter[]
  readonly classCount: number
  readonly loss: Loss
  /** Absent: gradients come out instead of updated parameters. */
  readonly optimizer?: OptimizerSettings
}

export const classWeightsName = 'class weights'
export const classBiasesName = 'class biases'

/**
 * One step of training as one graph: forward, loss, backward, update. Inputs are the batch (features [n, d], labels
 * [n, 1] int64, row weights [n, 1], is known [n, 1]), the learning rate, every parameter and its moments; outputs the loss and
 * every parameter and moment as it is after the step.
 */
export function buildTrainingGraph(options: TrainingGraphOptions): TrainingGraph {
  const { network, classifier, loss, optimizer, classCount } = options
  const graph = new GraphBuilder()
  const features = graph.input(stepNames.features, ['n', network.inputDimension])
  const labels = graph.input(stepNames.labels, ['n', 1], 'int64')
  const rowWeights = graph.input(stepNames.rowWeights, ['n', 1])
  const isKnown = graph.input(stepNames.isKnown, ['n', 1])
  const parameters = new Map<string, { readonly parameter: Parameter; readonly value: Value }>()
  for (const parameter of [...network.parameters, ...classifier])
    parameters.set(parameter.name, { parameter, value: graph.input(parameter.name, parameter.dims) })
  const valueOf = (name: string): Value => {
    const known = parameters.get(name)
    if (known === undefined) throw new Error(`there is no parameter ${name}`)
    return known.value
  }
  const statistics: { layer: string; mean: string; variance: string }[] = []
  const masks: { input: string; width: number; share: number }[] = []
  const output = network.forward(
    {
      graph,
      parameter: valueOf,
      standardise(layer, x) {
        const { value, mean, variance } = standardiseBatch(graph, x)
        const names = { layer, mean: `${layer} mean`, variance: `${layer} variance` }
        graph.output(names.mean, mean)
        graph.output(names.variance, variance)
        statistics.push(names)
        return value
      },
      dropout(layer, x) {
        const { width, share } = network.dropped.get(layer) ?? { width: 0, share: 0 }
        const input = `${layer} mask`
        masks.push({ input, width, share })
        return multiply(graph, x, graph.input(input, ['n', width]))
      },
    },
    features,
  )
  const classWeights = valueOf(classWeightsName)
  const total = loss.build(graph, {
    features: output,
    unitFeatures: normaliseRows(graph, output),
    classWeights,
    unitClassWeights: normaliseRows(graph, classWeights),
    biases: loss.scoring === 'linear' ? valueOf(classBiasesName) : graph.scalar(0),
    labels,
    rowWeights,
    isKnown,
    classCount,
  })
  graph.output(stepNames.loss, total)
  const trained = [...parameters.values()]
  const gradients = graph.gradients(
    total,
    trained.map(({ value }) => value),
  )
  const state: StepTensor[] = []
  const rate = optimizer === undefined ? undefined : graph.input(stepNames.rate, [])
  for (const [at, { parameter, value }] of trained.entries()) {
    const gradient = gradients[at]
    if (gradient === undefined) continue
    const { name, dims, decays } = parameter
    if (optimizer === undefined || rate === undefined) {
      graph.output(`${name} gradient`, gradient)
      continue
    }
    const moments = momentsOf(optimizer).map((moment) => ({
      input: `${name} ${moment}`,
      output: `${name} ${moment} next`,
      dims,
    }))
    const update = updateOf(graph, optimizer, decays, {
      parameter: value,
      gradient,
      moments: moments.map(({ input }) => graph.input(input, dims)),
      rate,
    })
    graph.output(`${name} next`, update.parameter)
    update.moments.forEach((moment, k) => graph.output(moments[k]?.output ?? '', moment))
    state.push({ input: name, output: `${name} next`, dims }, ...moments)
  }
  // Each product is done once forward and twice backward, but for the first layer, whose input needs no gradient.
  const products = [...parameters.values()].filter(({ parameter }) => parameter.decays)
  const productFlopsPerRow = products.reduce((sum, { parameter }) => {
    const [rows = 1, columns = 1] = parameter.dims
    return sum + 2 * rows * columns * (parameter.name === 'w1' ? 2 : 3)
  }, 0)
  return { onnx: writeOnnx(graph.build()), state, statistics, masks, productFlopsPerRow }
}
