import { performance } from 'node:perf_hooks'
import { loadGraph, type Graph, type GraphTensor, type SessionOptions } from '../models/session.js'
import { poolFaces, facesOf, normaliseAt } from './face-columns.js'
import type { Loss } from './losses/loss.js'
import type { Network, Parameter } from './network.js'
import { rateCorrection, type OptimizerSettings } from './optimizer.js'
import { inputDimension } from '../describe/pooled-input.js'
import { seededPart } from '../common/seeded-random.js'
import { createSampler, type Sampler, type SamplingOptions, type TrainingRows } from './sampler.js'
import { StepTensors, type HeadTensors } from './step-tensors.js'
import {
  buildTrainingGraph,
  classBiasesName,
  classWeightsName,
  stepNames,
  type TrainingGraph,
} from './training-graph.js'

export interface TrainerOptions {
  readonly rows: TrainingRows
  readonly network: Network
  readonly loss: Loss
  readonly optimizer: OptimizerSettings
  readonly sampling: SamplingOptions
  readonly batch: number
  readonly learningRate: number
  /** Factor of the learning rate after a share of the training is done, 0..1. */
  readonly schedule: (doneShare: number) => number
  readonly epochs: number
  readonly seed: number
  readonly session: Pick<SessionOptions, 'device' | 'intraOpThreads'>
}

export interface EpochResult {
  /** From 1. */
  readonly epoch: number
  /** Mean over the epoch's samples. */
  readonly loss: number
  readonly seconds: number
  /** Rate of the matrix products, 1e9 multiplications and additions per second. */
  readonly gflops: number
}

export interface TrainerState {
  readonly epoch: number
  readonly tensors: HeadTensors
}

/** Throws DEVICE_UNAVAILABLE as `loadGraph` does. */
export async function createTrainer(options: TrainerOptions): Promise<Trainer> {
  const { rows, network, loss, optimizer } = options
  const classifier = createClassifier(options)
  const step = buildTrainingGraph({ network, classifier, classCount: rows.classCount, loss, optimizer })
  const graph = await loadGraph('training step', step.onnx, options.session)
  return new Trainer(options, step, graph, new StepTensors(network, classifier, step))
}

/** Trains a head epoch by epoch. */
export class Trainer {
  readonly #options: TrainerOptions
  readonly #step: TrainingGraph
  readonly #graph: Graph
  readonly #tensors: StepTensors
  readonly #sampler: Sampler
  readonly #batch: number
  readonly #stepsPerEpoch: number
  /** The features of one batch. */
  readonly #samples: Float32Array
  #epoch = 0

  constructor(options: TrainerOptions, step: TrainingGraph, graph: Graph, tensors: StepTensors) {
    const { rows, sampling, seed } = options
    this.#options = options
    this.#step = step
    this.#graph = graph
    this.#tensors = tensors
    this.#sampler = createSampler(rows, sampling, seed)
    this.#batch = Math.min(options.batch, rows.labels.length)
    this.#stepsPerEpoch = Math.ceil(rows.labels.length / this.#batch)
    this.#samples = new Float32Array(this.#batch * inputDimension(rows.faces.columns))
  }

