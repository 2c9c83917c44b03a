import type { Dim } from './onnx-file.js'
import type { GraphBuilder, Value } from './graph-builder.js'

/** Operations with their gradients. Shapes broadcast as in ONNX (numpy's rules). */

/** a · b, [n, k] · [k, m] → [n, m]; with `transposeB`, b is [m, k]; with `transposeA`, a is [k, n]. */
export function matmul(
  graph: GraphBuilder,
  a: Value,
  b: Value,
  { transposeA = false, transposeB = false } = {},
): Value {
  const rows = dimOf(a, transposeA ? 1 : 0)
  const columns = dimOf(b, transposeB ? 0 : 1)
  return graph.node('Gemm', [a, b], [rows, columns], {
    attributes: { transA: transposeA ? 1 : 0, transB: transposeB ? 1 : 0 },
    backward: (g) => [
      transposeA
        ? matmul(graph, b, g, { transposeA: transposeB, transposeB: true })
        : matmul(graph, g, b, { transposeB: !transposeB }),
      transposeB
        ? matmul(graph, g, a, { transposeA: true, transposeB: transposeA })
        : matmul(graph, a, g, { transposeA: !transposeA }),
    ],
  })
}

export function add(graph: GraphBuilder, a: Value, b: Value): Value {
  return graph.node('Add', [a, b], broadcastDims(a, b), {
    backward: (g) => [reduceTo(graph, g, a), reduceTo(graph, g, b)],
  })
}

export function subtract(graph: GraphBuilder, a: Value, b: Value): Value {
  return graph.node('Sub', [a, b], broadcastDims(a, b), {
    backward: (g) => [reduceTo(graph, g, a), reduceTo(graph, negate(graph, g), b)],
  })
}

export function multiply(graph: GraphBuilder, a: Value, b: Value): Value {
  return graph.node('Mul', [a, b], broadcastDims(a, b), {
    backward: (g) => [reduceTo(graph, multiply(graph, g, b), a), reduceTo(graph, multiply(graph, g, a), b)],
  })
}

export function divide(graph: GraphBuilder, a: Value, b: Value): Value {
  const result = graph.node('Div', [a, b], broadcastDims(a, b), {
    backward: (g) => {
      const overB = divide(graph, g, b)
      return [reduceTo(graph, overB, a), reduceTo(graph, negate(graph, multiply(graph, overB, result)), b)]
    },
  })
  return result
}

export function scale(graph: GraphBuilder, a: Value, factor: number): Value {
  return factor === 1 ? a : multiply(graph, a, graph.scalar(factor))
}

const negate = (graph: GraphBuilder, a: Value): Value => graph.node('Neg', [a], a.dims)

export function squareRoot(graph: GraphBuilder, a: Value): Value {
  const result = graph.node('Sqrt', [a], a.dims, {
    backward: (g) => [divide(graph, scale(graph, g, 0.5), result)],
  })
  return result
}

export function logarithm(graph: GraphBuilder, a: Value): Value {
  return graph.node('Log', [a], a.dims, { backward: (g) => [divide(graph, g, a)] })
}

/** The angle of a cosine, radians. Its slope is infinite at ±1: `clip` first. */
export function arccos(graph: GraphBuilder, a: Value): Value {
  return graph.node('Acos', [a], a.dims, {
    backward: (g) => [
      negate(
        graph,
        divide(graph, g, squareRoot(graph, subtract(graph, graph.scalar(1), multiply(graph, a, a)))),
      ),
    ],
  })
}

/** max(0, a) */
export function relu(graph: GraphBuilder, a: Value): Value {
  return graph.node('Relu', [a], a.dims, {
    backward: (g) => [multiply(graph, g, isAbove(graph, a, 0))],
  })
}

/** a where it is positive, slope · a elsewhere (He et al., ICCV 2015); slope [1, k] for a [n, k]. */
export function prelu(graph: GraphBuilder, a: Value, slope: Value): Value {
  return graph.node('PRelu', [a, slope], a.dims, {
    backward: (g) => {
      const positive = isAbove(graph, a, 0)
      const negative = subtract(graph, graph.scalar(1), positive)
      const factor = add(graph, positive, multiply(graph, negative, slope))
      const ofSlope = multiply(graph, multiply(graph, g, a), negative)
      return [multiply(graph, g, factor), reduceTo(graph, ofSlope, slope)]
    },
  })
}

