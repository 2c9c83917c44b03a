import { dotProduct } from '../../../pipeline/data/vector-math.js'

/** Keeps the weights from growing without limit if the two classes can be separated completely. */
export const decay = 1e-3
const steps = 400

/**
 * Logistic regression with a little weight decay. Both classes have the same total weight, however many
 * samples each has. Uses Nesterov's accelerated descent, for a convex function with known smoothness.
 * @param inputs vectors of length 1
 */
export function fitLogistic(
  inputs: readonly Float32Array[],
  labels: readonly boolean[],
): { readonly weights: readonly number[]; readonly bias: number } {
  const dimension = inputs[0]?.length ?? 0
  const positives = labels.filter(Boolean).length
  const [ofPositive, ofNegative] = [0.5 / positives, 0.5 / (labels.length - positives)]
  // The logistic function's slope is at most ¼, and an input with its constant has the squared length 2.
  const step = 1 / (0.25 * 2 + decay)
  const at = new Float32Array(dimension + 1)
  const before = new Float32Array(dimension + 1)
  for (let k = 0; k < steps; k++) {
    const ahead = at.map((value, i) => value + (k / (k + 3)) * (value - (before[i] ?? 0)))
    const gradient = ahead.map((value, i) => (i === dimension ? 0 : decay * value))
    const weights = ahead.subarray(0, dimension)
    for (const [n, input] of inputs.entries()) {
      const isPositive = labels[n] === true
      const probability = 1 / (1 + Math.exp(-dotProduct(input, weights) - (ahead[dimension] ?? 0)))
      const error = (probability - (isPositive ? 1 : 0)) * (isPositive ? ofPositive : ofNegative)
      for (let i = 0; i < dimension; i++) gradient[i] = (gradient[i] ?? 0) + error * (input[i] ?? 0)
      gradient[dimension] = (gradient[dimension] ?? 0) + error
    }
    before.set(at)
    for (let i = 0; i <= dimension; i++) at[i] = (ahead[i] ?? 0) - step * (gradient[i] ?? 0)
  }
  return { weights: [...at.subarray(0, dimension)], bias: at[dimension] ?? 0 }
}
