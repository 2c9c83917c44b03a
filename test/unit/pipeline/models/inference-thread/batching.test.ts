import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createBatchingModel } from '../../../../../pipeline/models/inference-thread/batching.js'
import type { Model } from '../../../../../pipeline/models/session.js'
import { createFakeModel, itemOf, valuesOf, type FakeOptions } from '../fake-model.js'

const itemDims = [1, 2]

function batchingFake(options: FakeOptions & { readonly maxBatch?: number } = {}) {
  const fake = createFakeModel(options)
  return { fake, model: createBatchingModel(fake, { itemDims, maxBatch: options.maxBatch ?? 32 }) }
}

const runAll = (model: Model, count: number) =>
  Promise.all(Array.from({ length: count }, (_, n) => model.run(itemOf(n, 10 * n))))

describe('a batching model', () => {
  it('runs simultaneous requests as one batch, and returns to each item its own outputs', async () => {
    const { fake, model } = batchingFake()
    const outputs = await runAll(model, 4)
    assert.deepEqual(fake.batches, [4])
    assert.deepEqual(
      outputs.map((it) => valuesOf(it, 'sum')),
      [[0], [11], [22], [33]],
    )
    assert.deepEqual(outputs[2]?.get('sum')?.dims, [1, 1])
  })

  it('splits outputs with a batch that is flattened into rows', async () => {
    const { model } = batchingFake({ rows: 2 })
    const outputs = await runAll(model, 3)
    assert.deepEqual(valuesOf(outputs[1]!, 'rows'), [1, 10, 1, 10])
    assert.deepEqual(outputs[1]?.get('rows')?.dims, [2, 2])
  })

  it('pads to a bucket with zeros, not with data of an earlier batch, and drops their outputs', async () => {
    const { fake, model } = batchingFake()
    await runAll(model, 8)
    const outputs = await runAll(model, 5)
    assert.deepEqual(fake.batches, [8, 8])
    assert.deepEqual([...fake.lastInput().subarray(10)], [0, 0, 0, 0, 0, 0])
    assert.equal(outputs.length, 5)
    assert.deepEqual(valuesOf(outputs[4]!, 'sum'), [44])
  })

  it('runs a single item at once and unchanged', async () => {
    const { fake, model } = batchingFake()
    await model.run(itemOf(1, 2))
    await model.run(itemOf(3, 4))
    assert.deepEqual(fake.batches, [1, 1])
  })

  it('collects the next batch while one runs', async () => {
    const late: Promise<unknown>[] = []
    const { fake, model } = batchingFake({
      beforeRun: () => {
        if (late.length < 3) late.push(model.run(itemOf(1, 1)))
      },
    })
    await runAll(model, 2)
    late.push(model.run(itemOf(2, 2)), model.run(itemOf(2, 2)))
    await Promise.all(late)
    assert.equal(fake.batches[0], 2)
    assert.equal(Math.max(...fake.batches.slice(1)), 4)
  })

  it('runs no more items at once than allowed, in the order of the requests', async () => {
    const { fake, model } = batchingFake({ maxBatch: 5 })
    const done: number[] = []
    await Promise.all(Array.from({ length: 10 }, (_, n) => model.run(itemOf(n, 0)).then(() => done.push(n))))
    assert.deepEqual(fake.batches, [4, 4, 2])
    assert.deepEqual(done, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
  })

  it('runs one item at a time if the model takes no batches', async () => {
    const { fake, model } = batchingFake({ maxBatch: 1 })
    await runAll(model, 3)
    assert.deepEqual(fake.batches, [1, 1, 1])
  })

  it('passes an error only to the item that caused it', async () => {
    const { model } = batchingFake({
      beforeRun: ({ data }) => {
        if (data.includes(666)) throw new Error('this item cannot be run')
      },
    })
    const results = await Promise.allSettled([1, 2, 666, 4, 5].map((value) => model.run(itemOf(value, 0))))
    assert.deepEqual(
      results.map((result) =>
        result.status === 'fulfilled' ? valuesOf(result.value, 'sum')[0] : String(result.reason),
      ),
      [1, 2, 'Error: this item cannot be run', 4, 5],
    )
    const after = await model.run(itemOf(7, 0))
    assert.deepEqual(valuesOf(after, 'sum'), [7])
  })

  it('runs smaller batches if the device has no memory for a large one', async () => {
    const { fake, model } = batchingFake({
      beforeRun: ({ dims: [batch = 0] }) => {
        if (batch > 4) throw new Error('out of memory')
      },
    })
    const outputs = await runAll(model, 16)
    assert.deepEqual(fake.batches, [16, 8, 4, 4, 8, 4, 4])
    assert.deepEqual(valuesOf(outputs[15]!, 'sum'), [165])
  })

  it('refuses a shape other than its own', async () => {
    const { model } = batchingFake()
    await assert.rejects(model.run({ data: new Float32Array(4), dims: [2, 2] }), /\[1,2\], not \[2,2\]/)
  })
})
