import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  contiguousFolds,
  verifyPairs,
  type VerifiedPair,
} from '../../../../../index/evaluate/protocols/verification.js'
import { seededRandom } from '../../../../support/random.js'

const mated = (distance: number | undefined): VerifiedPair => ({ distance, isSame: true })
const nonMated = (distance: number | undefined): VerifiedPair => ({ distance, isSame: false })

const near = (actual: number, expected: number) =>
  assert.ok(Math.abs(actual - expected) < 1e-9, `${actual} instead of ${expected}`)

describe('verification over folds', () => {
  it('takes the first of the best thresholds of the other folds, and evaluates the left-out fold', () => {
    // Fold 1 alone is right from above .5 on; fold 2 alone from above 1.2 on.
    const folds = [
      [mated(0.5), nonMated(1)],
      [mated(1.2), nonMated(2)],
    ]
    const { accuracy, thresholds, pairs } = verifyPairs(folds)
    assert.equal(pairs, 4)
    near(thresholds[0]!, 1.21)
    near(thresholds[1]!, 0.51)
    // At 1.21 fold 1 accepts both: 1 of 2. At .51 fold 2 accepts none: 1 of 2.
    assert.deepEqual(accuracy, { mean: 0.5, std: 0 })
  })

  it('counts a distance equal to the threshold as different, and std over the folds by their number', () => {
    const folds = [
      [mated(1), nonMated(2)],
      [mated(0.1), nonMated(1.01)],
    ]
    // Fold 2 alone chooses .11: fold 1 has 1 of 2. Fold 1 alone chooses 1.01, not yet below 1.01: fold 2 has 2 of 2.
    const { accuracy } = verifyPairs(folds)
    near(accuracy.mean, 0.75)
    near(accuracy.std, 0.25)
  })

  it('counts a pair without a face as wrong, mated or not', () => {
    const fold = [mated(0.1), mated(undefined), nonMated(2), nonMated(undefined)]
    assert.equal(verifyPairs([fold, fold]).accuracy.mean, 0.5)
  })

  it('interpolates the threshold at which the FAR reaches its target', () => {
    // Training FAR goes from 0 to 1/4 between the thresholds 1.000 and 1.001: FAR .125 lies at 1.0005.
    const negatives = [1.0002, 2, 2, 2].map(nonMated)
    const fold = [mated(1.0004), mated(1.0006), ...negatives]
    const { tar } = verifyPairs([fold, fold], { targetFar: 0.125 })
    assert.equal(tar?.tar.mean, 0.5)
    assert.equal(tar.far, 0.25)
  })

  it('divides like KFold: the first folds have one item more', () => {
    const folds = contiguousFolds([...Array(23).keys()], 10)
    assert.deepEqual(folds.map((fold) => fold.length), [3, 3, 3, 2, 2, 2, 2, 2, 2, 2]) // prettier-ignore
    assert.deepEqual(folds.flat(), [...Array(23).keys()])
  })

  it('agrees with a reference that goes through all pairs at every threshold', () => {
    const random = seededRandom(5)
    const pairs = Array.from({ length: 403 }, (_, i): VerifiedPair => {
      const isSame = i % 2 === 0
      const distance = Math.round((isSame ? 0.9 : 1.5) * 100 + (random() - 0.5) * 160) / 100
      return { distance: i % 57 === 0 ? undefined : distance, isSame }
    })
    const folds = contiguousFolds(pairs, 10)
    const right = (some: readonly VerifiedPair[], t: number) =>
      some.filter(({ distance, isSame }) => distance !== undefined && distance < t === isSame).length
    const expected = folds.map((fold, left) => {
      const training = folds.filter((_, i) => i !== left).flat()
      const scores = Array.from({ length: 400 }, (_, i) => right(training, (i * 4) / 400))
      return right(fold, (scores.indexOf(Math.max(...scores)) * 4) / 400) / fold.length
    })
    near(verifyPairs(folds).accuracy.mean, expected.reduce((a, b) => a + b) / 10)
  })
})
