import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { GraphBuilder } from '../../../../pipeline/onnx/graph-builder.js'
import {
  momentsOf,
  optimizerSchema,
  rateCorrection,
  updateOf,
  type OptimizerSettings,
} from '../../../../pipeline/training/optimizer.js'
import { writeOnnx } from '../../../../pipeline/onnx/onnx-file.js'
import { loadGraph } from '../../../../pipeline/models/session.js'

const gradients = [
  [1, -2, 0.5],
  [0.3, 4, -1],
  [-2, 0.1, 0.2],
]

/** Three steps from (1, 2, 3) at rate .1, computed by the graph. */
async function byGraph(settings: OptimizerSettings, decays: boolean): Promise<number[]> {
  const graph = new GraphBuilder()
  const dims = [1, 3]
  const update = updateOf(graph, settings, decays, {
    parameter: graph.input('w', dims),
    gradient: graph.input('g', dims),
    moments: momentsOf(settings).map((name) => graph.input(name, dims)),
    rate: graph.input('rate', []),
  })
  graph.output('w next', update.parameter)
  update.moments.forEach((moment, k) => graph.output(`${momentsOf(settings)[k] ?? ''} next`, moment))
  const session = await loadGraph('update', writeOnnx(graph.build()), { device: { kind: 'cpu' } })
  const state = new Map<string, Float32Array>(
    ['w', ...momentsOf(settings)].map((name) => [name, new Float32Array(3)]),
  )
  state.get('w')?.set([1, 2, 3])
  for (const [t, gradient] of gradients.entries()) {
    const inputs = Object.fromEntries([...state].map(([name, data]) => [name, { data, dims }]))
    const rate = { data: Float32Array.of(0.1 * rateCorrection(settings, t + 1)), dims: [] }
    const names = [...state.keys()].map((name) => `${name} next`)
    const next = await session.run({ ...inputs, g: { data: Float32Array.from(gradient), dims }, rate }, names)
    for (const name of state.keys()) state.set(name, next[`${name} next`]?.data ?? new Float32Array(3))
  }
  await session.dispose()
  return [...(state.get('w') ?? [])]
}

function near(actual: readonly number[], expected: readonly number[]): void {
  for (const [i, value] of expected.entries())
    assert.ok(Math.abs((actual[i] ?? NaN) - value) < 1e-5, `${actual.join()} against ${expected.join()}`)
}

describe('optimizers, compared with their formulas in plain arithmetic', () => {
  for (const decays of [true, false])
    it(`sgd with momentum, ${decays ? 'with' : 'without'} weight decay`, async () => {
      const w = [1, 2, 3]
      const m = [0, 0, 0]
      for (const gradient of gradients)
        for (let i = 0; i < 3; i++) {
          m[i] = 0.9 * (m[i] ?? 0) + (gradient[i] ?? 0) + (decays ? 0.01 * (w[i] ?? 0) : 0)
          w[i] = (w[i] ?? 0) - 0.1 * (m[i] ?? 0)
        }
      near(await byGraph(optimizerSchema.parse({ kind: 'sgd', weightDecay: 0.01 }), decays), w)
    })

  it('adam, with the corrected moments of Kingma and Ba', async () => {
    const w = [1, 2, 3]
    const m = [0, 0, 0]
    const v = [0, 0, 0]
    for (const [step, gradient] of gradients.entries())
      for (let i = 0; i < 3; i++) {
        const g = gradient[i] ?? 0
        m[i] = 0.9 * (m[i] ?? 0) + 0.1 * g
        v[i] = 0.999 * (v[i] ?? 0) + 0.001 * g * g
        const t = step + 1
        const corrected = (m[i] ?? 0) / (1 - 0.9 ** t) / (Math.sqrt((v[i] ?? 0) / (1 - 0.999 ** t)) + 1e-8)
        w[i] = (w[i] ?? 0) - 0.1 * corrected
      }
    near(await byGraph(optimizerSchema.parse({ kind: 'adam', weightDecay: 0 }), true), w)
  })
})