  /** Trains one more epoch. `onStep` is called after each step of the epoch and awaited. */
  async epoch(onStep?: (done: number, steps: number) => void | Promise<void>): Promise<EpochResult> {
    const startedMs = performance.now()
    const [batch, steps] = [this.#batch, this.#stepsPerEpoch]
    const order = this.#sampler.order(this.#epoch)
    const random = seededPart(this.#options.seed, 3, this.#epoch)
    let total = 0
    for (let k = 0; k < steps; k++) {
      const chosen = order.subarray(k * batch, (k + 1) * batch)
      total += (await this.#runStep(chosen, this.#epoch * steps + k, random)) * chosen.length
      await onStep?.(k + 1, steps)
    }
    this.#epoch++
    const seconds = (performance.now() - startedMs) / 1000
    const gflops = (this.#step.productFlopsPerRow * order.length) / seconds / 1e9
    return { epoch: this.#epoch, loss: total / order.length, seconds, gflops }
  }

  /** Copies of the current state: parameters, the layers' means and variances, and the optimizer's moments. */
  state(): TrainerState {
    return { epoch: this.#epoch, tensors: this.#tensors.copy() }
  }

  restore({ epoch, tensors }: TrainerState): void {
    this.#epoch = epoch
    this.#tensors.restore(tensors)
  }

  /** The current tensors, not copied: valid until the next epoch. */
  tensors(): HeadTensors {
    return this.#tensors.current
  }

  dispose(): Promise<void> {
    return this.#graph.dispose()
  }

  /** Returns the batch's loss. */
  async #runStep(chosen: Int32Array, stepNumber: number, random: () => number): Promise<number> {
    const feeds = {
      ...this.#batchFeeds(chosen, random),
      [stepNames.rate]: { data: Float32Array.of(this.#rateAt(stepNumber)), dims: [] },
      ...this.#maskFeeds(chosen.length, random),
      ...Object.fromEntries(this.#tensors.current),
    }
    // The runtime refuses names that the graph does not have.
    const inputs = Object.fromEntries(
      Object.entries(feeds).filter(([name]) => this.#graph.inputNames.includes(name)),
    )
    const { state, statistics } = this.#step
    const outputs = [stepNames.loss, ...state.map(({ output }) => output)]
    for (const { mean, variance } of statistics) outputs.push(mean, variance)
    const results = await this.#graph.run(inputs, outputs, this.#tensors.outputs)
    this.#tensors.advance(results)
    return results[stepNames.loss]?.data[0] ?? Number.NaN
  }

  /** The chosen rows, n of them. */
  #batchFeeds(chosen: Int32Array, random: () => number): Record<string, GraphTensor> {
    const n = chosen.length
    const { rows } = this.#options
    const dimension = inputDimension(rows.faces.columns)
    this.#sampler.fill(chosen, random, this.#samples)
    const labels = chosen.map((row) => rows.labels[row] ?? 0)
    return {
      [stepNames.features]: { data: this.#samples.subarray(0, n * dimension), dims: [n, dimension] },
      [stepNames.labels]: { data: BigInt64Array.from(labels, BigInt), dims: [n, 1] },
      [stepNames.rowWeights]: { data: new Float32Array(n).fill(1 / n), dims: [n, 1] },
      [stepNames.isKnown]: { data: Float32Array.from(labels, (label) => (label > 0 ? 1 : 0)), dims: [n, 1] },
    }
  }

  /** Dropout masks for n rows, for each layer with dropout: 0, or 1 / (1 − share). */
  #maskFeeds(n: number, random: () => number): Record<string, GraphTensor> {
    return Object.fromEntries(
      this.#step.masks.map(({ input, width, share }) => {
        const data = Float32Array.from({ length: n * width }, () => (random() < share ? 0 : 1 / (1 - share)))
        return [input, { data, dims: [n, width] }]
      }),
    )
  }

  #rateAt(stepNumber: number): number {
    const { learningRate, schedule, epochs, optimizer } = this.#options
    const rate = learningRate * schedule(stepNumber / (this.#stepsPerEpoch * epochs))
    return rate * rateCorrection(optimizer, stepNumber + 1)
  }
}

/**
 * Class weights begin at the centres of their classes if the network begins as the identity; otherwise they are random.
 */
function createClassifier({ rows, network, loss, seed }: TrainerOptions): Parameter[] {
  const { faces, tracks, labels, classCount } = rows
  const width = network.outputDimension
  const initial = new Float32Array((classCount + 1) * width)
  const random = seededPart(seed, 4)
  if (width === inputDimension(faces.columns)) {
    const pooled = new Float32Array(width)
    for (const [row, label] of labels.entries()) {
      poolFaces(faces, facesOf(faces, tracks[row] ?? 0), 'quality', pooled)
      for (let i = 0; i < width; i++)
        initial[label * width + i] = (initial[label * width + i] ?? 0) + (pooled[i] ?? 0)
    }
  }
  for (let label = 0; label <= classCount; label++) {
    const from = label * width
    if (initial.subarray(from, from + width).every((value) => value === 0))
      for (let i = 0; i < width; i++) initial[from + i] = random() - 0.5
    normaliseAt(initial, from, width)
  }
  const weights: Parameter = { name: classWeightsName, dims: [classCount + 1, width], initial, decays: true }
  if (loss.scoring === 'cosine') return [weights]
  const biases = new Float32Array(classCount + 1)
  return [weights, { name: classBiasesName, dims: [1, classCount + 1], initial: biases, decays: false }]
}
