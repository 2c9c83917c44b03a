import { add, arccos, clip, matmul, multiply, pickRows, scale, subtract, sum } from '../../onnx/ops.js'
import { cosineLimit, type Loss } from './loss.js'

/**
 * −(1/(π(C−1))) Σᵢ wᵢ Σ_{j≠yᵢ} arccos(W_yᵢᵀ W_j): the angles between the classes' weights (ArcFace, arXiv 1801.07698,
 * eq. 6). The noise class does not count.
 */
export const interLoss: Loss = {
  name: 'inter',
  needsPairs: false,
  scoring: 'cosine',
  scale: 1,
  build(graph, { unitClassWeights, labels, rowWeights, isKnown, classCount }) {
    const all = classCount + 1
    const cosines = matmul(graph, unitClassWeights, unitClassWeights, { transposeB: true })
    // 1 for two different classes, 0 for a class and itself, and for noise.
    const counts = new Float32Array(all * all).fill(1)
    for (let c = 0; c < all; c++) counts[c] = counts[c * all] = counts[c * all + c] = 0
    const isCounted = graph.weights('pairs of classes', [all, all], counts)
    // The cosine of a pair that does not count becomes 0, and its angle π/2 is subtracted again, because arccos has no
    // slope at 1.
    const bounded = clip(graph, multiply(graph, cosines, isCounted), -cosineLimit, cosineLimit)
    const others = sum(graph, isCounted, 1)
    const uncounted = scale(graph, subtract(graph, graph.scalar(all), others), -Math.PI / 2)
    const angles = add(graph, sum(graph, arccos(graph, bounded), 1), uncounted)
    const ofRows = multiply(graph, pickRows(graph, angles, labels), multiply(graph, rowWeights, isKnown))
    return scale(graph, sum(graph, ofRows), -1 / (Math.PI * Math.max(1, classCount - 1)))
  },
}
