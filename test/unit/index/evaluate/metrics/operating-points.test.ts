import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { operatingPoints } from '../../../../../index/evaluate/metrics/operating-points.js'
import { seededRandom } from '../../../../support/random.js'

describe('operating points', () => {
  it('gives the lowest threshold for each rate, computed by hand', () => {
    // Ten non-mated scores, 0.0 .. 0.9, four mated ones. FAR ≤ 0.2 allows two: 0.75 rejects 0.7 and keeps 0.8 and 0.9.
    const nonMated = Float32Array.of(0.3, 0, 0.9, 0.1, 0.8, 0.2, 0.7, 0.4, 0.6, 0.5)
    const mated = Float32Array.of(0.95, 0.75, 0.85, 0.55)
    const { points, equalError } = operatingPoints(mated, nonMated, [0.2, 0.1, 0.05])
    assert.deepEqual(points, [
      {
        targetFar: 0.2,
        measurable: true,
        threshold: Math.fround(0.75),
        far: 0.2,
        frr: 0.25,
        falseAccepts: 2,
      },
      { targetFar: 0.1, measurable: true, threshold: Math.fround(0.85), far: 0.1, frr: 0.5, falseAccepts: 1 },
      {
        targetFar: 0.05,
        measurable: false,
        threshold: Math.fround(0.95),
        far: 0,
        frr: 0.75,
        falseAccepts: 0,
      },
    ])
    // FAR − FRR: 0.3 − 0.25 at 0.7, 0.2 − 0.25 at 0.75; equally near, so the lower threshold.
    assert.equal(equalError?.threshold, Math.fround(0.7))
    assert.equal(equalError.eer, (0.3 + 0.25) / 2)
  })

  it('accepts a score that equals the threshold', () => {
    const { ratesAt } = operatingPoints(Float32Array.of(0.5, 1), Float32Array.of(0, 0.5))
    assert.deepEqual(ratesAt(0.5), { far: 0.5, frr: 0 })
    assert.deepEqual(ratesAt(0.51), { far: 0, frr: 0.5 })
  })

  it('goes above tied non-mated scores, so that it does not exceed the rate', () => {
    const { points } = operatingPoints(Float32Array.of(0.2), Float32Array.of(0.5, 0.5, 0.5, 0.1), [0.5])
    const [point] = points
    assert.equal(point?.far, 0)
    assert.equal(point.frr, 1)
    assert.ok(point.threshold > 0.5 && point.threshold < 0.5 + 1e-6)
  })

  it('has an equal error rate of 0 for separate scores, and of 1 for swapped ones', () => {
    const low = Float32Array.of(-0.2, -0.1, 0)
    const high = Float32Array.of(0.5, 0.6)
    assert.equal(operatingPoints(high, low).equalError?.eer, 0)
    assert.equal(operatingPoints(low, high).equalError?.eer, 1)
  })

  it('measures a rate with the number of scores that it needs, and not with one less', () => {
    const measurable = (count: number) =>
      operatingPoints(Float32Array.of(1), new Float32Array(count)).points.map((point) => point.measurable)
    assert.deepEqual(measurable(99), [false, false, false])
    assert.deepEqual(measurable(100), [true, false, false])
    assert.deepEqual(measurable(999), [true, false, false])
    assert.deepEqual(measurable(10_000), [true, true, true])
  })

  it('has no points without mated or without non-mated scores', () => {
    const some = Float32Array.of(0.1, 0.2)
    const none = new Float32Array()
    for (const [mated, nonMated] of [
      [none, some],
      [some, none],
      [none, none],
    ] as const) {
      const { points, equalError } = operatingPoints(mated, nonMated)
      assert.deepEqual(points, [])
      assert.equal(equalError, undefined)
    }
    assert.deepEqual(operatingPoints(some, none).ratesAt(0.15), { far: undefined, frr: 0.5 })
  })

  it('does not reorder the given scores', () => {
    const scores = Float32Array.of(3, 1, 2)
    operatingPoints(scores, scores)
    assert.deepEqual([...scores], [3, 1, 2])
  })

  // Definitions by counting, at every score and above all; few distinct values, so that ties abound.
  for (const seed of [1, 2, 3, 4, 5, 6])
    it(`agrees with counting (seed ${seed})`, () => {
      const random = seededRandom(seed)
      const draw = (count: number, shift: number) =>
        Float32Array.from({ length: count }, () => Math.round(20 * (random() + shift)) / 20 - 0.5)
      const mated = draw(10 + seed * 17, 0.4)
      const nonMated = draw(200 + seed * 31, 0)
      const thresholds = [...new Set([...mated, ...nonMated])].sort((a, b) => a - b)
      const counted = [...thresholds, Infinity].map((threshold) => ({
        threshold,
        far: nonMated.filter((score) => score >= threshold).length / nonMated.length,
        frr: mated.filter((score) => score < threshold).length / mated.length,
      }))
      const targets = [0.5, 0.1, 0.05, 1e-2, 1e-3]
      const { points, equalError, ratesAt } = operatingPoints(mated, nonMated, targets)
      for (const [i, target] of targets.entries()) {
        const expected = counted.find(({ far }) => far <= target)!
        assert.equal(points[i]?.far, expected.far)
        assert.equal(points[i].frr, expected.frr)
        if (expected.threshold < Infinity) assert.equal(points[i].threshold, expected.threshold)
        else assert.ok(points[i].threshold > thresholds.at(-1)!)
      }
      const nearest = counted.reduce((a, b) => (Math.abs(b.far - b.frr) < Math.abs(a.far - a.frr) ? b : a))
      assert.equal(equalError?.eer, (nearest.far + nearest.frr) / 2)
      for (const { threshold, far, frr } of counted) assert.deepEqual(ratesAt(threshold), { far, frr })
    })
})
