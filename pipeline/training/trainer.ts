import { performance } from 'node:perf_hooks'
import { loadGraph, type GraphTensor, type SessionOptions } from '../models/session.js'
import { poolFaces, facesOf, normaliseAt } from './face-columns.js'
import type { Loss } from './losses/loss.js'
import type { Network, Parameter } from './network.js'
import { rateCorrection, type OptimizerSettings } from './optimizer.js'
import { inputDimension } from '../describe/pooled-input.js'
import { seededPart } from '../common/seeded-random.js'
import { createSampler, type SamplingOptions, type TrainingRows } from './sampler.js'
import {
  buildTrainingGraph,
  classBiasesName,
  classWeightsName,
  stepNames,
  type TrainingGraph,
} from './training-graph.js'

/** A trained network with its classifier: every tensor by its name. */
export type HeadTensors = ReadonlyMap<
  string,
  { readonly dims: readonly number[]; readonly data: Float32Array }
>

export interface TrainerOptions {
  readonly rows: TrainingRows
  readonly network: Network
  readonly loss: Loss
  readonly optimizer: OptimizerSettings
  readonly sampling: SamplingOptions
  readonly batch: number
  readonly learningRate: number
  /** Factor of the learning rate while a share of the training is done, 0..1. */
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
  /** Of the matrix products, 1e9 multiplications and additions a second. */
  readonly gflops: number
}

export interface TrainerState {
  readonly epoch: number
  readonly tensors: HeadTensors
}

export interface Trainer {
  /** Trains one epoch more. `onStep` is told of each step of the epoch, and waited for. */
  epoch(onStep?: (done: number, steps: number) => void | Promise<void>): Promise<EpochResult>
  /** As it is now: parameters, what layers standardise by, and the optimizer's moments. Copies. */
  state(): TrainerState
  restore(state: TrainerState): void
  /** As they are now, not copied: good until the next epoch. */
  tensors(): HeadTensors
  dispose(): Promise<void>
}

/** How fast what a layer standardises by follows its batches. */
const statisticsMomentum = 0.9

/** Throws DEVICE_UNAVAILABLE as `loadGraph` does. */
export async function createTrainer(options: TrainerOptions): Promise<Trainer> {
  const { rows, network, loss, optimizer, sampling, seed } = options
  const dimension = inputDimension(rows.faces.columns)
  const classifier = createClassifier(options)
  const step = buildTrainingGraph({ network, classifier, classCount: rows.classCount, loss, optimizer })
  const graph = await loadGraph('training step', step.onnx, options.session)
  const sampler = createSampler(rows, sampling, seed)
  const batch = Math.min(options.batch, rows.labels.length)
  const steps = Math.ceil(rows.labels.length / batch)
  const samples = new Float32Array(batch * dimension)
  const tensors = startingTensors(network, classifier, step)
  // A step reads one copy of every tensor and writes the other.
  const spare: typeof tensors = new Map(
    [...tensors].map(([name, { dims, data }]) => [name, { dims, data: new Float32Array(data.length) }]),
  )
  let epoch = 0

  async function runStep(chosen: Int32Array, stepNumber: number, random: () => number): Promise<number> {
    const n = chosen.length
    sampler.fill(chosen, random, samples)
    const labels = chosen.map((row) => rows.labels[row] ?? 0)
    const rate = options.learningRate * options.schedule(stepNumber / (steps * options.epochs))
    const feeds: Record<string, GraphTensor> = {
      [stepNames.features]: { data: samples.subarray(0, n * dimension), dims: [n, dimension] },
      [stepNames.labels]: { data: BigInt64Array.from(labels, BigInt), dims: [n, 1] },
      [stepNames.rowWeights]: { data: new Float32Array(n).fill(1 / n), dims: [n, 1] },
      [stepNames.isKnown]: { data: Float32Array.from(labels, (label) => (label > 0 ? 1 : 0)), dims: [n, 1] },
      [stepNames.rate]: {
        data: Float32Array.of(rate * rateCorrection(optimizer, stepNumber + 1)),
        dims: [],
      },
    }
    for (const { input, width, share } of step.masks) {
      const data = Float32Array.from({ length: n * width }, () => (random() < share ? 0 : 1 / (1 - share)))
      feeds[input] = { data, dims: [n, width] }
    }
    const into: Record<string, GraphTensor> = {}
    for (const [name, tensor] of tensors) feeds[name] = tensor
    for (const { input, output } of step.state) {
      const target = spare.get(input)
      if (target !== undefined) into[output] = target
    }
    // Names the graph does not have are refused by the runtime.
    const inputs = Object.fromEntries(
      Object.entries(feeds).filter(([name]) => graph.inputNames.includes(name)),
    )
    const outputs = [stepNames.loss, ...step.state.map(({ output }) => output)]
    for (const { mean, variance } of step.statistics) outputs.push(mean, variance)
    const results = await graph.run(inputs, outputs, into)
    for (const { input } of step.state) {
      const [old, next] = [tensors.get(input), spare.get(input)]
      if (old === undefined || next === undefined) continue
      tensors.set(input, next)
      spare.set(input, old)
    }
    for (const { mean, variance } of step.statistics)
      for (const name of [mean, variance]) follow(tensors.get(name)?.data, results[name]?.data)
    return results[stepNames.loss]?.data[0] ?? Number.NaN
  }

  return {
    async epoch(onStep) {
      const startedMs = performance.now()
      const order = sampler.order(epoch)
      const random = seededPart(seed, 3, epoch)
      let total = 0
      for (let k = 0; k < steps; k++) {
        const chosen = order.subarray(k * batch, (k + 1) * batch)
        total += (await runStep(chosen, epoch * steps + k, random)) * chosen.length
        await onStep?.(k + 1, steps)
      }
      epoch++
      const seconds = (performance.now() - startedMs) / 1000
      const gflops = (step.productFlopsPerRow * order.length) / seconds / 1e9
      return { epoch, loss: total / order.length, seconds, gflops }
    },
    state: () => ({
      epoch,
      tensors: new Map([...tensors].map(([name, { dims, data }]) => [name, { dims, data: data.slice() }])),
    }),
    restore(state) {
      epoch = state.epoch
      for (const [name, { data }] of state.tensors) tensors.get(name)?.data.set(data)
    },
    tensors: () => tensors,
    dispose: () => graph.dispose(),
  }
}

function follow(kept: Float32Array | undefined, seen: Float32Array | undefined): void {
  if (kept === undefined || seen === undefined) return
  for (let i = 0; i < kept.length; i++)
    kept[i] = statisticsMomentum * (kept[i] ?? 0) + (1 - statisticsMomentum) * (seen[i] ?? 0)
}

/** Class weights begin at the centres of their classes, where the network begins as the identity; else at random. */
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

function startingTensors(network: Network, classifier: readonly Parameter[], step: TrainingGraph) {
  const tensors = new Map<string, { dims: readonly number[]; data: Float32Array }>()
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
