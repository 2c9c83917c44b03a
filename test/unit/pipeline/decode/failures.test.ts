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
  it('failed system calls become codes', () => {
    const codes = { ENOENT: 'CLIP_GONE', ENOTDIR: 'CLIP_GONE', EACCES: 'CLIP_UNREADABLE', EPERM: 'CLIP_UNREADABLE', EIO: 'CLIP_UNREADABLE', ESTALE: 'CLIP_UNREADABLE', ENAMETOOLONG: 'CLIP_NAME_UNSUPPORTED', ERR_INVALID_ARG_VALUE: 'CLIP_NAME_UNSUPPORTED' } // prettier-ignore
    for (const [code, expected] of Object.entries(codes)) {
      const error = fileError('/archive/clip.mp4', Object.assign(new Error(code), { code }))
      assert.equal(error.code, expected)
      assert.match(error.message, /"clip\.mp4"/)
    }
  })

  it('ffmpeg’s own words become codes', async () => {
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

  it('an ffmpeg killed from outside may be tried again', async () => {
    const exit = new Error('ffmpeg was killed with signal SIGKILL')
    const error = await explainFailure({ path: 'a.mp4', problems: [], input: undefined, exit })
    assert.deepEqual([error.code, error.retriable], ['FFMPEG_FAILED', true])
  })

  it('a name is shown on one line, short and without control characters', () => {
    assert.equal(clipName('/a/b c.mp4'), '"b c.mp4"')
    assert.equal(clipName('/a/x\n\u001b[31m\u202e".mp4'), '"x\\n\\u001b[31m\\u202e\\".mp4"')
    assert.ok(clipName(`/a/${'y'.repeat(200)}`).length <= 82)
  })
})

describe('versions of ffmpeg', () => {
  it('5.1 and builds from the main branch are new enough', () => {
    assert.equal(parseFfmpegVersion('ffmpeg version 5.1.9-0+deb12u1 Copyright (c) 2000'), '5.1.9-0+deb12u1')
    assert.equal(parseFfmpegVersion('no ffmpeg'), undefined)
    assert.deepEqual(['4.4.2', '5.0.1', 'n4.3'].map(isTooOld), [true, true, true])
    assert.deepEqual(['5.1', '5.1.9-0+deb12u1', '7.1', '10.0', 'n6.0', 'N-118000-gabc'].map(isTooOld), [false, false, false, false, false, false]) // prettier-ignore
  })
})

describe('summaries', () => {
  const request = { sampling: { kind: 'fps', fps: 4 }, endS: Infinity } as const

  it('a clip that ends far before its stated duration is cut off', () => {
    const run = { isCutOff: false, container: 'avi', durationS: 60 }
    assert.equal(summarize(run, request, { frames: 80, lastTimeS: 20 }).truncated, true)
    assert.equal(summarize(run, { ...request, endS: 20.25 }, { frames: 80, lastTimeS: 20 }).truncated, false)
    assert.equal(summarize(run, request, { frames: 230, lastTimeS: 57 }).truncated, false)
    assert.equal(summarize(run, request, { frames: 4, lastTimeS: 45, longestGapS: 15 }).truncated, false)
    assert.equal(summarize(run, request, { frames: 4, lastTimeS: 30, longestGapS: 15 }).truncated, true)
    const keyframes = { sampling: { kind: 'keyframes' }, endS: Infinity } as const
    assert.equal(summarize(run, keyframes, { frames: 5, lastTimeS: 45 }).truncated, false)
  })

  it('ffmpeg’s words for a cut are known, and a lost packet of MPEG-TS is none', () => {
    assert.ok(isCutOffSign('[mov,mp4,m4a,3gp,3g2,mj2] stream 0, offset 0x6250: partial file'))
    assert.ok(isCutOffSign('[avi] Packet corrupt (stream = 0, dts = 51).'))
    assert.ok(!isCutOffSign('[mpegts] Packet corrupt (stream = 0, dts = 51).'))
    assert.ok(!isCutOffSign('[h264] error while decoding MB 5 7, bytestream -16'))
  })
})
