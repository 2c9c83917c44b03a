import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { LargestScores, scoresNeeded, tprAtFpr } from '../../../../../index/evaluate/metrics/roc.js'
import { seededRandom } from '../../../../support/random.js'

const floats = (...values: number[]) => Float32Array.from(values)

describe('the ROC curve', () => {
  // Descending: .9+ .8- .75+ .5+ .5- .25+ .125- .0625-  gives (FPR, TPR) points
  // (0, 0) (0, ¼) (¼, ¼) (¼, ½) (½, ¾) (½, 1) (¾, 1) (1, 1); .5 is one point, both ways.
  const scores = {
    mated: floats(0.75, 0.9, 0.25, 0.5),
    nonMated: floats(0.0625, 0.5, 0.8, 0.125),
    nonMatedCount: 4,
  }

  it('takes the point with the nearest FPR, and with the largest TPR if there are several', () => {
    const points = tprAtFpr(scores, [0, 0.1, 0.25, 0.5, 0.7, 1])
    assert.deepEqual(
      points.map(({ fpr, tpr }) => [fpr, tpr]),
      [[0, 0.25], [0, 0.25], [0.25, 0.5], [0.5, 1], [0.75, 1], [1, 1]], // prettier-ignore
    )
    assert.equal(points[2]!.threshold, 0.75)
  })

  it('takes the larger TPR if two FPRs are equally near', () => {
    assert.equal(tprAtFpr(scores, [0.125])[0]!.tpr, 0.5)
  })

  it('has no rates without mated or without non-mated pairs', () => {
    assert.ok(Number.isNaN(tprAtFpr({ ...scores, mated: floats() }, [0.1])[0]!.tpr))
    assert.ok(Number.isNaN(tprAtFpr({ ...scores, nonMated: floats(), nonMatedCount: 0 }, [0.1])[0]!.tpr))
  })

  it('gives the same result with only the largest non-mated scores, with or without ties', () => {
    const random = seededRandom(11)
    for (const steps of [7, 50, 1e6]) {
      const draw = (shift: number) => Math.round((random() + shift) * steps) / steps
      const mated = Float32Array.from({ length: 300 }, () => draw(0.4))
      const all = Float32Array.from({ length: 5000 }, () => draw(0))
      for (const fpr of [1e-4, 1e-3, 0.01, 0.1]) {
        const largest = new LargestScores(scoresNeeded(fpr, all.length))
        all.forEach((score) => largest.add(score))
        const some = tprAtFpr({ mated, nonMated: largest.values(), nonMatedCount: all.length }, [fpr])
        assert.deepEqual(some, tprAtFpr({ mated, nonMated: all, nonMatedCount: all.length }, [fpr]))
      }
    }
  })

  it('agrees with a reference that counts at every score', () => {
    const random = seededRandom(3)
    const mated = Float32Array.from({ length: 200 }, () => Math.round((random() + 0.2) * 40) / 40)
    const nonMated = Float32Array.from({ length: 300 }, () => Math.round(random() * 40) / 40)
    const share = (values: Float32Array, t: number) => values.filter((v) => v >= t).length / values.length
    for (const target of [0.01, 0.1, 0.3]) {
      const points = [Infinity, ...mated, ...nonMated].map(
        (t) => [share(nonMated, t), share(mated, t)] as const,
      )
      const nearest = Math.min(...points.map(([fpr]) => Math.abs(fpr - target)))
      const tpr = Math.max(...points.filter(([fpr]) => Math.abs(fpr - target) === nearest).map(([, t]) => t))
      assert.equal(tprAtFpr({ mated, nonMated, nonMatedCount: 300 }, [target])[0]!.tpr, tpr)
    }
  })
})

describe('the largest scores', () => {
  it('equal those of a sort', () => {
    const random = seededRandom(9)
    const all = Float32Array.from({ length: 10_000 }, random)
    for (const limit of [0, 1, 3, 700, 20_000]) {
      const largest = new LargestScores(limit)
      all.forEach((score) => largest.add(score))
      assert.deepEqual(largest.values(), all.slice().sort().reverse().slice(0, limit))
    }
  })
})
