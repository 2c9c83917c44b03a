import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createContextFrames } from '../../../../pipeline/embed/context-frames.js'

/** The times of the kept frames, of frames at k / fps s from `fromS` on, and how often pixels were copied. */
function taken(count: number, fps: number, fromS = 0): { readonly times: number[]; readonly made: number } {
  const frames = createContextFrames<number>()
  let made = 0
  for (let k = 0; k < count; k++) {
    const timeS = fromS + k / fps
    frames.offer(timeS, () => {
      made++
      return timeS
    })
  }
  return { times: [...frames.taken], made }
}

describe('the frames that represent a segment', () => {
  it('are one per second up to 16 s', () => {
    assert.deepEqual(taken(0, 4).times, [])
    assert.deepEqual(taken(1, 4).times, [0])
    assert.deepEqual(taken(9, 4).times, [0, 1, 2])
    assert.deepEqual(
      taken(64, 4).times,
      Array.from({ length: 16 }, (_, k) => k),
    )
  })

  it('are twice as far apart with every doubling of the length, 9 to 16 of them', () => {
    assert.deepEqual(taken(65, 4).times, [0, 2, 4, 6, 8, 10, 12, 14, 16])
    assert.deepEqual(
      taken(2400, 4, 600).times,
      Array.from({ length: 10 }, (_, k) => 600 + 64 * k),
    )
    for (let seconds = 17; seconds < 3000; seconds += 83) {
      const { times } = taken(seconds * 4, 4)
      assert.ok(times.length >= 9 && times.length <= 16, `${times.length} of ${seconds} s`)
    }
  })

  it('count seconds from the first frame; times that a container rounded count as whole seconds', () => {
    assert.deepEqual(taken(9, 4, 7.25).times, [7.25, 8.25, 9.25])
    const frames = createContextFrames<number>()
    for (const timeS of [0.001, 0.5, 1.0005, 1.5, 2.001]) frames.offer(timeS, () => timeS)
    assert.deepEqual(frames.taken, [0.001, 1.0005, 2.001])
  })

  it('are thinned out for key frames that are far apart, too', () => {
    const { times } = taken(40, 1 / 100)
    assert.ok(times.length <= 16 && times.length >= 9, `${times.length}`)
    const gaps = times.slice(1).map((timeS, i) => timeS - (times[i] ?? 0))
    assert.ok(Math.max(...gaps) <= 1.5 * Math.min(...gaps) + 100, gaps.join())
  })

  it('are copied only if they are kept for a while', () => {
    assert.ok(taken(2400, 4).made <= 80)
  })
})
