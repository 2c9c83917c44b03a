import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { create } from '@bufbuild/protobuf'
import { repairGraph } from '../../../../pipeline/onnx/repair-graph.js'
import { loadBatched } from '../../../../pipeline/models/inference-thread/load-batched.js'
import { writeOnnx, type OnnxValueInfo } from '../../../../pipeline/onnx/onnx-file.js'
import { modelBytes, readModel } from '../../../../pipeline/onnx/onnx-model.js'
import { ModelProtoSchema } from '../../../../pipeline/onnx/proto/onnx_pb.js'
import { loadModel } from '../../../../pipeline/models/session.js'
import { temporaryDir } from '../../../support/cameo.js'

const input = (name: string): OnnxValueInfo => ({ name, type: 'float32', dims: [1, 2] })

/** y = max(0, x · weight), with inputs that a quantizer left behind, and one input that is a weight. */
const graph = (...inputs: readonly string[]) =>
  writeOnnx({
    nodes: [
      { opType: 'Mul', inputs: ['x', 'weight'], outputs: ['product'] },
      { opType: 'Relu', inputs: ['product'], outputs: ['y'] },
    ],
    initializers: [{ name: 'weight', dims: [1, 2], data: Float32Array.of(2, 3) }],
    inputs: inputs.map(input),
    outputs: [input('y')],
  })

describe('repairing a graph', () => {
  it('drops inputs that nothing reads, in batches too, and keeps the others', async () => {
    const path = join(temporaryDir(), 'dead.onnx')
    writeFileSync(path, graph('old_1', 'x', 'weight', 'old_2'))
    const single = await loadModel(path, { device: { kind: 'cpu' } })
    const notices: string[] = []
    const batched = await loadBatched(path, [1, 2], {
      device: { kind: 'cpu' },
      onNotice: (text) => notices.push(text),
    })
    for (const model of [single, batched]) {
      const outputs = await model.run({ data: Float32Array.of(5, -1), dims: [1, 2] })
      assert.deepEqual([...(outputs.get('y')?.data ?? [])], [10, 0])
      await model.dispose()
    }
    assert.deepEqual(notices, [])
  })

  it('leaves a graph without such inputs unchanged', () => {
    assert.equal(repairGraph(graph('x', 'weight')), undefined)
  })

  it('keeps an input that only a graph within a node reads', () => {
    // A node with one attribute, which is a graph: the graph of `graph('inner')`, with nodes that read x and weight.
    const inner = readModel(graph('inner')).graph
    const model = create(ModelProtoSchema, {
      graph: {
        node: [{ attribute: inner === undefined ? [] : [{ name: 'body', g: inner }] }],
        input: [{ name: 'x' }, { name: 'dead' }],
      },
    })
    const left = readModel(repairGraph(modelBytes(model)) ?? new Uint8Array(0)).graph?.input.map(
      ({ name }) => name,
    )
    assert.deepEqual(left, ['x'])
  })

  it('removes the block size if one scale applies to all values', async () => {
    for (const dims of [[], [1]]) {
      const onnx = writeOnnx({
        nodes: [
          { opType: 'QuantizeLinear', inputs: ['x', 'scale'], outputs: ['q'], attributes: { block_size: 2 } },
          {
            opType: 'DequantizeLinear',
            inputs: ['q', 'scale'],
            outputs: ['y'],
            attributes: { block_size: 2 },
          },
        ],
        initializers: [{ name: 'scale', dims, data: Float32Array.of(0.5) }],
        inputs: [input('x')],
        outputs: [input('y')],
      })
      const path = join(temporaryDir(), 'blocks.onnx')
      writeFileSync(path, onnx)
      const model = await loadModel(path, { device: { kind: 'cpu' } })
      const outputs = await model.run({ data: Float32Array.of(1.1, 7.3), dims: [1, 2] })
      assert.deepEqual([...(outputs.get('y')?.data ?? [])], [1, 7.5])
      await model.dispose()
    }
  })
})
