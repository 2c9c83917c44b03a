import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { sha256OfFile } from '../../../../pipeline/common/digest.js'
import { flushTinyWeights } from '../../../../pipeline/onnx/flush-weights.js'
import { runnableFile } from '../../../../pipeline/models/flushed-model.js'
import { readOnnxTensor } from '../../../../pipeline/onnx/onnx-file.js'
import { temporaryDir } from '../../../support/cameo.js'
import { onnxFile } from '../../../support/onnx.js'
import type { ModelInput } from '../../../../pipeline/data/model-input.js'

const input: ModelInput = { widthPx: 4, heightPx: 4, channelOrder: 'rgb', mean: 127.5, scale: 127.5 }

/** x · w, element by element. */
const scaledBy = (values: readonly number[]) =>
  onnxFile({
    inputDims: [1, 3, 4, 4],
    outputDims: [1, 3, 4, 4],
    nodes: [{ opType: 'Mul', inputs: ['x', 'w'], output: 'y' }],
    vectors: {},
    vectorsAs: 'initializers',
    weights: { w: { dims: [1, 3, 1, 1], values } },
  })

/** The sums of x · w over all channels. Next to 1, a weight below 1e-20 is lost in rounding. */
const summedBy = (values: readonly number[]) =>
  onnxFile({
    inputDims: [1, 3, 4, 4],
    outputDims: [1, 1, 4, 4],
    nodes: [{ opType: 'Conv', inputs: ['x', 'w'], output: 'y', attributes: { kernel_shape: [1, 1] } }],
    vectors: {},
    vectorsAs: 'initializers',
    weights: { w: { dims: [1, 3, 1, 1], values } },
  })

async function written(onnx: Uint8Array): Promise<{ path: string; digest: string }> {
  const path = join(temporaryDir(), 'model.onnx')
  writeFileSync(path, onnx)
  return { path, digest: await sha256OfFile(path) }
}

describe('flushTinyWeights', () => {
  it('sets weights below 1e-20 to 0 and counts them, and the subnormal ones separately', () => {
    const { onnx, tiny, subnormal } = flushTinyWeights(scaledBy([1e-19, -9e-21, 1e-40]))
    assert.deepEqual([...(readOnnxTensor(onnx, 'w')?.data ?? [])], [Math.fround(1e-19), 0, 0])
    assert.deepEqual({ tiny, subnormal }, { tiny: 2, subnormal: 1 })
  })

  it('keeps every byte of a file without such weights, even with zeros, infinities and NaN', () => {
    const file = scaledBy([0, -Infinity, NaN])
    const { onnx, tiny } = flushTinyWeights(file)
    assert.deepEqual(Buffer.from(onnx), Buffer.from(file))
    assert.equal(tiny, 0)
  })

  it('leaves float16 weights unchanged', () => {
    const file = onnxFile({
      inputDims: [1, 3],
      outputDims: [1, 3],
      nodes: [{ opType: 'Mul', inputs: ['x', 'w'], output: 'y' }],
      vectors: {},
      vectorsAs: 'initializers',
      weights: { w: { dims: [3], values: [6e-8, 1, 2] } },
      elementType: 'float16',
    })
    assert.equal(flushTinyWeights(file).tiny, 0)
  })
})

describe('runnableFile', () => {
  it('makes a changed copy next to the source if the results stay bit-identical', async () => {
    const { path, digest } = await written(summedBy([1, 1e-30, 1e-41]))
    const file = await runnableFile(path, digest, input)
    assert.equal(file.weights, 'flushed')
    assert.notEqual(file.path, path)
    assert.deepEqual([...(readOnnxTensor(readFileSync(file.path), 'w')?.data ?? [])], [1, 0, 0])
    assert.equal(await sha256OfFile(path), digest)
  })

  it('keeps the source if a result would differ, and does not compare again', async () => {
    const { path, digest } = await written(scaledBy([1, 1, 1e-30]))
    const kept = { path, tiny: 1, subnormal: 0, weights: 'kept' }
    assert.deepEqual(await runnableFile(path, digest, input), kept)
    // This would fail if the file were read again.
    writeFileSync(path, 'no model')
    assert.deepEqual(await runnableFile(path, digest, input), kept)
  })

  it('keeps the source of a model without tiny weights', async () => {
    const { path, digest } = await written(scaledBy([1, 1, 1]))
    assert.deepEqual(await runnableFile(path, digest, input), {
      path,
      tiny: 0,
      subnormal: 0,
      weights: 'none',
    })
  })

  it('makes the copy again if it is damaged or missing, or belongs to another source', async () => {
    const { path, digest } = await written(summedBy([1, 1e-30, 1e-41]))
    const file = await runnableFile(path, digest, input)
    const right = readFileSync(file.path)
    writeFileSync(file.path, right.subarray(1))
    assert.deepEqual(await runnableFile(path, digest, input), file)
    assert.deepEqual(readFileSync(file.path), right)
    writeFileSync(path, summedBy([2, 1e-30, 1e-41]))
    await runnableFile(path, await sha256OfFile(path), input)
    assert.deepEqual([...(readOnnxTensor(readFileSync(file.path), 'w')?.data ?? [])], [2, 0, 0])
  })

  it('uses the source if the copy cannot be stored', async () => {
    const { path, digest } = await written(summedBy([1, 1e-30, 1e-41]))
    // A folder has the name of the copy, so that no file can replace it, whoever the user is.
    const copy = path.replace('.onnx', '.flushed.onnx')
    mkdirSync(join(copy, 'in the way'), { recursive: true })
    const file = await runnableFile(path, digest, input)
    assert.deepEqual({ path: file.path, weights: file.weights }, { path, weights: 'kept' })
    assert.equal(existsSync(`${copy}.json`), false)
  })
})
