import type { GraphBuilder, Value } from '../../onnx/graph-builder.js'
import { asFloat, changePicked, matmul, scale, softmaxCrossEntropy } from '../../onnx/ops.js'
import { cosineLimit, type Loss } from './loss.js'

export interface Margins {
  /** SphereFace: factor of the angle. */
  readonly m1: number
  /** ArcFace: added to the angle, radians. */
  readonly m2: number
  /** CosFace: subtracted from the cosine. */
  readonly m3: number
}

/**
 * −log softmax(s·cosθ)_y with cos(m1·θ_y + m2) − m3 instead of the true class's cosine (ArcFace, arXiv 1801.07698, eq.
 * 4). If m1·θ + m2 exceeds π, the function continues monotonically as cosθ − m·sin m; m = π − (π − m2)/m1 is the angle
 * that is missing there (as in InsightFace; for m1 = 1, m = m2). The noise class gets no margin.
 */
export function combinedMarginLoss(name: string, margins: Margins, s: number): Loss {
  const { m1, m2, m3 } = margins
  return {
    name,
    needsPairs: false,
    scoring: 'cosine',
    scale: s,
    build(graph, { unitFeatures, unitClassWeights, labels, rowWeights, isKnown }) {
      // The scale is applied to the small factor of the product, not to the matrix of the batch's size.
      const cosines = matmul(graph, scale(graph, unitFeatures, s), unitClassWeights, { transposeB: true })
      const logits =
        m1 === 1 && m2 === 0 && m3 === 0
          ? cosines
          : changePicked(graph, cosines, labels, (picked) => withMargin(graph, picked, isKnown, s, margins))
      return softmaxCrossEntropy(graph, logits, labels, rowWeights)
    },
  }

  function withMargin(
    graph: GraphBuilder,
    scaled: Value,
    isKnown: Value,
    s: number,
    { m1, m2, m3 }: Margins,
  ) {
    const { dims } = scaled
    const node = (opType: string, ...inputs: Value[]) => graph.node(opType, inputs, dims)
    const number = (value: number) => graph.scalar(value)
    const cosine = node('Clip', node('Mul', scaled, number(1 / s)), number(-cosineLimit), number(cosineLimit))
    const angle = node('Acos', cosine)
    const sine = node('Sqrt', node('Sub', number(1), node('Mul', cosine, cosine)))
    const widened = node('Add', node('Mul', angle, number(m1)), number(m2))
    // d cos(m1·θ + m2) / d cosθ = m1 · sin(m1·θ + m2) / sinθ
    const slope = node('Div', node('Mul', node('Sin', widened), number(m1)), sine)
    const missing = Math.PI - (Math.PI - m2) / m1
    const beyond = node('Sub', cosine, number(missing * Math.sin(missing)))
    const isWithin = graph.node('LessOrEqual', [widened, number(Math.PI)], dims, { type: 'bool' })
    const target = node('Sub', node('Where', isWithin, node('Cos', widened), beyond), number(m3))
    const targetSlope = node('Where', isWithin, slope, node('Add', node('Mul', cosine, number(0)), number(1)))
    // Noise keeps its cosine.
    const known = asFloat(graph, graph.node('Greater', [isKnown, number(0)], dims, { type: 'bool' }))
    const blend = (a: Value, b: Value) =>
      node('Add', node('Mul', known, a), node('Mul', node('Sub', number(1), known), b))
    const one = node('Add', node('Mul', known, number(0)), number(1))
    return {
      value: node('Mul', blend(target, cosine), number(s)),
      derivative: blend(targetSlope, one),
    }
  }
}
