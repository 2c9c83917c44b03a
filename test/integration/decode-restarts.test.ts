import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { openFrames } from '../../pipeline/decode/frames.js'
import { findPack } from '../../pipeline/models/packs/catalog.js'
import { defaultModelsDir } from '../../pipeline/models/packs/models-dir.js'
import { processClip, type ClipJob } from '../../pipeline/segments/process-clip.js'
import { defaultSettings, type Settings } from '../../pipeline/recipe/recipe.js'
import { loadStages, type Stages } from '../../pipeline/stages/load-pipeline.js'
import { childProcesses, codeOf, decode, request, timeOf } from './decode-helpers.js'
import { ffmpeg, temporaryFolder } from './make-video.js'

const folder = temporaryFolder()
const clip = (name: string) => join(folder, name)
const moving = (source: string) => ['-f', 'lavfi', '-i', `testsrc2=${source}`]
const x264 = ['-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p']
const keyframes: Settings = { ...defaultSettings, sampling: { kind: 'keyframes' } }

/**
 * 33 s with a key frame every 5 s, in the codecs with key frames that can be decoded alone. The pictures are large, so
 * that the first frame takes a while.
 */
const skipped = {
  'hevc.mkv': ['-c:v', 'libx265', '-preset', 'ultrafast', '-x265-params', 'log-level=none:keyint=20:scenecut=0'], // prettier-ignore
  'vp8.webm': ['-c:v', 'libvpx', '-deadline', 'realtime', '-cpu-used', '16', '-g', '20'],
  'vp9.webm': ['-c:v', 'libvpx-vp9', '-deadline', 'realtime', '-cpu-used', '8', '-g', '20'], // prettier-ignore
}
const keyTimesS = [0, 5, 10, 15, 20, 25, 30]

for (const [name, encoding] of Object.entries(skipped))
  ffmpeg(...moving('s=640x480:r=4:d=33'), ...encoding, clip(name))
ffmpeg(
  ...moving('s=64x64:r=10:d=70'),
  ...x264,
  '-g',
  '92',
  '-keyint_min',
  '92',
  '-sc_threshold',
  '0',
  clip('long-gop.ts'),
)
const sound = ['-f', 'lavfi', '-i', 'sine=d=130:r=8000']
ffmpeg(...moving('s=64x64:r=10:d=4'), ...sound, ...x264, '-c:a', 'aac', '-b:a', '16k', clip('long-sound.ts'))
ffmpeg(...moving('s=64x64:r=10:d=4'), ...x264, clip('now.ts'))
ffmpeg(...moving('s=64x64:r=10:d=4'), ...x264, '-output_ts_offset', '2000', clip('later.ts'))
writeFileSync(clip('jump.ts'), Buffer.concat(['now.ts', 'later.ts'].map((name) => readFileSync(clip(name)))))

/** A clip whose first run of ffmpeg is stopped before its first frame. */
const givenUpAtOnce = request(clip('hevc.mkv'), { sampling: keyframes.sampling })

describe('decode: a first run of ffmpeg that is replaced by another one', () => {
  let stages: Stages

  before(async () => {
    const pack = findPack('lite')
    const device = { kind: 'cpu' } as const
    stages = await loadStages({ pack, modelsDir: defaultModelsDir(), settings: defaultSettings, device })
  })

  after(() => stages.dispose())

  /** As in an ingest: first the clip's description, then its frames. */
  async function framesOf(name: string, range: Partial<ClipJob>, settings = defaultSettings) {
    const { startS = 0, endS = Infinity } = range
    const plan = () => Promise.resolve([{ index: 0, startS, endS }])
    const job: ClipJob = { path: clip(name), startS, endS, seek: 'fast', plan, ...range }
    let frames = 0
    for await (const output of processClip(job, { ...stages, settings })) frames += output.frames
    assert.deepEqual(childProcesses(), [])
    return frames
  }

  for (const name of Object.keys(skipped)) {
    it(`the key frames of a long clip are processed: ${name}`, async () => {
      assert.equal(await framesOf(name, {}, keyframes), keyTimesS.length)
    })
  }

  it('a segment is processed even if its key frame is far before it', async () => {
    assert.equal(await framesOf('long-gop.ts', { startS: 60, endS: 65 }), 20)
  })

  it('a segment after the end of the video, where only sound continues, is empty', async () => {
    assert.equal(await framesOf('long-sound.ts', { startS: 60, endS: 120 }), 0)
    assert.equal(await framesOf('long-sound.ts', { startS: 120 }), 0)
  })

  it('if the clock jumps forward, all frames are in the segment of one pass, and none in a later one', async () => {
    const whole = await framesOf('jump.ts', {})
    assert.ok(whole >= 31, `${whole} frames of 8 s`)
    assert.equal(await framesOf('jump.ts', { endS: 600 }), whole)
    for (const startS of [600, 1200, 1800]) assert.equal(await framesOf('jump.ts', { startS }), 0)
  })

  it('description, frames and summary can be awaited in any order', async () => {
    const infoFirst = await decode(givenUpAtOnce, timeOf)
    assert.deepEqual(infoFirst.frames, keyTimesS)

    const framesFirst = openFrames(givenUpAtOnce)
    const times: number[] = []
    for await (const frame of framesFirst.frames) times.push(timeOf(frame))
    assert.deepEqual(times, keyTimesS)
    assert.deepEqual(await framesFirst.info, infoFirst.info)
    assert.deepEqual(await framesFirst.summary, infoFirst.summary)

    const late = openFrames(givenUpAtOnce)
    const summary = late.summary.then(({ frames }) => frames)
    await late.info
    times.length = 0
    for await (const frame of late.frames) times.push(timeOf(frame))
    assert.deepEqual(times, keyTimesS)
    assert.equal(await summary, keyTimesS.length)
  })

  it('an abort ends the wait for the description at any moment', async () => {
    for (const afterMs of [0, 30, 60, 90, 120, 150, 200]) {
      const controller = new AbortController()
      const handle = openFrames({ ...givenUpAtOnce, signal: controller.signal })
      await pause(afterMs)
      controller.abort()
      await assert.rejects(handle.summary, codeOf('INTERRUPTED', 'hevc.mkv'))
      await handle.info.catch((error: unknown) => assert.ok(codeOf('INTERRUPTED', 'hevc.mkv')(error)))
      assert.deepEqual(childProcesses(), [])
    }
    execFileSync('mkfifo', [clip('pipe.ts')])
    for (const end of ['abort', 'close'] as const) {
      const controller = new AbortController()
      const handle = openFrames(request(clip('pipe.ts'), { signal: controller.signal }))
      setTimeout(() => (end === 'abort' ? controller.abort() : void handle.close()), 200)
      await assert.rejects(handle.info, codeOf('INTERRUPTED', 'pipe.ts'))
      await assert.rejects(handle.summary, codeOf('INTERRUPTED', 'pipe.ts'))
      assert.deepEqual(childProcesses(), [])
    }
  })

  it('an abort ends the wait for a clip that is being opened', async () => {
    const signal = AbortSignal.timeout(200)
    const running = framesOf('pipe.ts', { signal })
    await assert.rejects(running, codeOf('INTERRUPTED', 'pipe.ts'))
  })
})
