import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { gaussian, seededRandom } from '../../../../pipeline/common/seeded-random.js'
import { encodeFloat16 } from '../../../../pipeline/data/float16.js'
import { networkSchema } from '../../../../pipeline/describe/head/head-metadata.js'
import { parseLoss } from '../../../../pipeline/training/losses/parse-loss.js'
import { createNetwork } from '../../../../pipeline/training/network.js'
import type { TrainingRows } from '../../../../pipeline/training/sampler.js'
import type { HeadTensors } from '../../../../pipeline/training/step-tensors.js'
import { createTrainer, type TrainerOptions } from '../../../../pipeline/training/trainer.js'

const dimension = 6
const classCount = 3
const perClass = 8

/** Three people who look different, with one face per track. */
function threePeople(): TrainingRows {
  const random = seededRandom(1)
  const count = classCount * perClass
  const labels = Int32Array.from({ length: count }, (_, row) => 1 + (row % classCount))
  const values = Float32Array.from({ length: count * dimension }, (_, at) => {
    const isOwnAxis = at % dimension === labels[Math.floor(at / dimension)]
    return (isOwnAxis ? 1 : 0) + 0.1 * gaussian(random)
  })
  return {
    ...{ labels, classCount, tracks: Int32Array.from(labels.keys()) },
    faces: {
      columns: [{ dimension, embeddings: Uint16Array.from(encodeFloat16(values)) }],
      firstFace: Int32Array.from({ length: count + 1 }, (_, track) => track),
      qualities: new Float32Array(count).fill(1),
    },
  }
}

function options(changes: Partial<TrainerOptions> = {}): TrainerOptions {
  return {
    rows: threePeople(),
    network: createNetwork(networkSchema.parse({ width: 8, dropout: 0.2 }), dimension, seededRandom(2)),
    loss: parseLoss('softmax', 8),
    optimizer: { kind: 'sgd', momentum: 0.9, weightDecay: 5e-4 },
    sampling: { facesPerSample: [1], noise: 0.01, mirror: false, balanced: false, rowsPerClass: 1 },
    ...{ batch: 6, learningRate: 0.05, epochs: 10, seed: 3, schedule: () => 1 },
    session: { device: { kind: 'cpu' }, intraOpThreads: 1 },
    ...changes,
  }
}

const bytesOf = (tensors: HeadTensors) =>
  new Map([...tensors].map(([name, { data }]) => [name, Buffer.from(Float32Array.from(data).buffer)]))

describe('Trainer', () => {
  it('lowers the loss, and reports each step of an epoch', async () => {
    const trainer = await createTrainer(options())
    const steps: [number, number][] = []
    const first = await trainer.epoch((done, of) => void steps.push([done, of]))
    assert.deepEqual(steps, [
      [1, 4],
      [2, 4],
      [3, 4],
      [4, 4],
    ])
    let last = first
    while (last.epoch < 10) last = await trainer.epoch()
    assert.ok(last.loss < first.loss / 2, `${first.loss} to ${last.loss}`)
    await trainer.dispose()
  })

  it('continues from a state to the same values as a trainer that was never stopped', async () => {
    const [whole, before] = [await createTrainer(options()), await createTrainer(options())]
    for (let epoch = 0; epoch < 3; epoch++) await whole.epoch()
    await before.epoch()
    const state = before.state()
    // The state is a copy.
    await before.epoch()
    const after = await createTrainer(options())
    after.restore(state)
    for (let epoch = 0; epoch < 2; epoch++) await after.epoch()
    assert.equal(after.state().epoch, 3)
    assert.deepEqual(bytesOf(after.tensors()), bytesOf(whole.tensors()))
    for (const trainer of [whole, before, after]) await trainer.dispose()
  })

  it('changes only moments and statistics at a learning rate of 0', async () => {
    const { network } = options()
    const trainer = await createTrainer(options({ network, schedule: () => 0 }))
    await trainer.epoch()
    const tensors = trainer.tensors()
    // Adding 0 turns -0 into 0.
    const withoutSigns = (values: Float32Array | undefined) => values?.map((value) => value + 0)
    for (const { name, initial } of network.parameters)
      assert.deepEqual(withoutSigns(tensors.get(name)?.data), withoutSigns(initial), name)
    await trainer.dispose()
  })
})
