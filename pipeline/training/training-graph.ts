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

/** A tensor that a step takes in and returns changed. */
export interface StepTensor {
  readonly input: string
  readonly output: string
  readonly dims: readonly number[]
}

export interface TrainingGraph {
  readonly onnx: Uint8Array
  readonly state: readonly StepTensor[]
  /** Outputs: mean and variance of a batch, [1, k], for each standardising layer. */
  readonly statistics: readonly { readonly layer: string; readonly mean: string; readonly variance: string }[]
  /** Inputs [n, k] of 0 and 1/(1 − share). */
  readonly masks: readonly { readonly input: string; readonly width: number; readonly share: number }[]
  /** Multiplications and additions of the matrix products, per row of a batch. */
  readonly productFlopsPerRow: number
}

export interface TrainingGraphOptions {
  readonly network: Network
  /** `class weights` [1 + C, e] and, if the loss has them, `class biases` [1, 1 + C]. */
  readonly classifier: readonly Parameter[]
  readonly classCount: number
  readonly loss: Loss
  /** If absent, the outputs are gradients instead of updated parameters. */
  readonly optimizer?: OptimizerSettings
}

export const classWeightsName = 'class weights'
export const classBiasesName = 'class biases'

/**
 * One step of training as one graph: forward, loss, backward, update. Inputs are the batch (features [n, d], labels [n,
 * 1] int64, row weights [n, 1], is known [n, 1]), the learning rate, every parameter and its moments; outputs are the
 * loss and every parameter and moment after the step.
 */
export function buildTrainingGraph(options: TrainingGraphOptions): TrainingGraph {
  return new TrainingGraphBuilder(options).build()
}

interface BoundParameter {
  readonly parameter: Parameter
  readonly value: Value
}

class TrainingGraphBuilder {
  readonly #options: TrainingGraphOptions
  readonly #graph = new GraphBuilder()
  readonly #features: Value
  readonly #labels: Value
  readonly #rowWeights: Value
  readonly #isKnown: Value
  /** By name. */
  readonly #parameters: ReadonlyMap<string, BoundParameter>
  readonly #statistics: { layer: string; mean: string; variance: string }[] = []
  readonly #masks: { input: string; width: number; share: number }[] = []
  readonly #state: StepTensor[] = []

  constructor(options: TrainingGraphOptions) {
    const { network, classifier } = options
    const graph = this.#graph
    this.#options = options
    this.#features = graph.input(stepNames.features, ['n', network.inputDimension])
    this.#labels = graph.input(stepNames.labels, ['n', 1], 'int64')
    this.#rowWeights = graph.input(stepNames.rowWeights, ['n', 1])
    this.#isKnown = graph.input(stepNames.isKnown, ['n', 1])
    this.#parameters = new Map(
      [...network.parameters, ...classifier].map((parameter) => [
        parameter.name,
        { parameter, value: graph.input(parameter.name, parameter.dims) },
      ]),
    )
  }

  build(): TrainingGraph {
    const loss = this.#loss(this.#forward())
    this.#graph.output(stepNames.loss, loss)
    this.#backward(loss)
    return {
      onnx: writeOnnx(this.#graph.build()),
      state: this.#state,
      statistics: this.#statistics,
      masks: this.#masks,
      productFlopsPerRow: this.#productFlopsPerRow(),
    }
  }

  #valueOf(name: string): Value {
    const known = this.#parameters.get(name)
    if (known === undefined) throw new Error(`there is no parameter ${name}`)
    return known.value
  }

  /** The network's output for the batch, [n, e]. */
  #forward(): Value {
    return this.#options.network.forward(
      {
        graph: this.#graph,
        parameter: (name) => this.#valueOf(name),
        standardise: (layer, x) => this.#standardise(layer, x),
        dropout: (layer, x) => this.#dropout(layer, x),
      },
      this.#features,
    )
  }

  #standardise(layer: string, x: Value): Value {
    const { value, mean, variance } = standardiseBatch(this.#graph, x)
    const names = { layer, mean: `${layer} mean`, variance: `${layer} variance` }
    this.#graph.output(names.mean, mean)
    this.#graph.output(names.variance, variance)
    this.#statistics.push(names)
    return value
  }

  #dropout(layer: string, x: Value): Value {
    const { width, share } = this.#options.network.dropped.get(layer) ?? { width: 0, share: 0 }
    const input = `${layer} mask`
    this.#masks.push({ input, width, share })
    return multiply(this.#graph, x, this.#graph.input(input, ['n', width]))
  }

  #loss(output: Value): Value {
    const graph = this.#graph
    const { loss, classCount } = this.#options
    const classWeights = this.#valueOf(classWeightsName)
    return loss.build(graph, {
      features: output,
      unitFeatures: normaliseRows(graph, output),
      classWeights,
      unitClassWeights: normaliseRows(graph, classWeights),
      biases: loss.scoring === 'linear' ? this.#valueOf(classBiasesName) : graph.scalar(0),
      labels: this.#labels,
      rowWeights: this.#rowWeights,
      isKnown: this.#isKnown,
      classCount,
    })
  }

  /** Gradients of every parameter, and its update if there is an optimizer. */
  #backward(loss: Value): void {
    const { optimizer } = this.#options
    const trained = [...this.#parameters.values()]
    const gradients = this.#graph.gradients(
      loss,
      trained.map(({ value }) => value),
    )
    const update =
      optimizer === undefined ? undefined : { optimizer, rate: this.#graph.input(stepNames.rate, []) }
    for (const [at, bound] of trained.entries()) {
      const gradient = gradients[at]
      if (gradient === undefined) continue
      if (update === undefined) this.#graph.output(`${bound.parameter.name} gradient`, gradient)
      else this.#update(bound, gradient, update.optimizer, update.rate)
    }
  }

  #update(
    { parameter: { name, dims, decays }, value }: BoundParameter,
    gradient: Value,
    optimizer: OptimizerSettings,
    rate: Value,
  ): void {
    const graph = this.#graph
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
    this.#state.push({ input: name, output: `${name} next`, dims }, ...moments)
  }

  /**
   * Each product is computed once forward and twice backward, except in the first layer, because its input needs no
   * gradient.
   */
  #productFlopsPerRow(): number {
    const products = [...this.#parameters.values()].filter(({ parameter }) => parameter.decays)
    return products.reduce((sum, { parameter }) => {
      const [rows = 1, columns = 1] = parameter.dims
      return sum + 2 * rows * columns * (parameter.name === 'w1' ? 2 : 3)
    }, 0)
  }
}
