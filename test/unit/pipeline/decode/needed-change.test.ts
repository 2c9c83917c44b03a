import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { DecodePlan } from '../../../../pipeline/decode/ffmpeg-arguments.js'
import type { InputInfo } from '../../../../pipeline/decode/ffmpeg-log.js'
import { changeForInput, changeForOrientation } from '../../../../pipeline/decode/needed-change.js'
import { parseStream } from '../../../../pipeline/decode/stream-info.js'

const plan: DecodePlan = {
  sampling: { kind: 'fps', fps: 4 },
  range: { startS: 0, endS: Infinity },
  seekToS: undefined,
  skipNonKey: false,
  sizes: { kind: 'fromSource', rule: { canvasWidthPx: 320, canvasHeightPx: 240, neededScale: 1 } },
}
const keyframes: DecodePlan = { ...plan, sampling: { kind: 'keyframes' } }

function inputOf(codecs: readonly string[], container = 'mov,mp4', durationS = 60): InputInfo {
  const streams = codecs.flatMap((codec, index) => {
    const stream = parseStream(`  Stream #0:${index}: Video: ${codec}, yuv420p, 640x360, 25 fps`)
    return stream === undefined ? [] : [stream]
  })
  return { container, durationS, durationEstimated: false, brands: [], streams }
}

describe('the change that a run needs', () => {
  it('is nothing for one stream of a usual file', () => {
    assert.equal(changeForInput(inputOf(['h264']), plan), undefined)
  })

  it('is to choose among several streams, once', () => {
    const several = inputOf(['h264', 'h264'])
    assert.equal(changeForInput(several, plan)?.kind, 'chooseFilm')
    assert.equal(changeForInput(several, { ...plan, stream: 1 }), undefined)
  })

  it('is to set the times of a raw stream, once', () => {
    const raw = inputOf(['mpeg2video'], 'mpegvideo')
    const change = changeForInput(raw, plan)
    assert.ok(change?.kind === 'retime')
    assert.equal(changeForInput(raw, { ...plan, retiming: change.retiming }), undefined)
  })

  it('is to skip other frames than key frames, for a long clip with a codec that allows it', () => {
    assert.deepEqual(changeForInput(inputOf(['hevc']), keyframes), { kind: 'skipNonKey' })
    for (const [why, input, own] of [
      ['H.264', inputOf(['h264']), keyframes],
      ['a short clip', inputOf(['hevc'], 'mov,mp4', 10), keyframes],
      ['frames at a rate', inputOf(['hevc']), plan],
      ['a damaged clip', inputOf(['hevc']), { ...keyframes, logsAllFrames: true }],
      ['a run that skips already', inputOf(['hevc']), { ...keyframes, skipNonKey: true }],
    ] as const)
      assert.equal(changeForInput(input, own), undefined, why)
  })

  it('is to turn all frames as the key frames state, if the container states nothing', () => {
    assert.deepEqual(changeForOrientation(90, inputOf(['h264']), plan), { kind: 'turn', degrees: 90 })
    assert.equal(changeForOrientation(0, inputOf(['h264']), plan), undefined)
    assert.equal(changeForOrientation(90, inputOf(['h264']), { ...plan, turnDegrees: 90 }), undefined)
    const turned = inputOf(['h264'])
    const streams = turned.streams.map((stream) => ({ ...stream, rotation: 90 }))
    assert.equal(changeForOrientation(90, { ...turned, streams }, plan), undefined)
    assert.equal(changeForOrientation(90, undefined, plan), undefined)
  })
})
