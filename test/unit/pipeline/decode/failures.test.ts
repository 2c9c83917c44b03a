import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { fileError } from '../../../../pipeline/decode/clip-file.js'
import { clipName } from '../../../../pipeline/common/display-name.js'
import { explainFailure } from '../../../../pipeline/decode/failures.js'
import { isTooOld, parseFfmpegVersion } from '../../../../pipeline/decode/ffmpeg.js'
import { isCutOffSign, summarize } from '../../../../pipeline/decode/summary.js'

const explain = (...problems: string[]) =>
  explainFailure({
    path: '/archive/clip.mp4',
    problems,
    input: undefined,
    exit: new Error('exited with code 1'),
  })

describe('errors about clips', () => {
  it('maps failed system calls to codes', () => {
    const codes = { ENOENT: 'CLIP_GONE', ENOTDIR: 'CLIP_GONE', EACCES: 'CLIP_UNREADABLE', EPERM: 'CLIP_UNREADABLE', EIO: 'CLIP_UNREADABLE', ESTALE: 'CLIP_UNREADABLE', ENAMETOOLONG: 'CLIP_NAME_UNSUPPORTED', ERR_INVALID_ARG_VALUE: 'CLIP_NAME_UNSUPPORTED' } // prettier-ignore
    for (const [code, expected] of Object.entries(codes)) {
      const error = fileError('/archive/clip.mp4', Object.assign(new Error(code), { code }))
      assert.equal(error.code, expected)
      assert.match(error.message, /"clip\.mp4"/)
    }
  })

  it('maps ffmpeg’s messages to codes', async () => {
    const words = {
      CLIP_UNREADABLE: 'file:/archive/clip.mp4: Permission denied',
      CLIP_GONE: 'file:/archive/clip.mp4: No such file or directory',
      CLIP_NO_VIDEO: "Stream specifier 'V:0' in filtergraph description x matches no streams.",
      CLIP_FRAME_TOO_LARGE: '[IMGUTILS] Picture size 16000x16000 exceeds specified max pixel count 69206016',
      CLIP_NOT_VIDEO: "[hls] Format not on whitelist 'mov'",
      FFMPEG_FAILED: 'something new',
    }
    for (const [code, text] of Object.entries(words)) assert.equal((await explain(text)).code, code)
  })

  it('is retriable if ffmpeg was killed from outside', async () => {
    const exit = new Error('ffmpeg was killed with signal SIGKILL')
    const error = await explainFailure({ path: 'a.mp4', problems: [], input: undefined, exit })
    assert.deepEqual([error.code, error.retriable], ['FFMPEG_FAILED', true])
  })

  it('shows a name on one line, short and without control characters', () => {
    assert.equal(clipName('/a/b c.mp4'), '"b c.mp4"')
    assert.equal(clipName('/a/x\n\u001b[31m\u202e".mp4'), '"x\\n\\u001b[31m\\u202e\\".mp4"')
    assert.ok(clipName(`/a/${'y'.repeat(200)}`).length <= 82)
  })
})

describe('versions of ffmpeg', () => {
  it('are new enough from 5.1 on, and for builds from the main branch', () => {
    assert.equal(parseFfmpegVersion('ffmpeg version 5.1.9-0+deb12u1 Copyright (c) 2000'), '5.1.9-0+deb12u1')
    assert.equal(parseFfmpegVersion('no ffmpeg'), undefined)
    assert.deepEqual(['4.4.2', '5.0.1', 'n4.3'].map(isTooOld), [true, true, true])
    assert.deepEqual(['5.1', '5.1.9-0+deb12u1', '7.1', '10.0', 'n6.0', 'N-118000-gabc'].map(isTooOld), [false, false, false, false, false, false]) // prettier-ignore
  })
})

describe('summaries', () => {
  const request = { sampling: { kind: 'fps', fps: 4 }, endS: Infinity } as const

  it('report a clip as cut off if it ends long before its stated duration', () => {
    const run = { isCutOff: false, container: 'avi', durationS: 60 }
    assert.equal(summarize(run, request, { frames: 80, lastTimeS: 20 }).truncated, true)
    assert.equal(summarize(run, { ...request, endS: 20.25 }, { frames: 80, lastTimeS: 20 }).truncated, false)
    assert.equal(summarize(run, request, { frames: 230, lastTimeS: 57 }).truncated, false)
    assert.equal(summarize(run, request, { frames: 4, lastTimeS: 45, longestGapS: 15 }).truncated, false)
    assert.equal(summarize(run, request, { frames: 4, lastTimeS: 30, longestGapS: 15 }).truncated, true)
    const keyframes = { sampling: { kind: 'keyframes' }, endS: Infinity } as const
    assert.equal(summarize(run, keyframes, { frames: 5, lastTimeS: 45 }).truncated, false)
  })

  it('know ffmpeg’s messages about a cut-off file; a lost packet of MPEG-TS is not one', () => {
    assert.ok(isCutOffSign('[mov,mp4,m4a,3gp,3g2,mj2] stream 0, offset 0x6250: partial file'))
    assert.ok(isCutOffSign('[avi] Packet corrupt (stream = 0, dts = 51).'))
    assert.ok(!isCutOffSign('[mpegts] Packet corrupt (stream = 0, dts = 51).'))
    assert.ok(!isCutOffSign('[h264] error while decoding MB 5 7, bytestream -16'))
  })
})
