import { arccos, clip, matmul, multiply, pick, scale, sum } from '../../onnx/ops.js'
import { cosineLimit, type Loss } from './loss.js'

/** (1/π) Σᵢ wᵢ θ_yᵢ: the angle of each sample to its class's weight (ArcFace, arXiv 1801.07698, eq. 5). */
export const intraLoss: Loss = {
  name: 'intra',
  needsPairs: false,
  scoring: 'cosine',
  scale: 1,
  build(graph, { unitFeatures, unitClassWeights, labels, rowWeights, isKnown }) {
    const cosines = matmul(graph, unitFeatures, unitClassWeights, { transposeB: true })
    const angles = arccos(graph, clip(graph, pick(graph, cosines, labels), -cosineLimit, cosineLimit))
    const counted = multiply(graph, angles, multiply(graph, rowWeights, isKnown))
    return scale(graph, sum(graph, counted), 1 / Math.PI)
  },
}
