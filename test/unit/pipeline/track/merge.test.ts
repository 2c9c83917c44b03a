import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { seededRandom } from '../../../support/random.js'
import { mergeTracklets, type Tracklet } from '../../../../pipeline/track/merge.js'
import { randomUnit, unitNear, type Random } from './scene.js'

const tracklet = (startS: number, endS: number, vector: Float32Array | number[], weight = 1): Tracklet => ({
  seenS: [[startS, endS]],
  vector: Float32Array.from(vector),
  weight,
})

const people = (count: number, random: Random): Float32Array[] =>
  Array.from({ length: count }, () => randomUnit(512, random))

/** A tracklet of the person. The cosine between two tracklets of one person is about 0.8² = 0.64. */
const of = (person: Float32Array, startS: number, endS: number, random: Random): Tracklet =>
  tracklet(startS, endS, unitNear(person, 0.8, random), 1 + 4 * random())

function crowd(
  count: number,
  persons: number,
  seed: number,
  spanS = 600,
): { all: Tracklet[]; truth: number[] } {
  const random = seededRandom(seed)
  const faces = people(persons, random)
  const truth = Array.from({ length: count }, () => Math.floor(random() * persons))
  const all = truth.map((person) => {
    const startS = random() * spanS
    return of(faces[person]!, startS, startS + random() * 8, random)
  })
  return { all, truth }
}

const intersect = (a: Tracklet, b: Tracklet): boolean =>
  a.seenS.some((x) => b.seenS.some((y) => x[0] <= y[1] && y[0] <= x[1]))

