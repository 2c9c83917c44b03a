import { GraphBuilder } from '../../pipeline/onnx/graph-builder.js'
import { matmul } from '../../pipeline/onnx/ops.js'
import { writeOnnx } from '../../pipeline/onnx/onnx-file.js'
import { loadGraph, type GraphTensor, type SessionOptions } from '../../pipeline/models/session.js'

export interface BareProducts {
  /** Multiplications and additions of one run. */
  readonly flops: number
  /** Computes every product of a training step once; ms. */
  run(): Promise<number>
  dispose(): Promise<void>
}

export interface StepShape {
  readonly batch: number
  readonly dimension: number
  readonly width: number
  readonly classes: number
}

interface Product {
  readonly a: readonly [number, number]
  readonly b: readonly [number, number]
  readonly transposeA?: boolean
  readonly transposeB?: boolean
}

/**
 * The matrix products of a training step of the residual network with one hidden layer and its classifier, in
 * one graph. With one session per product, the waiting threads of the other sessions took the processor from
 * the one that ran.
 */
export async function createBareProducts(
  { batch: n, dimension: d, width: w, classes: c }: StepShape,
  session: Omit<SessionOptions, 'graph'>,
): Promise<BareProducts> {
  const products: readonly Product[] = [
    // forward: x·W1, h·W2, f·Wᵀ
    { a: [n, d], b: [d, w] },
    { a: [n, w], b: [w, d] },
    { a: [n, d], b: [c, d], transposeB: true },
    // backward with respect to the inputs; x itself needs no gradient
    { a: [n, c], b: [c, d] },
    { a: [n, d], b: [w, d], transposeB: true },
    // backward with respect to the weights
    { a: [n, c], b: [n, d], transposeA: true },
    { a: [n, w], b: [n, d], transposeA: true },
    { a: [n, d], b: [n, w], transposeA: true },
  ]
  const builder = new GraphBuilder()
  const inputs: Record<string, GraphTensor> = {}
  const into: Record<string, GraphTensor> = {}
  let flops = 0
  for (const [at, { a, b, transposeA = false, transposeB = false }] of products.entries()) {
    const names = { a: `a${at}`, b: `b${at}`, product: `product${at}` }
    const [rows, inner] = transposeA ? [a[1], a[0]] : a
    const columns = transposeB ? b[0] : b[1]
    const [left, right] = [builder.input(names.a, a), builder.input(names.b, b)]
    builder.output(names.product, matmul(builder, left, right, { transposeA, transposeB }))
    inputs[names.a] = tensor(a)
    inputs[names.b] = tensor(b)
    into[names.product] = tensor([rows, columns])
    flops += 2 * rows * inner * columns
  }
  const graph = await loadGraph('bare products', writeOnnx(builder.build()), session)
  return {
    flops,
    async run() {
      const startedMs = performance.now()
      await graph.run(inputs, Object.keys(into), into)
      return performance.now() - startedMs
    },
    dispose: () => graph.dispose(),
  }
}

/** Values as in training: neither zeros nor subnormal numbers, which processors handle slowly. */
function tensor(dims: readonly [number, number]): GraphTensor {
  const data = Float32Array.from({ length: dims[0] * dims[1] }, (_, i) => ((i * 7919) % 2039) / 2039 - 0.5)
  return { data, dims }
}
