import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  angleBetween,
  angleStatistics,
  type AngleStatistics,
} from '../../../../../index/evaluate/metrics/angles.js'
import { seededRandom } from '../../../../support/random.js'

/** A direction in the plane, degrees, of any length. */
const at = (degrees: number, length = 1) => [
  length * Math.cos((degrees * Math.PI) / 180),
  length * Math.sin((degrees * Math.PI) / 180),
]

function near(actual: number | undefined, expected: number, tolerance = 1e-4): void {
  assert.ok(actual !== undefined && Math.abs(actual - expected) < tolerance, `${actual} is not ${expected}`)
}

function nearAll(
  { wEc, wInter, intra, inter }: AngleStatistics,
  expected: readonly [wEc: number, wInter: number, intra: number, inter: number],
): void {
  for (const [k, value] of [wEc, wInter, intra, inter].entries()) near(value, expected[k]!)
}

describe('angle statistics', () => {
  it('in the plane, computed by hand; lengths do not matter, a class without samples counts only in W-Inter', () => {
    const statistics = angleStatistics({
      dimension: 2,
      features: Float32Array.from([at(10, 5), at(80, 0.1), at(30, 5)].flat()),
      labels: Int32Array.of(0, 1, 0),
      classWeights: Float32Array.from([at(0, 3), at(90), at(200, 7)].flat()),
    })
    // Centres at 20° and 80°. Nearest weights: 0 → 90, 90 → 0, 200 → 90.
    nearAll(statistics, [(20 + 10) / 2, (90 + 90 + 110) / 3, (10 + 10 + 0) / 3, 60])
    assert.deepEqual([statistics.classes, statistics.classesWithSamples, statistics.samples], [3, 2, 3])
  })

  it("a sample's length does not change the centre of its class", () => {
    const { intra } = angleStatistics({
      dimension: 2,
      features: Float32Array.from([at(0, 100), at(40, 0.01)].flat()),
      labels: Int32Array.of(0, 0),
      classWeights: Float32Array.from(at(0)),
    })
    near(intra, 20)
  })

  it('Intra is a mean over samples, W-EC and Inter over classes', () => {
    const statistics = angleStatistics({
      dimension: 2,
      features: Float32Array.from([at(-10), at(10), at(-10), at(10), at(100), at(160)].flat()),
      labels: Int32Array.of(0, 0, 0, 0, 1, 1),
      classWeights: Float32Array.from([at(0), at(100)].flat()),
    })
    nearAll(statistics, [(0 + 30) / 2, 100, (4 * 10 + 2 * 30) / 6, 130])
  })

  it('in space: axes are 90° apart, and the centre of two of them is 45° from each', () => {
    const statistics = angleStatistics({
      dimension: 3,
      features: Float32Array.from([1, 0, 0, 0, 1, 0, 0, 0, 1]),
      labels: Int32Array.of(0, 0, 1),
      classWeights: Float32Array.from([1, 0, 0, 0, 0, -2]),
    })
    // W-EC: 45° and, opposite to its class, 180°. Centres: [1, 1, 0]/√2 and [0, 0, 1].
    nearAll(statistics, [(45 + 180) / 2, 90, (45 + 45 + 0) / 3, 90])
  })

  it('of one class have no values between classes; without samples, no values of samples', () => {
    const one = angleStatistics({ dimension: 2, features: Float32Array.from(at(5)), labels: Int32Array.of(0), classWeights: Float32Array.from(at(0)) }) // prettier-ignore
    near(one.wEc, 5)
    assert.deepEqual([one.wInter, one.inter], [undefined, undefined])
    const none = angleStatistics({ dimension: 2, features: new Float32Array(0), labels: new Int32Array(0), classWeights: Float32Array.from([at(0), at(7)].flat()) }) // prettier-ignore
    near(none.wInter, 7)
    assert.deepEqual([none.wEc, none.intra, none.inter], [undefined, undefined, undefined])
  })

  it('agree with arccos over all pairs on random vectors, over more classes than one block of products', () => {
    const random = seededRandom(5)
    const [dimension, classes, count] = [8, 1100, 2500]
    const vectors = (n: number) => Array.from({ length: n }, () => Array.from({ length: dimension }, () => random() - 0.5)) // prettier-ignore
    const [features, weights] = [vectors(count), vectors(classes)]
    const labels = features.map((_, i) => (i < classes - 3 ? i : Math.floor(random() * (classes - 3))))
    const statistics = angleStatistics({
      dimension,
      features: Float32Array.from(features.flat()),
      labels: Int32Array.from(labels),
      classWeights: Float32Array.from(weights.flat()),
    })
    const unit = (v: readonly number[]) => v.map((x) => x / Math.hypot(...v))
    const angle = (a: readonly number[], b: readonly number[]) => (Math.acos(Math.min(1, unit(a).reduce((sum, x, i) => sum + x * unit(b)[i]!, 0))) * 180) / Math.PI // prettier-ignore
    const mean = (values: readonly number[]) => values.reduce((a, b) => a + b) / values.length
    const centres = Array.from({ length: classes - 3 }, (_, label) => {
      const own = features.filter((_, i) => labels[i] === label).map(unit)
      return own.reduce((sum, v) => sum.map((x, i) => x + v[i]!))
    })
    near(statistics.wEc, mean(centres.map((centre, label) => angle(centre, weights[label]!))))
    near(statistics.intra, mean(features.map((v, i) => angle(v, centres[labels[i]!]!))))
    const units = weights.map(unit)
    const nearestOf = (k: number) => {
      let best = -1
      for (const [j, other] of units.entries())
        if (j !== k) best = Math.max(best, units[k]!.reduce((sum, x, i) => sum + x * other[i]!, 0)) // prettier-ignore
      return (Math.acos(best) * 180) / Math.PI
    }
    near(statistics.wInter, mean(units.map((_, k) => nearestOf(k))))
  })

  it('distinguish small angles for which arccos of float32 has no digits left', () => {
    const tiny = 1e-4
    near(angleBetween(Float32Array.from(at(0)), Float32Array.from(at(tiny))), tiny, 1e-6)
    near(angleBetween(Float32Array.from(at(0)), Float32Array.from(at(180))), 180, 1e-4)
  })
})
