import type { GraphTensor } from '../models/session.js'
import type { Network, Parameter } from './network.js'
import type { TrainingGraph } from './training-graph.js'

/** A trained network with its classifier: every tensor by its name. */
export type HeadTensors = ReadonlyMap<
  string,
  { readonly dims: readonly number[]; readonly data: Float32Array }
>

type MutableTensors = Map<string, { dims: readonly number[]; data: Float32Array }>

/** How slowly a layer's stored mean and variance follow those of its batches. */
const statisticsMomentum = 0.9

/**
 * The tensors that training changes: parameters, the optimizer's moments, and the layers' means and variances. A step
 * reads one copy of every tensor and writes the other.
 */
export class StepTensors {
  readonly #step: Pick<TrainingGraph, 'state' | 'statistics'>
  readonly #current: MutableTensors
  readonly #spare: MutableTensors

  constructor(
    network: Network,
    classifier: readonly Parameter[],
    step: Pick<TrainingGraph, 'state' | 'statistics'>,
  ) {
    this.#step = step
    this.#current = startingTensors(network, classifier, step)
    this.#spare = new Map(
      [...this.#current].map(([name, { dims, data }]) => [
        name,
        { dims, data: new Float32Array(data.length) },
      ]),
    )
  }

  /** The current tensors, not copied: valid until the next step. */
  get current(): HeadTensors {
    return this.#current
  }

  /** The tensors that a step writes its outputs to, by output name. */
  get outputs(): Record<string, GraphTensor> {
    const outputs: Record<string, GraphTensor> = {}
    for (const { input, output } of this.#step.state) {
      const target = this.#spare.get(input)
      if (target !== undefined) outputs[output] = target
    }
    return outputs
  }

  /**
   * Call it after a step: the written tensors become the current ones. `results` holds the batch's means and variances.
   */
  advance(results: Readonly<Record<string, { readonly data: ArrayLike<number> } | undefined>>): void {
    for (const { input } of this.#step.state) {
      const [old, next] = [this.#current.get(input), this.#spare.get(input)]
      if (old === undefined || next === undefined) continue
      this.#current.set(input, next)
      this.#spare.set(input, old)
    }
    for (const { mean, variance } of this.#step.statistics)
      for (const name of [mean, variance]) follow(this.#current.get(name)?.data, results[name]?.data)
  }

  copy(): HeadTensors {
    return new Map([...this.#current].map(([name, { dims, data }]) => [name, { dims, data: data.slice() }]))
  }

  /** Takes the values from `tensors`; tensors with other names are ignored. */
  restore(tensors: HeadTensors): void {
    for (const [name, { data }] of tensors) this.#current.get(name)?.data.set(data)
  }
}

function follow(kept: Float32Array | undefined, seen: ArrayLike<number> | undefined): void {
  if (kept === undefined || seen === undefined) return
  for (let i = 0; i < kept.length; i++)
    kept[i] = statisticsMomentum * (kept[i] ?? 0) + (1 - statisticsMomentum) * (seen[i] ?? 0)
}

function startingTensors(
  network: Network,
  classifier: readonly Parameter[],
  step: Pick<TrainingGraph, 'state' | 'statistics'>,
): MutableTensors {
  const tensors: MutableTensors = new Map()
  const zeros = (name: string, dims: readonly number[], value = 0) =>
    tensors.set(name, { dims, data: new Float32Array(dims.reduce((a, b) => a * b, 1)).fill(value) })
  for (const { name, dims, initial } of [...network.parameters, ...classifier])
    tensors.set(name, { dims, data: initial.slice() })
  for (const { input, dims } of step.state) if (!tensors.has(input)) zeros(input, dims)
  for (const { layer, mean, variance } of step.statistics) {
    const width = network.standardised.get(layer) ?? 0
    zeros(mean, [1, width])
    zeros(variance, [1, width], 1)
  }
  return tensors
}
