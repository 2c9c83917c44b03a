import { readFile } from 'node:fs/promises'
import { basename } from 'node:path'
import { messageOf } from '../../common/errors.js'
import { createBatchingModel } from './batching.js'
import type { DeviceChoice } from '../device.js'
import { withDynamicBatch } from '../../onnx/make-batch-dynamic.js'
import { withOneOutput } from '../../onnx/select-output.js'
import { loadModel, type Model } from '../session.js'
import type { Tensor } from '../../data/tensor.js'

/** A batch holds at most this much input: 32 detections at 320×240, 8 at 640×640. */
const batchBytes = 40 * 2 ** 20

/**
 * How far an item's outputs in a batch may be from its outputs in a single run, as a share of the distance between the
 * outputs of two different items; mixed-up items give 1. GPUs round by about 1e-3 of the values, and the outputs of a
 * detector for two pictures without a face differ by 1e-2.
 */
const sameShare = 0.25

export interface BatchedLoadOptions {
  readonly device: DeviceChoice
  /** The only tensor that is needed: see `ModelLoader`. */
  readonly output?: string | undefined
  /** Called if a model can only run one item at a time. */
  readonly onNotice: (text: string) => void
}

/**
 * Loads an ONNX file so that concurrent runs of [1, …] go through the device in batches. The file states a batch of 1.
 * A copy that takes any batch size is made in memory and compared with the original; if the results differ, items run
 * one at a time.
 * @param itemDims [1, …]: the shape of the input of every run
 * @throws the same errors as `loadModel`
 */
export async function loadBatched(
  path: string,
  itemDims: readonly number[],
  { device, output, onNotice }: BatchedLoadOptions,
): Promise<Model> {
  const graph = output === undefined ? undefined : withOneOutput(await readFile(path), output)
  const single = await loadModel(path, { device, ...(graph === undefined ? {} : { graph }) })
  let several: Model | undefined
  try {
    several = await loadModel(path, { device, graph: withDynamicBatch(graph ?? (await readFile(path))) })
    await checkBatch(single, several, itemDims)
  } catch (error) {
    await several?.dispose()
    onNotice(`${basename(path)} runs one item at a time, not in batches: ${messageOf(error)}`)
    return createBatchingModel(single, { itemDims, maxBatch: 1 })
  }
  await single.dispose()
  const itemBytes = itemDims.reduce((product, size) => product * size, Float32Array.BYTES_PER_ELEMENT)
  return createBatchingModel(several, { itemDims, maxBatch: Math.floor(batchBytes / itemBytes) })
}

/** Throws if a batch of two gives other results than two single runs. */
async function checkBatch(single: Model, several: Model, itemDims: readonly number[]): Promise<void> {
  const length = itemDims.reduce((product, size) => product * size, 1)
  const width = itemDims.at(-1) ?? 1
  const items = [noise(length), stripes(length, width)].map((data): Tensor => ({ data, dims: itemDims }))
  const stacked = new Float32Array(2 * length)
  items.forEach(({ data }, index) => stacked.set(data, index * length))
  const alone: ReadonlyMap<string, Tensor>[] = []
  for (const item of items) alone.push(await single.run(item))
  const together = await several.run({ data: stacked, dims: [2, ...itemDims.slice(1)] })
  for (const name of single.outputNames) {
    const [first, second] = alone.map((outputs) => outputs.get(name)?.data ?? new Float32Array(0))
    const both = together.get(name)?.data
    if (first === undefined || second === undefined || both?.length !== first.length + second.length)
      throw new Error(`its output ${name} does not grow with the batch`)
    const apart = distance(first, second)
    const error =
      distance(first, both.subarray(0, first.length)) + distance(second, both.subarray(first.length))
    if (!(error <= sameShare * apart)) throw new Error(`its output ${name} differs in a batch`)
  }
}

/** Values −1 … 1 that are the same on every load (Lehmer's generator). */
function noise(length: number): Float32Array {
  let state = 1
  return Float32Array.from({ length }, () => {
    state = (state * 48_271) % 0x7fff_ffff
    return (state / 0x7fff_ffff) * 2 - 1
  })
}

/** A pattern that is very different from noise, so that the outputs differ. */
function stripes(length: number, width: number): Float32Array {
  return Float32Array.from({ length }, (_, i) => Math.sin(((i % width) / width) * 7 + i / length))
}

/** Euclidean distance. */
function distance(a: Float32Array, b: Float32Array): number {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += ((a[i] ?? 0) - (b[i] ?? 0)) ** 2
  return Math.sqrt(sum)
}
