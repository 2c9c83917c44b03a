import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseLoss } from '../../../../pipeline/training/losses/parse-loss.js'
import { createNetwork } from '../../../../pipeline/training/network.js'
import { gaussian, seededRandom } from '../../../../pipeline/common/seeded-random.js'
import { buildTrainingGraph, stepNames } from '../../../../pipeline/training/training-graph.js'
import { loadGraph, type GraphTensor } from '../../../../pipeline/models/session.js'
import { networkSchema, type NetworkSettings } from '../../../../pipeline/describe/head/head-metadata.js'

const rows = 7
const dimension = 5
const classCount = 4

interface Case {
  readonly loss: string
  readonly network?: Partial<NetworkSettings>
  readonly seed?: number
}

/** Gradients from the graph, compared with central differences of its loss at two step sizes (Richardson). */
async function compare({ loss: name, network: settings = {}, seed = 1 }: Case): Promise<void> {
  const random = seededRandom(seed)
  const loss = parseLoss(name, 3)
  const network = createNetwork(networkSchema.parse({ width: 6, ...settings }), dimension, random)
  const numbers = (length: number, deviation = 1) =>
    Float32Array.from({ length }, () => deviation * gaussian(random))
  const width = network.outputDimension
  const weights = {
    name: 'class weights',
    dims: [classCount + 1, width],
    decays: true,
    initial: numbers((classCount + 1) * width),
  }
  const biases = {
    name: 'class biases',
    dims: [1, classCount + 1],
    decays: false,
    initial: numbers(classCount + 1),
  }
  const classifier = loss.scoring === 'linear' ? [weights, biases] : [weights]
  const { onnx, masks } = buildTrainingGraph({ network, classifier, classCount, loss })
  const graph = await loadGraph('training step', onnx, { device: { kind: 'cpu' } })

  const labels = [0, 1, 2, 2, 3, 4, 1]
  const feeds: Record<string, GraphTensor> = {
    [stepNames.features]: { data: numbers(rows * dimension), dims: [rows, dimension] },
    [stepNames.labels]: { data: BigInt64Array.from(labels, BigInt), dims: [rows, 1] },
    [stepNames.rowWeights]: { data: Float32Array.from(labels, (_, i) => (i + 1) / 28), dims: [rows, 1] },
    [stepNames.isKnown]: { data: Float32Array.from(labels, (label) => (label > 0 ? 1 : 0)), dims: [rows, 1] },
  }
  for (const { input, width: columns } of masks)
    feeds[input] = {
      data: Float32Array.from({ length: rows * columns }, () => (random() < 0.5 ? 0 : 2)),
      dims: [rows, columns],
    }
  const parameters = [...network.parameters, ...classifier].map(({ name, dims, initial }) => {
    // Parameters that begin as zeros get values, so that the path of their gradients is tested too.
    const data = initial.every((value) => value === 0) ? numbers(initial.length, 0.5) : initial.slice()
    feeds[name] = { data, dims }
    return { name, data }
  })
  const lossNow = async () => Number((await graph.run(feeds, [stepNames.loss]))[stepNames.loss]?.data[0])
  const difference = async (data: Float32Array, at: number, step: number) => {
    const kept = data[at] ?? 0
    data[at] = kept + step
    const above = await lossNow()
    data[at] = kept - step
    const below = await lossNow()
    data[at] = kept
    return (above - below) / (2 * step)
  }
  const wanted = parameters
    .map(({ name }) => `${name} gradient`)
    .filter((name) => graph.outputNames.includes(name))
  const gradients = await graph.run(feeds, wanted)
  let compared = 0
  let largest = 0
  for (const { name, data } of parameters) {
    const gradient = gradients[`${name} gradient`]?.data ?? new Float32Array(data.length)
    for (let at = 0; at < data.length; at += data.length > 40 ? 3 : 1) {
      const exact = gradient[at] ?? 0
      const coarse = await difference(data, at, 0.02)
      const fine = await difference(data, at, 0.01)
      const expected = (4 * fine - coarse) / 3
      assert.ok(
        Math.abs(exact - expected) < 2e-3 * Math.max(1, Math.abs(expected)),
        `${name}[${at}]: ${exact}, by finite differences ${expected}`,
      )
      largest = Math.max(largest, Math.abs(exact))
      compared++
    }
  }
  assert.ok(compared > 30 && largest > 0.01, `${compared} gradients, the largest ${largest}`)
  await graph.dispose()
}

describe('gradients against finite differences', () => {
  for (const loss of [
    'softmax',
    'norm-softmax',
    'arcface',
    'cosface',
    'sphereface',
    'cm1',
    'cm2',
    'intra',
    'inter',
    'triplet',
    'norm-softmax+intra+inter',
    'arcface:0.3+triplet:0.2',
  ])
    it(`of the loss ${loss}`, () => compare({ loss, network: { activation: 'silu' } }))

  it('of a margin that moves angles beyond π', () =>
    compare({ loss: 'arcface:2.5', network: { activation: 'silu' } }))

  it('of every kind of network', async () => {
    await compare({ loss: 'arcface', network: { activation: 'silu', depth: 3 } })
    await compare({ loss: 'norm-softmax', network: { kind: 'paper', activation: 'silu', depth: 2 } })
    await compare({ loss: 'norm-softmax', network: { activation: 'prelu' }, seed: 3 })
    await compare({ loss: 'norm-softmax', network: { activation: 'relu' }, seed: 3 })
    await compare({ loss: 'softmax', network: { activation: 'silu', dropout: 0.5 } })
  })
})
