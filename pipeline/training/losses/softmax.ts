import { add, matmul, softmaxCrossEntropy } from '../../onnx/ops.js'
import type { Loss } from './loss.js'

/** −log softmax(W f + b)_y: the plain classifier; nothing is normalised. */
export const softmaxLoss: Loss = {
  name: 'softmax',
  needsPairs: false,
  scoring: 'linear',
  scale: 1,
  build(graph, { features, classWeights, biases, labels, rowWeights }) {
    const logits = add(graph, matmul(graph, features, classWeights, { transposeB: true }), biases)
    return softmaxCrossEntropy(graph, logits, labels, rowWeights)
  },
}
