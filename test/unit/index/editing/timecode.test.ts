import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  formatTimecode,
  parseTimecode,
  rateText,
  timecodeRateOf,
} from '../../../../index/editing/timecode.js'

const [ntsc30, ntsc60, pal] = [29.97, 59.94, 25].map(timecodeRateOf)
assert.ok(ntsc30 !== undefined && ntsc60 !== undefined && pal !== undefined)

/** Counts as the standard says it, number by number: at each minute but every tenth the first numbers are passed over. */
function* dropLabels(base: number): Generator<string, void, undefined> {
  const two = (value: number) => String(value).padStart(2, '0')
  for (let minute = 0; minute < 24 * 60; minute++)
    for (let second = 0; second < 60; second++)
      for (let frame = 0; frame < base; frame++)
        if (minute % 10 === 0 || second > 0 || frame >= base / 15)
          yield `${two(Math.floor(minute / 60))}:${two(minute % 60)}:${two(second)};${two(frame)}`
}

describe('timecode', () => {
  it('drop frame passes over the first numbers of nine minutes of ten, for each frame of 25 minutes', () => {
    for (const rate of [ntsc30, ntsc60]) {
      let frame = 0
      for (const label of dropLabels(rate.base)) {
        if (frame > 25 * 60 * rate.base) break
        assert.equal(formatTimecode(frame, rate, true), label)
        assert.deepEqual(parseTimecode(label, rate), { frames: frame, isDrop: true })
        frame++
      }
    }
  })

  it('drop frame keeps to the clock: an hour of it is an hour', () => {
    assert.equal(formatTimecode(107_892, ntsc30, true), '01:00:00;00')
    assert.equal(formatTimecode(215_784, ntsc60, true), '01:00:00;00')
    assert.ok(Math.abs(107_892 / ntsc30.fps - 3600) < 0.01)
  })

  it('without drop frame every number is counted, and after a day it begins again', () => {
    assert.equal(formatTimecode(108_000, ntsc30, false), '01:00:00:00')
    assert.equal(formatTimecode(25 * 3661 + 24, pal, false), '01:01:01:24')
    assert.equal(formatTimecode(25 * 86_400, pal, false), '00:00:00:00')
    assert.equal(formatTimecode(107_892 * 24, ntsc30, true), '00:00:00;00')
  })

  it('is none where the rate does not count it', () => {
    for (const text of [
      '00:01:00;00',
      '00:01:00;01',
      '24:00:00:00',
      '00:60:00:00',
      '00:00:00:30',
      '1:2:3:4',
      '',
    ])
      assert.equal(parseTimecode(text, ntsc30), undefined, text)
    assert.deepEqual(parseTimecode('00:01:00:00', ntsc30), { frames: 1800, isDrop: false })
    assert.deepEqual(parseTimecode('00:10:00;00', ntsc30), { frames: 17_982, isDrop: true })
    assert.deepEqual(parseTimecode('00:00:01;00', pal), { frames: 25, isDrop: false })
  })
})

describe('the rate of a clip in an editing program', () => {
  it('is the exact one behind what ffmpeg prints', () => {
    const fps = [23.98, 24, 25, 29.97, 30, 47.95, 50, 59.94, 60].map((each) => timecodeRateOf(each).fps)
    assert.deepEqual(fps, [24000 / 1001, 24, 25, 30000 / 1001, 30, 48000 / 1001, 50, 60000 / 1001, 60])
  })

  it('is a whole multiple or part of rates that timecode does not count, else the nearest', () => {
    const texts = [12, 15, 12.5, 10, 14.99, 120, 119.88, 240, 29.83, 1].map((fps) =>
      rateText(timecodeRateOf(fps)),
    )
    assert.deepEqual(texts, ['24', '30', '25', '30', '29.97', '60', '59.94', '60', '29.97', '23.976'])
  })
})
