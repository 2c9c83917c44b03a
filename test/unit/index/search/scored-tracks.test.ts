import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { adjacencyOf } from '../../../../index/search/join-ranges.js'
import {
  compareTracks,
  isSomebodyElse,
  joinByStrength,
  rangesOfTracks,
  type ScoredTrack,
} from '../../../../index/search/scored-tracks.js'
import { lowestScore, thresholdOf } from '../../../../index/search/search-options.js'

const [east, north] = [Float32Array.of(1, 0), Float32Array.of(0, 1)]
const track = (parts: Partial<ScoredTrack>): ScoredTrack => ({
  ...{ trackId: 1, descriptor: east, score: 0.6, isMatch: true, spans: [[0, 1]] },
  ...parts,
})
/** Every span has the score of its track. */
const asTheTrack = ({ spans, score }: ScoredTrack) => spans.map(() => score)

describe('the score from which a track counts', () => {
  it('is the weak score if weak tracks are requested, and never above the threshold', () => {
    assert.equal(lowestScore({ minScore: 0.5 }), 0.5)
    assert.equal(lowestScore({ minScore: 0.5, weakScore: 0.3 }), 0.3)
    assert.equal(lowestScore({ minScore: 0.5, weakScore: 0.7 }), 0.5)
  })

  it('is higher for a hidden face if the query is hidden, but never lower', () => {
    const hidden = (threshold: number) => ({ threshold, isHidden: (face: Float32Array) => face === north })
    assert.equal(thresholdOf(north, { minScore: 0.5 }), 0.5)
    assert.equal(thresholdOf(north, { minScore: 0.5, hidden: hidden(0.7) }), 0.7)
    assert.equal(thresholdOf(north, { minScore: 0.5, hidden: hidden(0.4) }), 0.5)
    assert.equal(thresholdOf(east, { minScore: 0.5, hidden: hidden(0.7) }), 0.5)
  })
})

describe('tracks of a clip', () => {
  it('are ordered by match, then by score, then by number', () => {
    const tracks = [
      track({ trackId: 3, score: 0.6 }),
      track({ trackId: 2, score: 0.6 }),
      track({ trackId: 4, score: 0.9, isMatch: false }),
      track({ trackId: 1, score: 0.7 }),
    ]
    assert.deepEqual(tracks.sort(compareTracks).map(({ trackId }) => trackId), [1, 2, 3, 4]) // prettier-ignore
  })

  it('are another person if a different-looking track matches much better', () => {
    const of = (score: number, descriptor: Float32Array) => ({ score, descriptor })
    assert.equal(isSomebodyElse(of(0.5, north), of(0.7, east), 0.4), true)
    assert.equal(isSomebodyElse(of(0.5, east), of(0.7, east), 0.4), false, 'they are alike')
    assert.equal(isSomebodyElse(of(0.6, north), of(0.7, east), 0.4), false, 'it is hardly better')
  })
})

describe('ranges of tracks', () => {
  const [best, other] = [track({ score: 0.9 }), track({ trackId: 2, descriptor: north, spans: [[5, 6]] })]

  it('omit another person, or mark the range as weak if weak ranges are requested', () => {
    assert.deepEqual(rangesOfTracks([best, other], asTheTrack, { minScore: 0.5 }), [
      { startS: 0, endS: 1, trackId: 1, score: 0.9 },
    ])
    const all = rangesOfTracks([best, other], asTheTrack, { minScore: 0.5, weakScore: 0.4 })
    assert.deepEqual(all[1], { startS: 5, endS: 6, trackId: 2, score: 0.6, weak: true })
  })

  it('omit a span far below the threshold, unless the whole track is', () => {
    const two = track({ spans: [[0, 1], [3, 4]] }) // prettier-ignore
    const startsOf = (scores: readonly number[]) =>
      rangesOfTracks([two], () => scores, { minScore: 0.5 }).map(({ startS }) => startS)
    assert.deepEqual(startsOf([0.6, 0.36]), [0, 3])
    assert.deepEqual(startsOf([0.6, 0.34]), [0])
    assert.deepEqual(startsOf([0.3, 0.2]), [0], 'the best span of a track that matches is always shown')
  })

  it('are joined separately for matches and weak ranges, in order of time', () => {
    const everySecond = adjacencyOf({ kind: 'fps', fps: 1 }, () => [])
    const range = (startS: number, endS: number) => ({ startS, endS, trackId: 1, score: 0.5 })
    const weak = { ...range(1, 2), weak: true as const }
    const joined = joinByStrength([range(2, 3), weak, range(0, 1), range(9, 10)], everySecond)
    assert.deepEqual(joined, [range(0, 3), weak, range(9, 10)])
  })
})