/** x · σ(x), "SiLU" (Elfwing et al., 2018). */
export function silu(graph: GraphBuilder, a: Value): Value {
  const gate = graph.node('Sigmoid', [a], a.dims)
  return graph.node('Mul', [a, gate], a.dims, {
    backward: (g) => {
      const slope = multiply(
        graph,
        gate,
        subtract(graph, add(graph, graph.scalar(1), a), multiply(graph, a, gate)),
      )
      return [multiply(graph, g, slope)]
    },
  })
}

/** Limits values; the gradient of a limited value is 0. */
export function clip(graph: GraphBuilder, a: Value, low: number, high: number): Value {
  return graph.node('Clip', [a, graph.scalar(low), graph.scalar(high)], a.dims, {
    backward: (g) => {
      const below = subtract(graph, graph.scalar(1), isAbove(graph, a, high))
      return [multiply(graph, multiply(graph, g, isAbove(graph, a, low)), below)]
    },
  })
}

/** 1 where a > threshold, else 0; no gradient. */
export function isAbove(graph: GraphBuilder, a: Value, threshold: number): Value {
  const above = graph.node('Greater', [a, graph.scalar(threshold)], a.dims, { type: 'bool' })
  return asFloat(graph, above)
}

export const asFloat = (graph: GraphBuilder, a: Value): Value =>
  graph.node('Cast', [a], a.dims, { attributes: { to: 1 } })

/** Sum along an axis, which keeps size 1; without an axis, the sum of all values as a scalar. */
export function sum(graph: GraphBuilder, a: Value, axis?: number): Value {
  if (axis === undefined)
    return graph.node('ReduceSum', [a], [], {
      attributes: { keepdims: 0 },
      backward: (g) => [expandLike(graph, g, a)],
    })
  const dims = a.dims.map((dim, at) => (at === axis ? 1 : dim))
  return graph.node('ReduceSum', [a, graph.integers(axis)], dims, {
    attributes: { keepdims: 1 },
    backward: (g) => [expandLike(graph, g, a)],
  })
}

/** Mean along axis 0 of [n, k] → [1, k]. */
export function meanOfRows(graph: GraphBuilder, a: Value): Value {
  return graph.node('ReduceMean', [a], [1, dimOf(a, 1)], {
    attributes: { axes: [0], keepdims: 1 },
    backward: (g) => {
      const first = graph.node('Gather', [shapeOf(graph, a), graph.integers(0)], [1], { type: 'int64' })
      const rows = sumAll(graph, asFloat(graph, first))
      return [expandLike(graph, divide(graph, g, rows), a)]
    },
  })
}

/** Each row of [n, d] divided by its L2 norm. */
export function normaliseRows(graph: GraphBuilder, a: Value): Value {
  const squares = graph.node('Mul', [a, a], a.dims)
  const squared = graph.node('ReduceSum', [squares, graph.integers(1)], [dimOf(a, 0), 1], {
    attributes: { keepdims: 1 },
  })
  // Keeps a row of zeros from becoming NaN.
  const norm = graph.node(
    'Sqrt',
    [graph.node('Add', [squared, graph.scalar(1e-12)], squared.dims)],
    squared.dims,
  )
  const unit = graph.node('Div', [a, norm], a.dims, {
    backward: (g) => {
      const along = sum(graph, multiply(graph, g, unit), 1)
      return [divide(graph, subtract(graph, g, multiply(graph, unit, along)), norm)]
    },
  })
  return unit
}

/** One value per row: a [n, c], columns [n, 1] int64 → [n, 1]. */
export function pick(graph: GraphBuilder, a: Value, columns: Value): Value {
  return graph.node('GatherElements', [a, columns], columns.dims, {
    attributes: { axis: 1 },
    backward: (g) => {
      const zeros = graph.node('ConstantOfShape', [shapeOf(graph, a)], a.dims)
      return [put(graph, zeros, columns, g)]
    },
  })
}

/** One value of a column for each row of a batch: a [c, 1], rows [n, 1] int64 → [n, 1]. */
export function pickRows(graph: GraphBuilder, a: Value, rows: Value): Value {
  return graph.node('GatherElements', [a, rows], rows.dims, {
    attributes: { axis: 0 },
    backward: (g) => {
      const zeros = graph.node('ConstantOfShape', [shapeOf(graph, a)], a.dims)
      // Several rows of a batch may belong to one class: their gradients add up.
      const attributes = { axis: 0, reduction: { text: 'add' } }
      return [graph.node('ScatterElements', [zeros, rows, g], a.dims, { attributes })]
    },
  })
}