describe('merging tracklets', () => {
  it("joins the pieces of each person and nobody else's", () => {
    const random = seededRandom(1)
    const [anna, ben] = people(2, random) as [Float32Array, Float32Array]
    const all = [
      of(ben, 20, 25, random),
      of(anna, 0, 5, random),
      of(ben, 1, 4, random),
      of(anna, 6, 9, random),
      of(anna, 21, 30, random),
    ]
    assert.deepEqual(mergeTracklets(all, { minSimilarity: 0.4 }), [
      [1, 3, 4],
      [2, 0],
    ])
  })

  it('never joins two that overlap in time, whatever the vectors are; every index is in one group', () => {
    for (let seed = 0; seed < 60; seed++) {
      const { all } = crowd(60, 1 + (seed % 6), seed, 60)
      const groups = mergeTracklets(all, {
        minSimilarity: seed % 3 === 0 ? -1 : 0.3,
        minAverageSimilarity: -1,
      })
      assert.deepEqual(
        groups.flat().sort((a, b) => a - b),
        all.map((_, index) => index),
      )
      for (const group of groups) {
        for (const [at, i] of group.entries()) {
          for (const j of group.slice(0, at)) assert.ok(!intersect(all[i]!, all[j]!))
        }
      }
    }
  })

  it('treats a shared frame as an overlap, but not a gap that another one fills', () => {
    const vector = [1, 0]
    const options = { minSimilarity: 0.5 }
    assert.deepEqual(mergeTracklets([tracklet(0, 2, vector), tracklet(2, 4, vector)], options), [[0], [1]])
    const around = [tracklet(0, 1, vector), tracklet(5, 6, vector), tracklet(2, 3, vector)]
    assert.deepEqual(mergeTracklets(around, options), [[0, 2, 1]])
  })

  it('joins one that was seen in a gap of another, but not one that was seen at the same time', () => {
    const seen = (...timesS: number[]): Tracklet => ({
      seenS: timesS.map((timeS) => [timeS, timeS] as const),
      vector: Float32Array.of(1, 0),
      weight: 1,
    })
    const merged = (...all: Tracklet[]) => mergeTracklets(all, { minSimilarity: 0.5 })
    assert.deepEqual(merged(seen(0, 0.25, 0.75, 1), seen(0.5)), [[0, 1]])
    assert.deepEqual(merged(seen(0, 0.25, 0.75, 1), seen(0.5, 0.75)), [[0], [1]])
    // The times that the first gained from the second count against a third.
    assert.deepEqual(merged(seen(0, 1), seen(0.5), seen(0.5, 2)), [[0, 1], [2]])
  })

  it('requires less similarity of two pieces of one track', () => {
    const pieces = (a?: number, b?: number) => [
      { ...tracklet(0, 1, [1, 0]), trackId: a },
      { ...tracklet(2, 3, [0.4, Math.sqrt(1 - 0.16)]), trackId: b },
    ]
    const groups = (a?: number, b?: number) =>
      mergeTracklets(pieces(a, b), { minSimilarity: 0.5, minSimilarityInTrack: 0.3 }).length
    assert.deepEqual([groups(7, 7), groups(7, 8), groups()], [1, 2, 2])
  })

  it('joins the most similar first: of two rivals that overlap, the more similar one wins', () => {
    const at = (degrees: number): number[] => [
      Math.cos((degrees * Math.PI) / 180),
      Math.sin((degrees * Math.PI) / 180),
    ]
    const all = [tracklet(0, 1, at(0)), tracklet(2, 4, at(40)), tracklet(3, 5, at(20))]
    assert.deepEqual(mergeTracklets(all, { minSimilarity: 0.5 }), [[0, 2], [1]])
  })

  it('does not depend on the order of the tracklets', () => {
    const { all } = crowd(80, 10, 7)
    const keyed = (order: number[]): string[] =>
      mergeTracklets(
        order.map((index) => all[index]!),
        { minSimilarity: 0.35 },
      ).map((group) => group.map((i) => order[i]).join())
    const inOrder = all.map((_, index) => index)
    const random = seededRandom(8)
    const shuffled = inOrder
      .map((index) => ({ index, key: random() }))
      .sort((a, b) => a.key - b.key)
      .map(({ index }) => index)
    assert.deepEqual(keyed(shuffled), keyed(inOrder))
    assert.deepEqual(keyed([...inOrder].reverse()), keyed(inOrder))
  })

  it('pools by weight: a heavy tracklet decides what the group looks like', () => {
    const at = (degrees: number): number[] => [
      Math.cos((degrees * Math.PI) / 180),
      Math.sin((degrees * Math.PI) / 180),
    ]
    // 0° and 40° merge first. The third is 50° from the heavy one and −10°…90° from the light one.
    const run = (heavy: number, light: number): number =>
      mergeTracklets(
        [tracklet(0, 1, at(0), heavy), tracklet(2, 3, at(40), light), tracklet(4, 5, at(-45), 1)],
        { minSimilarity: Math.cos((55 * Math.PI) / 180), minAverageSimilarity: -1 },
      ).length
    assert.equal(run(9, 1), 1)
    assert.equal(run(1, 9), 2)
  })

  it('uses average linkage: a chain of similar faces does not join its ends', () => {
    const at = (degrees: number): number[] => [
      Math.cos((degrees * Math.PI) / 180),
      Math.sin((degrees * Math.PI) / 180),
    ]
    const chain = [0, 44, 89, 135].map((degrees, i) => tracklet(i * 2, i * 2 + 1, at(degrees)))
    const minSimilarity = Math.cos((100 * Math.PI) / 180)
    assert.equal(mergeTracklets(chain, { minSimilarity, minAverageSimilarity: -1 }).length, 1)
    assert.equal(mergeTracklets(chain, { minSimilarity, minAverageSimilarity: 0.2 }).length, 2)
  })

  it('recovers 12 people from 300 pieces', () => {
    const random = seededRandom(9)
    const faces = people(12, random)
    const truth: number[] = []
    const all = Array.from({ length: 300 }, (_, i) => {
      truth.push(i % 12)
      return of(faces[i % 12]!, Math.floor(i / 12) * 10, Math.floor(i / 12) * 10 + 8, random)
    })
    const groups = mergeTracklets(all, { minSimilarity: 0.35 })
    assert.equal(groups.length, 12)
    for (const group of groups) assert.equal(new Set(group.map((i) => truth[i])).size, 1)
  })

  it('compares only neighbours in time beyond maxPairs, and every index is still in one group', () => {
    const random = seededRandom(10)
    const person = randomUnit(64, random)
    const all = Array.from({ length: 400 }, (_, i) => of(person, i * 2, i * 2 + 1, random))
    const groups = mergeTracklets(all, { minSimilarity: 0.35, maxPairs: 4000 })
    assert.equal(groups.flat().length, 400)
    assert.ok(groups.length < 60, `${groups.length} groups`)
  })

  it('returns nothing for nothing, and refuses damaged input', () => {
    assert.deepEqual(mergeTracklets([], { minSimilarity: 0.4 }), [])
    const good = tracklet(0, 1, [1, 0])
    for (const bad of [tracklet(2, 3, [1]), tracklet(2, 3, [0, 1], 0), tracklet(3, 2, [0, 1])]) {
      assert.throws(() => mergeTracklets([good, bad], { minSimilarity: 0.4 }), /tracklet 1/)
    }
  })
})
