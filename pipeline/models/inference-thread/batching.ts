import type { Model } from '../session.js'
import type { Tensor } from '../../data/tensor.js'

/**
 * The batch sizes that are run; what lies between is padded. An exhaustive convolution search runs for each new shape on
 * a GPU, so there are few.
 */
const bucketSizes = [1, 2, 4, 8, 16, 32] as const

export interface BatchingOptions {
  /** [1, …]: what every run is fed; other shapes are refused. */
  readonly itemDims: readonly number[]
  /** At least 1: no more items than this are run at once. */
  readonly maxBatch: number
}

type Outputs = ReadonlyMap<string, Tensor>

interface Item {
  readonly input: Tensor
  readonly resolve: (outputs: Outputs) => void
  readonly reject: (error: unknown) => void
}

/**
 * A model that gathers single-item runs and makes batches of them, in the order in which they came. There is no timer:
 * a run blocks its thread, so the next batch is what arrived while the last one ran, and a lone item waits for nobody.
 *
 * `model` takes [n, …] for [1, …], and its outputs hold the items one after the other: [n · rows, …] for [rows, …]. A batch
 * that fails is run again in halves, so an error reaches only the item that it is about, and a device that has no memory
 * left for a large batch may have it for small ones. Inputs must stay as they are until their run is done.
 */
export function createBatchingModel(model: Model, { itemDims, maxBatch }: BatchingOptions): Model {
  const buckets = bucketSizes.filter((size) => size === 1 || size <= maxBatch)
  const largest = buckets.at(-1) ?? 1
  const itemLength = itemDims.reduce((product, size) => product * size, 1)
  const waiting: Item[] = []
  let stack = new Float32Array(0)
  let isRunning = false

  /** Items are taken up one turn of the event loop later: by then all that wait at the thread's ports are here. */
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

  /** Never rejects: its errors are the items'. */
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
    // The memory is used again: fresh pages cost as much as the copying.
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
        return Promise.reject(new Error(`this model is fed [${itemDims.join()}], not [${input.dims.join()}]`))
      return new Promise((resolve, reject) => {
        waiting.push({ input, resolve, reject })
        schedule()
      })
    },
    dispose: () => model.dispose(),
  }
}

/** What a batch of `size` gave for one item, in memory of its own. */
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
