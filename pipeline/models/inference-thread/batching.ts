import type { Model } from '../session.js'
import type { Tensor } from '../../data/tensor.js'

/**
 * The batch sizes that are run; batches in between are padded. A GPU runs an exhaustive convolution search for each new
 * shape, so there are few sizes.
 */
const bucketSizes = [1, 2, 4, 8, 16, 32] as const

export interface BatchingOptions {
  /** [1, …]: the shape of the input of every run; other shapes are refused. */
  readonly itemDims: readonly number[]
  /** At least 1: the largest number of items in one run. */
  readonly maxBatch: number
}

type Outputs = ReadonlyMap<string, Tensor>

interface Item {
  readonly input: Tensor
  readonly resolve: (outputs: Outputs) => void
  readonly reject: (error: unknown) => void
}

/**
 * A model that collects single-item runs and combines them into batches, in order of arrival. There is no timer. A run
 * blocks its thread, so the next batch consists of the items that arrived during the last run; a single item does not
 * wait.
 *
 * `model` takes [n, …] for [1, …], and its outputs hold the items one after the other: [n · rows, …] for [rows, …]. If
 * a batch fails, its halves are run separately. So an error reaches only the item that causes it, and a device without
 * enough memory for a large batch can still run smaller ones. Inputs must not change until their run is done.
 */
export function createBatchingModel(model: Model, { itemDims, maxBatch }: BatchingOptions): Model {
  const buckets = bucketSizes.filter((size) => size === 1 || size <= maxBatch)
  const largest = buckets.at(-1) ?? 1
  const itemLength = itemDims.reduce((product, size) => product * size, 1)
  const waiting: Item[] = []
  let stack = new Float32Array(0)
  let isRunning = false

  /**
   * Items are taken one turn of the event loop later: by then, everything that waits at the thread's ports has arrived.
   */
  function schedule(): void {
    if (isRunning || waiting.length === 0) return
    isRunning = true
    setImmediate(() => {
      void runItems(waiting.splice(0, largest)).then(() => {
        isRunning = false
        schedule()
      })
    })
  }

  /** Never rejects: errors are passed to the items. */
  async function runItems(items: readonly Item[]): Promise<void> {
    const [first] = items
    if (first === undefined) return
    try {
      if (items.length === 1) first.resolve(await model.run(first.input))
      else await runStacked(items)
    } catch (error) {
      if (items.length === 1) first.reject(error)
      else {
        const half = Math.ceil(items.length / 2)
        await runItems(items.slice(0, half))
        await runItems(items.slice(half))
      }
    }
  }

  async function runStacked(items: readonly Item[]): Promise<void> {
    const size = buckets.find((bucket) => bucket >= items.length) ?? largest
    // The memory is reused: fresh pages cost as much as the copying.
    if (stack.length < size * itemLength) stack = new Float32Array(size * itemLength)
    const data = stack.subarray(0, size * itemLength)
    items.forEach(({ input }, index) => data.set(input.data, index * itemLength))
    data.fill(0, items.length * itemLength)
    const outputs = await model.run({ data, dims: [size, ...itemDims.slice(1)] })
    const parts = items.map((_, index) => partOf(outputs, index, size))
    items.forEach(({ resolve }, index) => resolve(parts[index] ?? new Map()))
  }

  return {
    provider: model.provider,
    outputNames: model.outputNames,
    run(input) {
      if (input.dims.join() !== itemDims.join())
        return Promise.reject(
          new Error(`the input of this model must be [${itemDims.join()}], not [${input.dims.join()}]`),
        )
      return new Promise((resolve, reject) => {
        waiting.push({ input, resolve, reject })
        schedule()
      })
    },
    dispose: () => model.dispose(),
  }
}

/** One item's outputs from a batch of `size`, copied to new memory. */
function partOf(outputs: Outputs, index: number, size: number): Outputs {
  const part = new Map<string, Tensor>()
  for (const [name, { data, dims }] of outputs) {
    const [leading = 0, ...rest] = dims
    if (leading % size !== 0)
      throw new Error(`the output ${name} [${dims.join()}] does not consist of ${size} items`)
    const length = data.length / size
    part.set(name, {
      data: data.slice(index * length, (index + 1) * length),
      dims: [leading / size, ...rest],
    })
  }
  return part
}
