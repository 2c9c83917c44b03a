import assert from 'node:assert/strict'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import type { DecodedFrame } from '../../pipeline/decode/decode-request.js'
import { probeDurationS } from '../../pipeline/decode/probe-duration.js'
import { decode, greyAt, request, timeOf } from './decode-helpers.js'
import { ffmpeg, frameGrey, numberedFrames, temporaryFolder } from './make-video.js'

const folder = temporaryFolder()
const clip = (name: string) => join(folder, name)
const x264 = ['-c:v', 'libx264', '-preset', 'ultrafast', '-crf', '12', '-pix_fmt', 'yuv420p']

/** The time, and whether the picture is the frame that a 25 fps clip shows at that time. */
function identity(frame: DecodedFrame): { timeS: number; isRight: boolean } {
  const expected = frameGrey(Math.round(frame.timeS * 25))
  const inFull = greyAt(frame.full, 80, 90)
  const inDetection = greyAt(frame.detection, frame.detection.width >> 1, (frame.detection.height * 3) >> 2)
  return {
    timeS: timeOf(frame),
    isRight: Math.abs(inFull - expected) < 4 && Math.abs(inDetection - expected) < 4,
  }
}

describe('decode: sampling', () => {
  it('sample k is the first frame at or after k/fps, with its own time, and shows the frame of that time', async () => {
    const path = clip('plain.mp4')
    ffmpeg(...numberedFrames({ seconds: 2 }), ...x264, path)
    const { frames, info, summary } = await decode(request(path), identity)
    assert.deepEqual(
      frames.map((frame) => frame.timeS),
      [0, 0.28, 0.52, 0.76, 1, 1.28, 1.52, 1.76],
    )
    assert.ok(frames.every((frame) => frame.isRight))
    assert.deepEqual(
      [info.codec, info.durationS, info.frameRate, info.cuttable, info.container.split(',')[0]],
      ['h264', 2, 25, true, 'mov'],
    )
    assert.deepEqual(summary, { frames: 8, lastTimeS: 1.76, truncated: false })
  })

  it('a rate above the clip’s own returns every frame once', async () => {
    const path = clip('every.mp4')
    ffmpeg(...numberedFrames({ seconds: 1 }), ...x264, '-bf', '3', path)
    const { frames } = await decode(request(path, { sampling: { kind: 'fps', fps: 100 } }), identity)
    assert.deepEqual(
      frames.map((frame) => frame.timeS),
      Array.from({ length: 25 }, (_, n) => n / 25),
    )
    assert.ok(frames.every((frame) => frame.isRight))
  })

  it('frames of a variable rate keep their true times, and a long frame serves only one sample', async () => {
    const path = clip('variable.mkv')
    // Frames 0…9 at 25 fps, then one every 0.6 s, in ticks of 1/25 s.
    const slower = "setpts='if(lt(N,10),N,10+(N-10)*15)'"
    ffmpeg(...numberedFrames({ seconds: 0.6 }), '-vf', slower, '-fps_mode', 'vfr', ...x264, path)
    const { frames } = await decode(request(path), timeOf)
    assert.deepEqual(frames, [0, 0.28, 1, 1.6, 2.2, 2.8])
  })

  it('times rounded to milliseconds belong to the grid point that they were rounded from', async () => {
    const path = clip('thirds.mkv')
    ffmpeg(...numberedFrames({ seconds: 2, fps: 30 }), ...x264, path)
    const { frames } = await decode(request(path, { sampling: { kind: 'fps', fps: 3 } }), timeOf)
    assert.deepEqual(frames, [0, 0.333, 0.667, 1, 1.333, 1.667])
  })

  it('the clock begins at the container’s start time, however large it is', async () => {
    const path = clip('late.ts')
    ffmpeg(...numberedFrames({ seconds: 2 }), ...x264, '-bf', '2', '-output_ts_offset', '50000', path)
    const whole = await decode(request(path), identity)
    assert.equal(whole.frames[0]?.timeS, 0)
    assert.ok(whole.frames.every((frame) => frame.isRight))
    const second = await decode(request(path, { startS: 1 }), identity)
    assert.deepEqual(
      second.frames,
      whole.frames.filter((frame) => frame.timeS >= 1),
    )
  })

  it('a clip with a clock that begins after two hours is as long as its video, and not cut off', async () => {
    const late = ['-output_ts_offset', '7200']
    const containers = {
      'late.mkv': late,
      'late.mp4': late,
      'late.mov': late,
      'late-fragments.mp4': [...late, '-movflags', 'frag_keyframe+delay_moov'],
      'late-stream.ts': late,
      'late.flv': late,
      'late.nut': late,
    }
    for (const [name, options] of Object.entries(containers)) {
      ffmpeg(...numberedFrames({ seconds: 4 }), ...x264, '-bf', '0', ...options, clip(name))
      const { info, frames, summary } = await decode(request(clip(name)), timeOf)
      assert.ok(Math.abs((info.durationS ?? 0) - 4) < 0.1, `${name}: ${info.durationS} s`)
      assert.deepEqual([frames.length, frames[0], summary.truncated], [16, 0, false], name)
      const second = await decode(request(clip(name), { startS: 2 }), timeOf)
      assert.deepEqual(second.frames, frames.slice(8), name)
    }
  })

  it('times beyond an hour are exact, although ffmpeg prints only six digits', async () => {
    const path = clip('far.mkv')
    const later = 'setpts=PTS+if(gte(N\\,5)\\,4000/TB\\,0)'
    ffmpeg(...numberedFrames({ seconds: 0.6 }), '-vf', later, '-fps_mode', 'vfr', ...x264, path)
    const { frames } = await decode(request(path, { sampling: { kind: 'fps', fps: 25 } }), timeOf)
    assert.deepEqual(frames.slice(4, 7), [0.16, 4000.2, 4000.24])
  })

  it('a clip of one frame returns one frame', async () => {
    const path = clip('single.mp4')
    ffmpeg(...numberedFrames({ seconds: 1 }), '-frames:v', '1', ...x264, path)
    const { frames } = await decode(request(path), identity)
    assert.deepEqual(frames, [{ timeS: 0, isRight: true }])
  })

  it('a segment after the last frame is empty, not an error', async () => {
    const path = clip('plain.mp4')
    const { frames, summary } = await decode(request(path, { startS: 30 }), timeOf)
    assert.deepEqual(frames, [])
    assert.deepEqual(summary, { frames: 0, lastTimeS: undefined, truncated: false })
  })

  it('all key frames are returned in order, including those of open GOPs that H.264’s own skipping loses', async () => {
    const path = clip('open.ts')
    const openGop = 'open-gop=1:keyint=30:min-keyint=30:bframes=3:scenecut=0'
    ffmpeg(...numberedFrames({ seconds: 10 }), ...x264, '-x264-params', openGop, path)
    const { frames } = await decode(request(path, { sampling: { kind: 'keyframes' } }), identity)
    assert.ok(frames.length >= 8, `${frames.length} key frames`)
    assert.ok(frames.every((frame, n) => n === 0 || frame.timeS > (frames[n - 1]?.timeS ?? 0)))
    assert.ok(frames.every((frame) => frame.isRight))
  })

  it('key frames of a long HEVC clip are the same with and without skipping in the decoder', async () => {
    const path = clip('hevc.mp4')
    const openGop = 'log-level=none:open-gop=1:keyint=100:scenecut=0'
    ffmpeg(...numberedFrames({ seconds: 32, size: '64x64' }), '-c:v', 'libx265', '-preset', 'ultrafast', '-x265-params', openGop, path) // prettier-ignore
    const keys = await decode(request(path, { sampling: { kind: 'keyframes' } }), timeOf)
    assert.deepEqual(keys.frames, [0, 4, 8, 12, 16, 20, 24, 28])
    const part = await decode(request(path, { sampling: { kind: 'keyframes' }, startS: 8, endS: 20 }), timeOf)
    assert.deepEqual(part.frames, [8, 12, 16])
  })

  it('the end of a clip without a stated duration is computed from its packets', async () => {
    const raw = clip('raw.h264')
    ffmpeg(...numberedFrames({ seconds: 2 }), ...x264, '-bf', '2', '-f', 'h264', raw)
    const { info, frames } = await decode(request(raw), timeOf)
    assert.equal(info.durationS, undefined)
    assert.equal(info.cuttable, false)
    assert.equal(frames.length, 8)
    assert.equal(await probeDurationS(raw), 2)
    const ts = clip('duration.ts')
    ffmpeg(...numberedFrames({ seconds: 3 }), ...x264, '-bf', '2', ts)
    assert.equal(await probeDurationS(ts), 3)
  })
})
