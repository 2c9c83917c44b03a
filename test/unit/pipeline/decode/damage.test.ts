import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { DamageLog, isDamageSign } from '../../../../pipeline/decode/damage.js'

const size = { width: 160, height: 160 } // 100 blocks
const broken = 'Error while decoding stream #0:0: Invalid data found when processing input'
const corrupt = 'file:a.mp4: corrupt decoded frame in stream 0'

/** 25 frames per second from one time to another, with a key frame each second. */
function decode(log: DamageLog, fromS: number, toS: number): void {
  for (let n = Math.round(fromS * 25); n < Math.round(toS * 25); n++)
    log.noteDecoded({ timeS: n / 25, isKey: n % 25 === 0, size, sampleAspectRatio: 1 })
}

const gapsOf = (log: DamageLog) => log.gaps.map(({ startS, endS }) => [startS, endS])

describe('damage', () => {
  it('missing frames are a gap up to the next key frame if ffmpeg reported a problem', () => {
    const log = new DamageLog(true)
    decode(log, 0, 2)
    log.noteSign(broken)
    decode(log, 4.4, 6)
    assert.deepEqual(gapsOf(log), [[2, 5]])
    assert.deepEqual([1.96, 2, 4.6, 4.96, 5].map((timeS) => log.isLost(timeS)), [false, true, true, true, false]) // prettier-ignore
  })

  it('frames that are far apart are not a gap if there was no problem, as in a slide show', () => {
    const log = new DamageLog(true)
    for (const timeS of [0, 5, 10, 30, 31])
      log.noteDecoded({ timeS, isKey: timeS === 0, size, sampleAspectRatio: 1 })
    log.finish(60)
    assert.deepEqual(gapsOf(log), [])
  })

  it('a picture is lost, with the frames predicted from it, if the decoder made up at least a tenth of it', () => {
    for (const [blocks, gaps] of [
      [10, [[1.4, 2]]],
      [9, []],
    ] as const) {
      // prettier-ignore
      const log = new DamageLog(true)
      decode(log, 0, 1.4)
      log.noteConcealed(blocks)
      log.noteSign(corrupt)
      decode(log, 1.4, 3)
      assert.deepEqual(gapsOf(log), gaps)
    }
  })

  it('one missing frame is not a gap', () => {
    const log = new DamageLog(true)
    decode(log, 0, 1.4)
    log.noteSign(broken)
    decode(log, 1.44, 3)
    assert.deepEqual(gapsOf(log), [])
  })

  it('missing frames at the beginning and at the end are gaps', () => {
    const log = new DamageLog(true)
    log.noteSign(broken)
    decode(log, 3, 6)
    log.noteSign(broken)
    log.finish(10)
    assert.deepEqual(gapsOf(log), [[0, 3], [6, 10]]) // prettier-ignore
  })

  it('a picture without key frames heals in time', () => {
    const log = new DamageLog(true)
    const frames = (fromS: number, toS: number) => {
      for (let n = fromS * 10; n < toS * 10; n++)
        log.noteDecoded({ timeS: n / 10, isKey: n === 0, size, sampleAspectRatio: 1 })
    }
    frames(0, 2)
    log.noteSign(broken)
    frames(5, 60)
    assert.equal(log.gaps.length, 1)
    assert.ok(log.isLost(10) && !log.isLost(20))
  })

  it('messages that ffmpeg also prints for undamaged clips are not a sign of damage', () => {
    for (const text of [
      '[h264] mmco: unref short failure',
      '[rawvideo] Application provided invalid, non monotonically increasing dts',
    ])
      // prettier-ignore
      assert.equal(isDamageSign('error', text), false, text)
    assert.equal(isDamageSign('warning', '[mjpeg] EOI missing, emulating'), false)
    assert.equal(isDamageSign('warning', corrupt), true)
    assert.equal(isDamageSign('error', broken), true)
  })
})
