import type { Model } from '../../../../pipeline/models/session.js'
import type { Tensor } from '../../../../pipeline/data/tensor.js'

export interface FakeModel extends Model {
  /** The batch size of every run, in order. */
  readonly batches: readonly number[]
  /** The input of the last run, copied. */
  lastInput(): Float32Array
}

export interface FakeOptions {
  /** Number of rows per item in the output `rows`. */
  readonly rows?: number
  /** Called with each batch before it runs. An error that it throws becomes the run's error. */
  readonly beforeRun?: (input: Tensor) => void
}

/**
 * A model over [n, 2]. One turn of the event loop later, it returns `sum` [n, 1], the sum of each item, and `rows` [n ·
 * rows, 2], its items repeated.
 */
export function createFakeModel({ rows = 3, beforeRun }: FakeOptions = {}): FakeModel {
  const batches: number[] = []
  let lastInput = new Float32Array(0)
  return {
    provider: 'cpu',
    outputNames: ['sum', 'rows'],
    batches,
    lastInput: () => lastInput,
    async run(input) {
      await new Promise((resolve) => setImmediate(resolve))
      const [batch = 0] = input.dims
      batches.push(batch)
      lastInput = input.data.slice()
      beforeRun?.(input)
      const item = (n: number) => [input.data[n * 2] ?? NaN, input.data[n * 2 + 1] ?? NaN]
      const items = Array.from({ length: batch }, (_, n) => item(n))
      const sums = items.map(([a = NaN, b = NaN]) => a + b)
      const repeated = items.flatMap((values) => Array.from({ length: rows }, () => values).flat())
      return new Map([
        ['sum', { data: Float32Array.from(sums), dims: [batch, 1] }],
        ['rows', { data: Float32Array.from(repeated), dims: [batch * rows, 2] }],
      ])
    },
    dispose: () => Promise.resolve(),
  }
}

export const itemOf = (...values: readonly number[]): Tensor => ({
  data: Float32Array.from(values),
  dims: [1, 2],
})

export const valuesOf = (outputs: ReadonlyMap<string, Tensor>, name: string) => [
  ...(outputs.get(name)?.data ?? []),
]
