import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { MessageChannel } from 'node:worker_threads'
import { CameoError } from '../../../../../pipeline/common/errors.js'
import { createBatchingModel } from '../../../../../pipeline/models/inference-thread/batching.js'
import { connectModels } from '../../../../../pipeline/models/inference-thread/remote-model.js'
import { serveModels, shareModels } from '../../../../../pipeline/models/inference-thread/serve-models.js'
import type { ModelLoader } from '../../../../../pipeline/models/session.js'
import { createFakeModel, itemOf, valuesOf } from '../fake-model.js'

const itemDims = [1, 2]

/** Clients and their server, within this thread. */
function connect(load: ModelLoader, clients = 1) {
  const channels = Array.from({ length: clients }, () => new MessageChannel())
  for (const { port2 } of channels) serveModels(port2, load)
  return {
    connections: channels.map(({ port1 }) => connectModels(port1)),
    endServer: () => channels.forEach(({ port2 }) => port2.close()),
  }
}

describe('a remote model', () => {
  it("returns the model's outputs, provider and names", async () => {
    const { connections, endServer } = connect(() => Promise.resolve(createFakeModel()))
    const model = await connections[0]!.load('any', itemDims)
    const outputs = await model.run(itemOf(3, 4))
    assert.deepEqual(valuesOf(outputs, 'sum'), [7])
    assert.deepEqual(outputs.get('rows')?.dims, [3, 2])
    assert.deepEqual([model.provider, model.outputNames], ['cpu', ['sum', 'rows']])
    endServer()
  })

  it('has copied its input when run returns, and does not mix up memory that comes back', async () => {
    const { connections, endServer } = connect(() => Promise.resolve(createFakeModel()))
    const model = await connections[0]!.load('any', itemDims)
    const scratch = itemOf(0, 0)
    for (let round = 0; round < 3; round++) {
      const runs = [1, 2, 3, 4].map((value) => {
        scratch.data.fill(value + round)
        return model.run(scratch)
      })
      const sums = (await Promise.all(runs)).map((outputs) => valuesOf(outputs, 'sum')[0])
      assert.deepEqual(
        sums,
        [1, 2, 3, 4].map((value) => 2 * (value + round)),
      )
    }
    endServer()
  })

  it('is one model for all clients, and their runs share batches', async () => {
    const fake = createFakeModel()
    let loads = 0
    const load = shareModels(() => {
      loads++
      return Promise.resolve(createBatchingModel(fake, { itemDims, maxBatch: 8 }))
    })
    const { connections, endServer } = connect(load, 3)
    const models = await Promise.all(connections.map((connection) => connection.load('same', itemDims)))
    const outputs = await Promise.all(models.map((model, n) => model.run(itemOf(n, 1))))
    assert.deepEqual(
      outputs.map((it) => valuesOf(it, 'sum')),
      [[1], [2], [3]],
    )
    assert.equal(loads, 1)
    assert.ok(Math.max(...fake.batches) > 1, `batches of ${fake.batches.join()}`)
    endServer()
  })

  it('rejects only the failed run, with its code and whether to retry', async () => {
    const fake = createFakeModel({
      beforeRun: ({ data: [value] }) => {
        if (value === 1) throw new CameoError('DEVICE_UNAVAILABLE', 'cuda:0 failed', { retriable: true })
        if (value === 2) throw new RangeError('something else')
      },
    })
    const { connections, endServer } = connect(() => Promise.resolve(fake))
    const model = await connections[0]!.load('any', itemDims)
    const [first, second, third] = await Promise.allSettled(
      [1, 2, 3].map((value) => model.run(itemOf(value, 0))),
    )
    assert.ok(first?.status === 'rejected' && second?.status === 'rejected')
    const { code, retriable, message } = first.reason as CameoError
    assert.deepEqual([code, retriable, message], ['DEVICE_UNAVAILABLE', true, 'cuda:0 failed'])
    assert.ok(!(second.reason instanceof CameoError))
    assert.equal(third?.status, 'fulfilled')
    endServer()
  })

  it('tries a failed load again at the next request', async () => {
    let tries = 0
    const load = shareModels(() =>
      ++tries === 1
        ? Promise.reject(new CameoError('MODEL_UNREADABLE', 'not there yet'))
        : Promise.resolve(createFakeModel()),
    )
    const { connections, endServer } = connect(load)
    await assert.rejects(connections[0]!.load('any', itemDims), { code: 'MODEL_UNREADABLE' })
    await connections[0]!.load('any', itemDims)
    endServer()
  })

  it('rejects pending and later requests with WORKER_DIED when the server ends', async () => {
    const { connections, endServer } = connect(() => Promise.resolve(createFakeModel()))
    const [connection] = connections
    const model = await connection!.load('any', itemDims)
    assert.equal(connection!.isClosed, false)
    const waiting = model.run(itemOf(1, 1))
    endServer()
    await assert.rejects(waiting, { code: 'WORKER_DIED', retriable: true })
    assert.equal(connection!.isClosed, true)
    await assert.rejects(model.run(itemOf(1, 1)), { code: 'WORKER_DIED' })
    await assert.rejects(connection!.load('any', itemDims), { code: 'WORKER_DIED' })
  })
})
