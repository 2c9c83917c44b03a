import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { codeOf, decode, fingerprint, request, timeOf } from './decode-helpers.js'
import { ffmpeg, temporaryFolder } from './make-video.js'

const folder = temporaryFolder()
const seconds = 20
/** Cuts on and between key frames, early, late, close together. */
const cutsS = [0, 4.5, 5, 8.25, 12, 18.75, Infinity]

const x264 = ['-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p', '-bf', '3']
const params = (text: string) => [...x264, '-x264-params', `${text}:scenecut=0`]
const containers: readonly (readonly [name: string, encoding: readonly string[]])[] = [
  ['b-frames.mp4', [...x264, '-g', '50']],
  ['long-gop.mkv', [...x264, '-g', '250']],
  ['mpeg2-open-gop.ts', ['-c:v', 'mpeg2video', '-g', '15', '-bf', '2', '-b:v', '500k']],
  ['h264-open-gop.ts', params('open-gop=1:keyint=40:min-keyint=40')],
  ['h264-long-open-gop.ts', params('open-gop=1:keyint=250')],
  ['h264-open-gop.mp4', params('open-gop=1:keyint=40:min-keyint=40')],
  ['intra-refresh.ts', params('intra-refresh=1:keyint=50')],
  ['hevc-open-gop.ts', ['-c:v', 'libx265', '-preset', 'ultrafast', '-x265-params', 'log-level=none:open-gop=1:keyint=40']], // prettier-ignore
  ['mpeg4-b-frames.avi', ['-c:v', 'mpeg4', '-bf', '2', '-g', '30']],
]

describe('decode: segments', () => {
  for (const [name, encoding] of containers) {
    it(`sampling in segments equals sampling in one pass, pixel by pixel: ${name}`, async () => {
      const path = join(folder, name)
      const moving = `testsrc2=s=128x96:r=25:d=${seconds},noise=alls=4:allf=t`
      ffmpeg('-f', 'lavfi', '-i', moving, ...encoding, path)
      const whole = await decode(request(path), fingerprint)
      assert.ok(whole.frames.length >= seconds * 4)
      const parts: string[] = []
      for (let n = 0; n + 1 < cutsS.length; n++) {
        const [startS, endS] = [cutsS[n] ?? 0, cutsS[n + 1] ?? 0]
        const part = await decode(request(path, { startS, endS }), fingerprint)
        assert.equal(part.summary.truncated, false)
        parts.push(...part.frames)
      }
      assert.deepEqual(parts, whole.frames)
    })
  }

  it('decoding from the start and skipping returns the same frames as seeking', async () => {
    const range = { startS: 8.25, endS: 12 }
    const path = join(folder, 'h264-open-gop.ts')
    const sought = await decode(request(path, range), fingerprint)
    const skipped = await decode(request(path, { ...range, seek: 'fromStart' }), fingerprint)
    assert.equal(sought.frames.length, 15)
    assert.deepEqual(skipped.frames, sought.frames)
  })

  it('a clock that jumps back is followed in one pass and refused in segments', async () => {
    const [part, joined] = [join(folder, 'part.ts'), join(folder, 'joined.ts')]
    ffmpeg('-f', 'lavfi', '-i', 'testsrc2=s=64x64:r=25:d=15', ...x264, '-g', '25', part)
    writeFileSync(joined, Buffer.concat([readFileSync(part), readFileSync(part)]))
    const { frames } = await decode(request(joined), timeOf)
    assert.ok(frames.length >= 118, `${frames.length} frames of 30 s`)
    assert.ok(Math.abs((frames.at(-1) ?? 0) - 29.75) < 0.2)
    await assert.rejects(
      decode(request(joined, { startS: 10 }), timeOf),
      codeOf('CLIP_NOT_SEEKABLE', 'joined.ts'),
    )
    const skipped = await decode(request(joined, { startS: 10, seek: 'fromStart' }), timeOf)
    assert.deepEqual(
      skipped.frames,
      frames.filter((timeS) => timeS >= 10),
    )
  })

  it('samples that are far apart are the same in segments', async () => {
    const path = join(folder, 'b-frames.mp4')
    const sampling = { kind: 'fps', fps: 0.125 } as const
    const whole = await decode(request(path, { sampling }), timeOf)
    assert.deepEqual(whole.frames, [0, 8, 16])
    const second = await decode(request(path, { sampling, startS: 8 }), timeOf)
    assert.deepEqual(second.frames, [8, 16])
  })

  it('key frames in segments equal key frames in one pass', async () => {
    const path = join(folder, 'h264-long-open-gop.ts')
    const sampling = { kind: 'keyframes' } as const
    const whole = await decode(request(path, { sampling }), fingerprint)
    const first = await decode(request(path, { sampling, endS: 10 }), fingerprint)
    const second = await decode(request(path, { sampling, startS: 10 }), fingerprint)
    assert.deepEqual([...first.frames, ...second.frames], whole.frames)
  })
})
