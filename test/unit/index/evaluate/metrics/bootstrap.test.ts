import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { bootstrapMean, pairedDifference } from '../../../../../index/evaluate/metrics/bootstrap.js'
import { gaussian } from '../../../../../pipeline/common/seeded-random.js'
import { seededRandom } from '../../../../support/random.js'

describe('the interval of a mean', () => {
  it('is 1.96 standard errors to both sides for many values of a normal distribution', () => {
    const random = seededRandom(1)
    const values = Array.from({ length: 400 }, () => 3 + 2 * gaussian(random))
    const mean = values.reduce((a, b) => a + b) / values.length
    const deviation = Math.sqrt(values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / values.length)
    const half = (1.96 * deviation) / Math.sqrt(values.length)
    const [low, high] = bootstrapMean(values)
    assert.ok(Math.abs(low - (mean - half)) < 0.05 * half, `${low}`)
    assert.ok(Math.abs(high - (mean + half)) < 0.05 * half, `${high}`)
  })

  it('contains the true mean in about 95 % of the samples, also for a skewed distribution in [0, 1]', () => {
    const random = seededRandom(2)
    const trials = 300
    let held = 0
    for (let trial = 0; trial < trials; trial++) {
      // √u has mean 2/3, as average precisions have: many near 1.
      const [low, high] = bootstrapMean(Array.from({ length: 60 }, () => Math.sqrt(random())))
      if (low <= 2 / 3 && 2 / 3 <= high) held++
    }
    // Standard deviation of the share over 300 trials: 0.013.
    assert.ok(held / trials > 0.9 && held / trials < 0.985, `${held / trials}`)
  })

  it('is the same for the same values, and has no width for one value', () => {
    assert.deepEqual(bootstrapMean([0.1, 0.9, 0.4]), bootstrapMean([0.1, 0.9, 0.4]))
    assert.deepEqual(bootstrapMean([0.5, 0.5, 0.5, 0.5]), [0.5, 0.5])
    assert.deepEqual(bootstrapMean([]), [0, 0])
  })
})

describe('a paired difference', () => {
  const random = seededRandom(3)
  const a = Array.from({ length: 200 }, () => random())

  it('of equal runs is 0 with an interval of [0, 0]', () =>
    assert.deepEqual(pairedDifference(a, [...a]), { value: 0, ci95: [0, 0] }))

  it('of a run that is better by a constant has no width, even if identities differ', () => {
    const { value, ci95 } = pairedDifference(
      a,
      a.map((ap) => ap + 0.125),
    )
    for (const end of [value, ...ci95]) assert.ok(Math.abs(end - 0.125) < 1e-12)
  })

  it('changes its sign with the order', () => {
    const b = a.map((ap) => Math.min(1, ap + 0.1 * random()))
    const [forth, back] = [pairedDifference(a, b), pairedDifference(b, a)]
    assert.ok(forth.ci95[0] > 0 && forth.ci95[0] <= forth.value && forth.value <= forth.ci95[1])
    assert.ok(Math.abs(forth.value + back.value) < 1e-12)
    assert.ok(back.ci95[1] < 0)
  })

  it('of empty runs is 0, and runs of different lengths are refused', () => {
    assert.deepEqual(pairedDifference([], []), { value: 0, ci95: [0, 0] })
    assert.throws(() => pairedDifference([1], [1, 2]), /cannot be paired/)
  })
})
