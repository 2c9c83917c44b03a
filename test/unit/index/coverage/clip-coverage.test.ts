import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  lengthOfRanges,
  unseenRanges,
  type RunFacts,
  type SegmentFacts,
} from '../../../../index/coverage/clip-coverage.js'

/** A segment of ten minutes that was fully examined, 4 frames per second. */
function segment(index: number, change: Partial<SegmentFacts> = {}): SegmentFacts {
  return {
    ...{ index, startS: index * 600, endS: (index + 1) * 600, state: 'done', frames: 2400, truncated: false },
    ...{ gapsS: [], lastFaceS: undefined },
    ...change,
  }
}

/** A film of 50 minutes. */
const film = (stored: readonly SegmentFacts[], change: Partial<RunFacts> = {}): RunFacts => ({
  ...{ durationS: 3000, segments: 5, state: 'working', truncated: false, segmentLengthS: 600, framesPerS: 4 },
  ...{ stored },
  ...change,
})

const shown = (run: RunFacts) => unseenRanges(run).map(({ startS, endS, state }) => [startS, endS, state])

describe('the parts of a clip that were not examined', () => {
  it('are the missing segments, joined if they touch', () => {
    assert.deepEqual(shown(film([segment(0), segment(2)])), [
      [600, 1200, 'unfinished'],
      [1800, 3000, 'unfinished'],
    ])
    assert.deepEqual(shown(film([])), [[0, 3000, 'unfinished']])
    assert.deepEqual(shown(film([0, 1, 2, 3, 4].map((index) => segment(index)))), [])
  })

  it('have no end if the length of the clip is not known', () => {
    const ranges = unseenRanges(film([segment(0)], { durationS: undefined, segments: 2 }))
    assert.deepEqual(ranges, [{ startS: 600, endS: undefined, state: 'unfinished' }])
    assert.equal(lengthOfRanges(ranges), undefined)
  })

  it('are also known for an earlier recipe with another segment length', () => {
    const run = film([segment(1, { startS: 1500, endS: 3000 })], { segmentLengthS: undefined, segments: 2 })
    assert.deepEqual(shown(run), [[0, 1500, 'unfinished']])
  })

  it('include a failed segment, with the reason', () => {
    const failure = { state: 'failed', code: 'CLIP_STUCK', message: 'it got stuck' } as const
    const ranges = unseenRanges(film([segment(0), segment(1, failure)], { durationS: 1200, segments: 2 }))
    assert.deepEqual(ranges, [{ startS: 600, endS: 1200, ...failure, state: 'partial' }])
  })

  it('include the stretches that could not be decoded', () => {
    const run = film([segment(0, { gapsS: [[100, 250]] })], { durationS: 600, segments: 1, state: 'done' })
    assert.deepEqual(shown(run), [[100, 250, 'damaged']])
    assert.equal(lengthOfRanges(unseenRanges(run)), 150)
  })
})

describe('the parts of a truncated clip that were not examined', () => {
  const cut = (stored: readonly SegmentFacts[], change: Partial<RunFacts> = {}) =>
    film(stored, { truncated: true, state: 'done', segments: stored.length, ...change })

  it('begin after its last frame, and include every segment without a frame', () => {
    const run = cut([
      segment(0),
      segment(1, { frames: 800, truncated: true }),
      segment(2, { frames: 0, truncated: true, endS: undefined }),
    ])
    assert.deepEqual(shown(run), [[800, 3000, 'truncated']])
  })

  it('do not begin before the last face was seen', () => {
    const last = { frames: 40, truncated: true, lastFaceS: 500, endS: undefined }
    assert.deepEqual(shown(cut([segment(0, last)], { durationS: 600 })), [[500, 600, 'truncated']])
  })

  it('are estimated from the frame rate of complete segments, if that is low', () => {
    const stored = [segment(0, { frames: 600 }), segment(1, { frames: 300, truncated: true })]
    assert.deepEqual(shown(cut(stored, { durationS: 1200 })), [[900, 1200, 'truncated']])
  })

  it('are empty if only the last frame is missing, or if the number of frames gives no estimate', () => {
    const almost = segment(0, { frames: 2394, truncated: true })
    assert.deepEqual(shown(cut([almost], { durationS: 600 })), [])
    const keyframes = segment(0, { frames: 12, truncated: true })
    assert.deepEqual(shown(cut([keyframes], { durationS: 600, framesPerS: undefined })), [])
  })

  it('do not count a gap twice that reaches the end', () => {
    const stored = [segment(0, { frames: 400, truncated: true, gapsS: [[100, 600]] })]
    assert.deepEqual(shown(cut(stored, { durationS: 600 })), [[100, 600, 'damaged']])
  })
})
