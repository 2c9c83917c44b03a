import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { openFrames } from '../../pipeline/decode/frames.js'
import { planSegments } from '../../pipeline/segments/plan-segments.js'
import { stateDuration } from '../support/bad-clips.js'
import { childProcesses, codeOf, request } from './decode-helpers.js'
import { ffmpeg, temporaryFolder } from './make-video.js'

const folder = temporaryFolder()
const x264 = ['-c:v', 'libx264', '-preset', 'ultrafast']

function makeClip(name: string, source: string, ...options: readonly string[]): string {
  const path = join(folder, name)
  ffmpeg('-f', 'lavfi', '-i', `testsrc2=${source}`, ...options, ...x264, path)
  return path
}

/** The clip's length, and the start times of its segments. */
async function planOf(path: string, lengthS: number) {
  const handle = openFrames(request(path))
  const info = await handle.info
  await handle.close()
  const { durationS, segments } = await planSegments(path, info, lengthS)
  assert.equal(segments.at(-1)?.endS, Infinity)
  return { durationS, starts: segments.map(({ startS }) => startS) }
}

describe('the segments of a clip', () => {
  it('follow the stated duration, or the measured one if none is stated', async () => {
    const starts = [0, 4, 8]
    const source = 's=160x120:r=10:d=10'
    assert.deepEqual(await planOf(makeClip('stated.mkv', source), 4), { durationS: 10, starts })
    const unstated = makeClip('unstated.h264', 's=160x120:r=25:d=10')
    assert.deepEqual(await planOf(unstated, 4), { durationS: 10, starts })
  })

  it('follow a measured duration if the file is too small for the stated one', async () => {
    const path = makeClip('wrong.mkv', 's=160x120:r=10:d=10')
    for (const durationMs of [1e8, 1e9, 1e12, 1e15]) {
      stateDuration(path, durationMs)
      assert.deepEqual(await planOf(path, 600), { durationS: 10, starts: [0] })
      assert.deepEqual((await planOf(path, 4)).starts, [0, 4, 8])
    }
  })

  it('are not cut within a gap of the clock that jumps by hours', async () => {
    const later = ['-vf', 'setpts=PTS+if(gte(N\\,20)\\,40000/TB\\,0)', '-fps_mode', 'vfr']
    const path = makeClip('hours.mkv', 's=160x120:r=10:d=4', ...later)
    assert.deepEqual(await planOf(path, 60), { durationS: 40_004, starts: [0] })
  })

  it('are not planned further after an abort', { timeout: 20_000 }, async () => {
    const path = join(folder, 'pipe.h264') // nobody writes to it, so measuring would wait for ever
    execFileSync('mkfifo', [path])
    const unstated = { durationS: undefined, durationEstimated: false }
    const measuring = planSegments(path, unstated, 600, AbortSignal.timeout(200))
    await assert.rejects(measuring, codeOf('INTERRUPTED', 'pipe.h264'))
    assert.deepEqual(childProcesses(), [])
  })
})
