import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  evaluateDistractors,
  type LabelledTable,
} from '../../../../../index/evaluate/protocols/distractors.js'
import { seededRandom } from '../../../../support/random.js'
import { dotProduct, l2Normalise } from '../../../../../pipeline/data/vector-math.js'

/** Unit vectors in the plane at angles in degrees. */
function tableAt(...rows: (readonly [string, number])[]): LabelledTable {
  const radians = rows.map(([, angle]) => (angle * Math.PI) / 180)
  return {
    dimension: 2,
    identities: rows.map(([identity]) => identity),
    vectors: Float32Array.from(radians.flatMap((angle) => [Math.cos(angle), Math.sin(angle)])),
  }
}

describe('identification among distractors', () => {
  it("uses each of a person's photos in turn as the gallery photo", () => {
    // A at 0° and 20°: the distractor at 25° beats the mate of the probe at 20° (5° away), not of that at 0°.
    // B at 100° and 110°: no distractor is near.
    const result = evaluateDistractors({
      probes: tableAt(['A', 0], ['A', 20], ['B', 100], ['B', 110]),
      distractors: tableAt(['', 25], ['', 200]),
    })
    assert.equal(result.matedPairs, 4)
    assert.equal(result.nonMatedPairs, 8)
    assert.deepEqual(result.rank1, [{ distractors: 2, rank1: 0.75 }])
    // Nothing may be accepted falsely: mated pairs above cos 5°, which are none.
    assert.equal(result.verification.tpr, 0)
    // Pairs of A with B among probes and gallery: 2 × 2 × 2.
    assert.equal(result.allPairs.nonMatedPairs, 16)
  })

  it('compares probes with a separate gallery if given, also with an identical photo', () => {
    const result = evaluateDistractors({
      probes: tableAt(['A', 0]),
      gallery: tableAt(['A', 0], ['A', 30], ['B', 2]),
      distractors: tableAt(['', 90]),
    })
    assert.equal(result.matedPairs, 2)
    assert.deepEqual(result.rank1, [{ distractors: 1, rank1: 1 }])
    assert.equal(result.verification.tpr, 1)
    // B at 2° of the gallery is a non-mated pair of Trillion-Pairs, above A's 30°.
    assert.equal(result.allPairs.verification.tpr, 0.5)
  })

  it('counts a tie with a distractor as lost', () => {
    const rank1Against = (angle: number) =>
      evaluateDistractors({
        probes: tableAt(['A', 0]),
        gallery: tableAt(['A', 10]),
        distractors: tableAt(['', angle]),
      }).rank1[0]!.rank1
    assert.deepEqual([rank1Against(10), rank1Against(11)], [0, 1])
  })

  it('agrees with a reference over all pairs, at 10, 100, 1000 and all distractors', () => {
    const random = seededRandom(21)
    const dimension = 24
    const vector = (): number[] => Array.from({ length: dimension }, () => random() - 0.5)
    const unit = (values: number[]) => l2Normalise(Float32Array.from(values))
    const people = Array.from({ length: 12 }, vector)
    const photos = people.flatMap((person, id) =>
      [1, 2, 3].map(() => ({ id: `p${id}`, at: unit(vector().map((noise, i) => 0.9 * noise + person[i]!)) })),
    )
    const others = Array.from({ length: 1500 }, () => unit(vector()))
    const flat = (rows: readonly Float32Array[]) => Float32Array.from(rows.flatMap((row) => [...row]))
    const result = evaluateDistractors({
      probes: {
        dimension,
        identities: photos.map(({ id }) => id),
        vectors: flat(photos.map(({ at }) => at)),
      },
      distractors: { dimension, vectors: flat(others) },
    })
    const pairs = photos.flatMap((probe) =>
      photos.filter((mate) => mate !== probe && mate.id === probe.id).map((mate) => ({ probe, mate })),
    )
    assert.equal(result.matedPairs, pairs.length)
    for (const { distractors, rank1 } of result.rank1) {
      const wins = pairs.filter(({ probe, mate }) =>
        others
          .slice(0, distractors)
          .every((other) => dotProduct(probe.at, other) < dotProduct(probe.at, mate.at)),
      )
      assert.equal(rank1, wins.length / pairs.length)
    }
    assert.deepEqual(result.rank1.map(({ distractors }) => distractors), [10, 100, 1000, 1500]) // prettier-ignore
    const worst = Math.max(...photos.flatMap(({ at }) => others.map((other) => dotProduct(at, other))))
    const above = pairs.filter(({ probe, mate }) => dotProduct(probe.at, mate.at) > worst)
    assert.equal(result.verification.tpr, above.length / pairs.length)
  })
})
