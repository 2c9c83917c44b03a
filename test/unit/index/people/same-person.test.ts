import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { samePersonSimilarity, type GroupPair } from '../../../../index/people/same-person.js'

/** Two groups whose means are numbers, as if descriptors had one dimension. */
const pairOf = (a: number, b: number, qualityA: number, qualityB: number): GroupPair => ({
  ...{ product: a * b, squaredA: a * a, squaredB: b * b },
  ...{ qualityA, qualityB },
})

/** Two groups of tracks of equal quality whose means have this length and this cosine to each other. */
const groupsOf = (cosine: number, length: number, tracks: number, quality = 0.8): GroupPair => ({
  ...{ product: cosine * length * length, squaredA: length * length, squaredB: length * length },
  ...{ qualityA: tracks * quality, qualityB: tracks * quality },
})

const single = (cosine: number, quality: number) => samePersonSimilarity(groupsOf(cosine, 1, 1, quality))

describe('how likely two groups are one person', () => {
  it('is the likelihood ratio of the model, by numeric integration over the faces of the people', () => {
    const density = (x: number, variance: number) =>
      Math.exp((-x * x) / (2 * variance)) / Math.sqrt(2 * Math.PI * variance)
    const noise = (quality: number) => 1 / 10 + 1 / 2 / quality
    const between = 2 / 3
    const ratio = (a: number, b: number, qualityA: number, qualityB: number) => {
      const step = 0.002
      let together = 0
      for (let face = -8; face <= 8; face += step)
        together +=
          step * density(face, between) * density(a - face, noise(qualityA)) * density(b - face, noise(qualityB)) // prettier-ignore
      const apart = density(a, between + noise(qualityA)) * density(b, between + noise(qualityB))
      return Math.log(together / apart)
    }
    // A similarity is a straight line over the ratio: with one face fixed to (1, 1) and (1, -1) of quality 0.8.
    const [high, low] = [ratio(1, 1, 0.8, 0.8), ratio(1, -1, 0.8, 0.8)]
    const expected = (...given: Parameters<typeof ratio>) => (2 * (ratio(...given) - low)) / (high - low) - 1
    const cases: readonly Parameters<typeof ratio>[] = [
      [1, 0.3, 0.8, 0.8],
      [0.7, 0.6, 12, 0.4],
      [0.5, -0.2, 3, 90],
      [1, 1, 0.01, 0.2],
    ]
    for (const given of cases)
      assert.ok(Math.abs(samePersonSimilarity(pairOf(...given)) - expected(...given)) < 1e-3)
  })

  it('is the cosine similarity of two sharp faces', () => {
    for (const cosine of [-0.2, 0, 0.43, 0.9]) assert.ok(Math.abs(single(cosine, 0.8) - cosine) < 1e-9)
  })

  it('is less for blurred faces, and never enough without any quality', () => {
    assert.ok(single(0.45, 0.5) < 0.42)
    assert.ok(single(0.45, 0.2) < 0.35)
    assert.ok(single(1, 0.01) < 0.3)
  })

  it('is more for groups that agree, and less for groups that do not', () => {
    const length = 0.75
    assert.ok(samePersonSimilarity(groupsOf(0.8, length, 20)) > single(0.8, 0.8))
    assert.ok(samePersonSimilarity(groupsOf(0.4, length, 20)) < single(0.4, 0.8))
  })

  it('does not grow more certain without end: large groups of one person who aged are joined', () => {
    const [many, very] = [100, 100_000].map((tracks) => samePersonSimilarity(groupsOf(0.7, 0.72, tracks)))
    assert.ok(many! > 0.6 && very! > 0.6, `${many}, ${very}`)
  })
})
