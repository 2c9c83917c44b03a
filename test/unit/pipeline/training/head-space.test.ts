import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { headFeatures, readClassWeights } from '../../../../pipeline/training/head-space.js'
import { loadHead, writeHead } from '../../../../pipeline/training/trained-head.js'
import { readOnnxTensor } from '../../../../pipeline/onnx/onnx-file.js'
import { randomHead } from '../../../support/head.js'
import { onnxFile } from '../../../support/onnx.js'
import { seededRandom } from '../../../support/random.js'

const session = { device: { kind: 'cpu' as const } }

describe('tensors of an ONNX file', () => {
  const { onnx, tensors } = randomHead({ dimension: 6, classes: ['a', 'b', 'c'] })

  it('come back as they were written, even from a Buffer with an odd offset', () => {
    for (const [name, { dims, data }] of tensors) assert.deepEqual(readOnnxTensor(onnx, name), { dims, data })
    const shifted = Buffer.concat([Buffer.from([1]), onnx]).subarray(1)
    const read = readOnnxTensor(shifted, 'class weights')
    assert.deepEqual(read?.data, tensors.get('class weights')?.data)
    assert.equal(read?.data.buffer.byteLength, read?.data.byteLength, 'a separate copy')
  })

  it('are undefined for another name or another type', () => {
    assert.equal(readOnnxTensor(onnx, 'class weight'), undefined)
    const half = onnxFile({ inputDims: [1, 2], outputDims: [1, 2], nodes: [{ opType: 'Mul', inputs: ['x', 'w'], output: 'y' }], vectors: { v: [1] }, vectorsAs: 'initializers', weights: { w: { dims: [2], values: [1, 2] } }, elementType: 'float16' }) // prettier-ignore
    assert.equal(readOnnxTensor(half, 'w'), undefined)
    assert.equal(readOnnxTensor(half, 'v'), undefined)
  })

  it('of a file by another exporter are read', () => {
    const other = onnxFile({ inputDims: [1, 2], outputDims: [1, 2], nodes: [{ opType: 'Mul', inputs: ['x', 'w'], output: 'y' }], vectors: {}, vectorsAs: 'initializers', weights: { w: { dims: [1, 2], values: [1.5, -2] } } }) // prettier-ignore
    assert.deepEqual(readOnnxTensor(other, 'w'), { dims: [1, 2], data: Float32Array.of(1.5, -2) })
  })

  it('of a file that is cut off cause an error', () => {
    const cut = onnx.subarray(0, Math.floor(onnx.length / 2))
    assert.throws(() => readOnnxTensor(cut, 'class weights'))
  })
})

describe("a head's space", () => {
  it('has the class weights of the classes, without noise', () => {
    const { onnx, tensors, metadata } = randomHead({ dimension: 6, classes: ['a', 'b', 'c'] })
    const { dimension, vectors } = readClassWeights('head.onnx', onnx, metadata)
    assert.equal(dimension, 6)
    assert.deepEqual([...vectors], [...tensors.get('class weights')!.data.subarray(6)])
  })

  it('refuses a head with fewer weights than classes', () => {
    const { onnx } = randomHead({ dimension: 6, classes: ['a', 'b', 'c'] })
    assert.throws(() => readClassWeights('head.onnx', onnx, { classes: ['a', 'b'] }), {
      code: 'HEAD_INVALID',
    })
  })

  it('has the descriptor of a residual share of 1 as features; the scores follow from them and the weights', async () => {
    const dimension = 6
    const { onnx, tensors, metadata } = randomHead({ dimension, classes: ['a', 'b', 'c'] })
    const random = seededRandom(8)
    const pooled = Float32Array.from({ length: 3 * dimension }, () => random() - 0.5)
    const features = await headFeatures('head', onnx, { dimension, vectors: pooled }, session)
    const head = await loadHead('head', onnx, dimension, session)
    const { scores, descriptors } = await head.run(pooled)
    await head.dispose()
    assert.deepEqual(features.vectors, descriptors)
    const weights = tensors.get('class weights')!.data
    for (let row = 0; row < 3; row++) {
      const logits = Array.from({ length: 4 }, (_, label) => {
        const weight = weights.subarray(label * dimension, (label + 1) * dimension)
        const dot = weight.reduce((sum, w, i) => sum + w * features.vectors[row * dimension + i]!, 0)
        return (metadata.scale * dot) / Math.hypot(...weight)
      })
      const total = Math.log(logits.reduce((sum, logit) => sum + Math.exp(logit), 0))
      logits.forEach((logit, label) =>
        assert.ok(Math.abs(scores[row * 4 + label]! - (logit - total)) < 1e-4, `${row}, ${label}`),
      )
    }
  })

  it("keeps the network's output as features if the descriptor has only a share of it", async () => {
    const dimension = 6
    const [whole, half] = [1, 0.5].map((residualShare) =>
      randomHead({ dimension, classes: ['a', 'b'], residualShare }),
    )
    const random = seededRandom(9)
    const vectors = Float32Array.from({ length: 5 * dimension }, () => random() - 0.5)
    const featuresOf = (onnx: Uint8Array) => headFeatures('head', onnx, { dimension, vectors }, session)
    const [expected, actual] = [await featuresOf(whole!.onnx), await featuresOf(half!.onnx)]
    assert.deepEqual(actual, expected)
    const head = await loadHead('head', half!.onnx, dimension, session)
    const { descriptors } = await head.run(vectors)
    await head.dispose()
    assert.notDeepEqual(descriptors, expected.vectors)
  })

  it("has features of the network's width if that is wider than its input, over several runs", async () => {
    const { onnx } = randomHead({ dimension: 4, classes: ['a', 'b'], network: { kind: 'paper', width: 7 } })
    const { dimension, vectors } = await headFeatures('head', onnx, { dimension: 4, vectors: new Float32Array(4 * 1500).fill(0.5) }, session) // prettier-ignore
    assert.deepEqual([dimension, vectors.length], [7, 7 * 1500])
    assert.ok(Math.abs(Math.hypot(...vectors.subarray(7 * 1499)) - 1) < 1e-5)
  })

  it('fails to write a head without one of its tensors', () => {
    const { tensors, inference, metadata } = randomHead({ dimension: 4, classes: ['a'] })
    const fewer = new Map([...tensors].filter(([name]) => name !== 'class weights'))
    assert.throws(() => writeHead(fewer, inference, metadata), /no tensor class weights/)
  })
})