/** a [n, c] with the values [n, 1] at the columns [n, 1]; no gradient. */
function put(graph: GraphBuilder, a: Value, columns: Value, values: Value): Value {
  return graph.node('ScatterElements', [a, columns, values], a.dims, { attributes: { axis: 1 } })
}

/**
 * a [n, c], with one value per row, at columns [n, 1], changed by a function that is given with its derivative: the
 * margin of a softmax, without a second matrix of the batch's size.
 */
export function changePicked(
  graph: GraphBuilder,
  a: Value,
  columns: Value,
  change: (picked: Value) => { readonly value: Value; readonly derivative: Value },
): Value {
  const picked = graph.node('GatherElements', [a, columns], columns.dims, { attributes: { axis: 1 } })
  const { value, derivative } = change(picked)
  const changed = graph.node('ScatterElements', [a, columns, value], a.dims, {
    attributes: { axis: 1 },
    backward: (g) => {
      const there = graph.node('GatherElements', [g, columns], columns.dims, { attributes: { axis: 1 } })
      return [put(graph, g, columns, multiply(graph, there, derivative))]
    },
  })
  return changed
}

/** Lower limit for a probability before its logarithm is taken; float32 ends below it. */
const leastProbability = 1e-30

/**
 * Σᵢ rowWeightsᵢ · −log softmax(logitsᵢ)[labelsᵢ], a scalar; logits [n, c], labels [n, 1] int64, rowWeights [n, 1]. The
 * gradient with respect to the logits is (softmax − onehot) · rowWeights.
 */
export function softmaxCrossEntropy(
  graph: GraphBuilder,
  logits: Value,
  labels: Value,
  rowWeights: Value,
): Value {
  const axis = { axis: 1 }
  const probabilities = graph.node('Softmax', [logits], logits.dims, { attributes: axis })
  const ofLabel = graph.node('GatherElements', [probabilities, labels], labels.dims, { attributes: axis })
  const bounded = graph.node('Max', [ofLabel, graph.scalar(leastProbability)], labels.dims)
  const weighted = multiply(graph, graph.node('Log', [bounded], labels.dims), rowWeights)
  return graph.node('Neg', [sum(graph, weighted)], [], {
    gradientOf: [logits],
    backward: (g) => {
      const less = subtract(graph, ofLabel, graph.scalar(1))
      return [multiply(graph, put(graph, probabilities, labels, less), multiply(graph, rowWeights, g))]
    },
  })
}

const shapeOf = (graph: GraphBuilder, a: Value): Value =>
  graph.node('Shape', [a], [a.dims.length], { type: 'int64' })

const expandLike = (graph: GraphBuilder, g: Value, a: Value): Value =>
  graph.node('Expand', [g, shapeOf(graph, a)], a.dims)

/** Sums a gradient over the axes along which `to` was broadcast. */
function reduceTo(graph: GraphBuilder, gradient: Value, to: Value): Value {
  if (to.dims.length === 0) return gradient.dims.length === 0 ? gradient : sumAll(graph, gradient)
  const axes = gradient.dims.flatMap((dim, at) => (to.dims[at] === 1 && dim !== 1 ? [at] : []))
  if (axes.length === 0) return gradient
  return graph.node('ReduceSum', [gradient, graph.integers(...axes)], to.dims, {
    attributes: { keepdims: 1 },
  })
}

const sumAll = (graph: GraphBuilder, a: Value): Value =>
  graph.node('ReduceSum', [a], [], { attributes: { keepdims: 0 } })

/** The shape of a broadcast of two values of the same rank, or with one scalar. */
function broadcastDims(a: Value, b: Value): readonly Dim[] {
  if (a.dims.length === 0) return b.dims
  if (b.dims.length === 0) return a.dims
  if (a.dims.length !== b.dims.length) throw new Error(`${a.name} and ${b.name} differ in rank`)
  return a.dims.map((dim, at) => {
    const other = b.dims[at] ?? 1
    if (dim !== other && dim !== 1 && other !== 1)
      throw new Error(`${a.name} [${a.dims.join()}] and ${b.name} [${b.dims.join()}] do not fit`)
    return dim === 1 ? other : dim
  })
}

function dimOf(a: Value, axis: number): Dim {
  const dim = a.dims[axis]
  if (dim === undefined) throw new Error(`${a.name} has no axis ${axis}`)
  return dim
}
