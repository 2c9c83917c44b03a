import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { withDynamicBatch } from '../../../../pipeline/onnx/make-batch-dynamic.js'
import { loadBatched } from '../../../../pipeline/models/inference-thread/load-batched.js'
import { loadModel } from '../../../../pipeline/models/session.js'
import { temporaryDir } from '../../../support/cameo.js'
import { onnxFile, type OnnxGraph } from '../../../support/onnx.js'
import type { Tensor } from '../../../../pipeline/data/tensor.js'

const device = { kind: 'cpu' } as const
const dir = temporaryDir()

function write(name: string, graph: OnnxGraph): { readonly path: string; readonly bytes: Uint8Array } {
  const path = join(dir, name)
  const bytes = onnxFile(graph)
  writeFileSync(path, bytes)
  return { path, bytes }
}

/** SCRFD's head: channels last, the batch after the cells, then a row for each cell. */
const scrfdHead: OnnxGraph = {
  inputDims: [1, 2, 2, 2],
  outputDims: [4, 2],
  nodes: [
    { opType: 'Transpose', inputs: ['x'], output: 'turned', attributes: { perm: [2, 3, 0, 1] } },
    { opType: 'Reshape', inputs: ['turned', 'shape'], output: 'rows' },
  ],
  vectors: { shape: [-1, 2] },
  vectorsAs: 'initializers',
}

const flattening = (vectorsAs: OnnxGraph['vectorsAs']): OnnxGraph => ({
  inputDims: [1, 2, 2, 2],
  outputDims: [1, 8],
  nodes: [
    { opType: 'Relu', inputs: ['x'], output: 'positive' },
    { opType: 'Reshape', inputs: ['positive', 'shape'], output: 'flat' },
  ],
  vectors: { shape: [1, -1] },
  vectorsAs,
})

/** The batch is in a place where it is not expected: tiles of [1, …] for any batch. */
const stubborn: OnnxGraph = {
  inputDims: [1, 2, 2, 2],
  outputDims: [2, 2, 2, 1],
  nodes: [
    { opType: 'Transpose', inputs: ['x'], output: 'turned', attributes: { perm: [1, 2, 3, 0] } },
    { opType: 'Relu', inputs: ['turned'], output: 'last' },
  ],
  vectors: {},
  vectorsAs: 'initializers',
}

const itemDims = [1, 2, 2, 2]
const values = Array.from({ length: 16 }, (_, n) => (n % 5) - 2 + n / 10)
const batch: Tensor = { data: Float32Array.from(values), dims: [2, 2, 2, 2] }
const items = [0, 8].map((at): Tensor => ({ data: batch.data.slice(at, at + 8), dims: itemDims }))

const cases: readonly (readonly [string, OnnxGraph, number[]])[] = [
  ['keeps the rows of each item together in heads like SCRFD', scrfdHead, [8, 2]],
  ['keeps the batch in a Reshape to [1, …] given as initializer', flattening('initializers'), [2, 8]],
  ['keeps the batch in a Reshape to [1, …] given as Constant', flattening('constants'), [2, 8]],
]

describe('a model with a dynamic batch', () => {
  for (const [index, [sentence, graph, dims]] of cases.entries())
    it(sentence, async () => {
      const { path, bytes } = write(`case-${index}.onnx`, graph)
      const single = await loadModel(path, { device })
      const several = await loadModel(path, { device, graph: withDynamicBatch(bytes) })
      const name = single.outputNames[0]!
      const alone: number[] = []
      for (const item of items) alone.push(...((await single.run(item)).get(name)?.data ?? []))
      const together = (await several.run(batch)).get(name)
      assert.deepEqual([...(together?.data ?? [])], alone)
      assert.deepEqual(together?.dims, dims)
      const again = (await several.run(items[1]!)).get(name)
      assert.deepEqual([...(again?.data ?? [])], alone.slice(alone.length / 2))
    })

  it('takes a single item as before, and no batch if the file is unchanged', async () => {
    const { path } = write('as-it-is.onnx', scrfdHead)
    const single = await loadModel(path, { device })
    await assert.rejects(single.run(batch), /invalid dimensions/)
  })
})

describe('loading for batches', () => {
  const notices: string[] = []
  const options = { device, onNotice: (text: string) => notices.push(text) }

  it('uses the changed model if a batch gives the same results as single runs', async () => {
    notices.length = 0
    const { path } = write('good.onnx', scrfdHead)
    const model = await loadBatched(path, itemDims, options)
    const outputs = await Promise.all(items.map((item) => model.run(item)))
    assert.deepEqual(outputs[0]?.get('rows')?.dims, [4, 2])
    assert.deepEqual(notices, [])
  })

  it('runs one item at a time, and reports it, if a batch gives different results', async () => {
    notices.length = 0
    const { path } = write('stubborn.onnx', stubborn)
    const model = await loadBatched(path, itemDims, options)
    const [first, second] = await Promise.all(items.map((item) => model.run(item)))
    assert.deepEqual(
      [first, second].map((it) => [...(it?.get('last')?.data ?? [])]),
      items.map(({ data }) => [...data.map((value) => Math.max(0, value))]),
    )
    assert.equal(notices.length, 1)
    assert.match(notices[0]!, /^stubborn\.onnx runs one item at a time/)
  })

  it('fails if a file is not a model, without a fall-back', async () => {
    const path = join(dir, 'text.onnx')
    writeFileSync(path, 'no model')
    await assert.rejects(loadBatched(path, itemDims, options), { code: 'MODEL_UNREADABLE' })
  })
})
