import type { Value } from '../../onnx/graph-builder.js'
import { add, arccos, clip, matmul, multiply, pick, relu, subtract, sum } from '../../onnx/ops.js'
import { cosineLimit, type Loss } from './loss.js'

/**
 * Σᵢ wᵢ max(0, arccos(x_pos·x) + m − arccos(x_neg·x)): the triplet loss on angles (ArcFace, arXiv 1801.07698, eq. 7),
 * with the hardest positive and the hardest negative of the batch (Hermans et al., arXiv 1703.07737). Strangers are
 * negatives, never anchors, because two strangers are not the same person. An anchor without a positive has only itself
 * as positive, at angle 0.
 */
export function tripletLoss(margin: number): Loss {
  return {
    name: `triplet:${margin}`,
    needsPairs: true,
    scoring: 'cosine',
    scale: 1,
    build(graph, { unitFeatures, labels, rowWeights, isKnown }) {
      const cosines = matmul(graph, unitFeatures, unitFeatures, { transposeB: true })
      const across = graph.node('Transpose', [labels], [1, labels.dims[0] ?? 1], { type: 'int64' })
      const isSame = graph.node('Equal', [labels, across], cosines.dims, { type: 'bool' })
      const hardest = (opType: 'ArgMin' | 'ArgMax', candidates: Value) => {
        const options = { attributes: { axis: 1, keepdims: 1 }, type: 'int64' } as const
        const column = graph.node(opType, [candidates], labels.dims, options)
        return arccos(graph, clip(graph, pick(graph, cosines, column), -cosineLimit, cosineLimit))
      }
      const ofSame = graph.node('Where', [isSame, cosines, graph.scalar(2)], cosines.dims)
      const ofOthers = graph.node('Where', [isSame, graph.scalar(-2), cosines], cosines.dims)
      const gap = subtract(graph, hardest('ArgMin', ofSame), hardest('ArgMax', ofOthers))
      const violation = relu(graph, add(graph, gap, graph.scalar(margin)))
      return sum(graph, multiply(graph, violation, multiply(graph, rowWeights, isKnown)))
    },
  }
}
