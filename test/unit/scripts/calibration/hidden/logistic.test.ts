import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { hiddenProbability, visibleTerm } from '../../../../../pipeline/embed/hidden-face.js'
import { gaussian, seededRandom } from '../../../../../pipeline/common/seeded-random.js'
import { decay, fitLogistic } from '../../../../../scripts/calibration/hidden/logistic.js'
import { l2Normalise } from '../../../../../pipeline/data/vector-math.js'

/** Points around ±(1, 0, 0) with a spread of 0.5, normalised to length 1. */
function points(count: number, seed: number) {
  const random = seededRandom(seed)
  return Array.from({ length: count }, (_, i) => {
    const isPositive = i % 4 === 0
    const x = (isPositive ? 1 : -1) + 0.5 * gaussian(random)
    const vector = Float32Array.of(x, 0.5 * gaussian(random), 0.5 * gaussian(random))
    return { vector: l2Normalise(vector), isPositive }
  })
}

describe('the logistic model of hidden faces', () => {
  const taught = points(2000, 1)
  const model = {
    ...fitLogistic(
      taught.map(({ vector }) => vector),
      taught.map(({ isPositive }) => isPositive),
    ),
    threshold: 1,
  }

  it('classifies unseen points of both classes equally well, although one class is rarer', () => {
    const held = points(2000, 2)
    const wrong = (kind: boolean) => {
      const own = held.filter(({ isPositive }) => isPositive === kind)
      return own.filter(({ vector }) => hiddenProbability(vector, model) > 0.5 !== kind).length / own.length
    }
    // A normal deviate lies 2 standard deviations to one side in 2.3 % of all cases.
    for (const kind of [true, false]) assert.ok(Math.abs(wrong(kind) - 0.023) < 0.02, `${wrong(kind)}`)
  })

  it('ends where its gradient is 0: a small change of any weight increases the loss', () => {
    const loss = ({ weights, bias }: Pick<typeof model, 'weights' | 'bias'>) => {
      const ofWeights = (decay / 2) * weights.reduce((sum, w) => sum + w * w, 0)
      return taught.reduce((sum, { vector, isPositive }) => {
        const p = hiddenProbability(vector, { weights, bias, threshold: 1 })
        return sum - Math.log(isPositive ? p : 1 - p) * (isPositive ? 0.5 / 500 : 0.5 / 1500)
      }, ofWeights)
    }
    const least = loss(model)
    for (let i = 0; i < 3; i++)
      for (const change of [-0.3, 0.3])
        assert.ok(
          loss({ ...model, weights: model.weights.map((w, k) => (k === i ? w + change : w)) }) > least,
        )
    for (const change of [-0.3, 0.3]) assert.ok(loss({ ...model, bias: model.bias + change }) > least)
  })

  it('lowers the quality of a hidden face to at most a quarter, and hardly lowers the quality of a visible face', () => {
    const far = (bias: number) =>
      visibleTerm(Float32Array.of(0, 0, 1), { weights: [0, 0, 0], bias, threshold: 1 })
    assert.deepEqual(
      [far(50), far(-50), far(0), far(Math.log(3))].map((term) => term.toFixed(4)),
      ['0.2500', '1.0000', '1.0000', '0.6250'],
    )
    assert.equal(visibleTerm(Float32Array.of(1), undefined), 1)
  })
})
