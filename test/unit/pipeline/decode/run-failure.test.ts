import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { CameoError } from '../../../../pipeline/common/errors.js'
import type { DecodePlan } from '../../../../pipeline/decode/ffmpeg-arguments.js'
import type { InputInfo } from '../../../../pipeline/decode/ffmpeg-log.js'
import { RestartNeeded } from '../../../../pipeline/decode/plan-change.js'
import { failureOfRun, type EndedRun } from '../../../../pipeline/decode/run-failure.js'
import { temporaryDir } from '../../../support/cameo.js'

const path = join(temporaryDir(), 'clip.mp4')
writeFileSync(path, 'some bytes')
const plan: DecodePlan = {
  sampling: { kind: 'fps', fps: 4 },
  range: { startS: 0, endS: Infinity },
  seekToS: undefined,
  skipNonKey: false,
  sizes: { kind: 'fromSource', rule: { canvasWidthPx: 320, canvasHeightPx: 240, neededScale: 1 } },
}
const later = { ...plan, range: { startS: 600, endS: 1200 } }
const input: InputInfo = {
  container: 'mov,mp4',
  durationS: 60,
  durationEstimated: false,
  brands: [],
  streams: [],
}

/** A run that exited with code 0 without a frame, except for the given changes. */
const ended = (about: Partial<EndedRun>) =>
  failureOfRun({
    ...{ path, plan, exit: undefined, problems: [], input },
    ...{ hasFrames: false, holdsFrame: false, isSeekUnclear: false, sawDamagedFrames: false },
    ...about,
  })

async function codeOf(about: Partial<EndedRun>): Promise<string> {
  const error = await ended(about)
  assert.ok(error instanceof CameoError, String(error))
  return error.code
}

describe('a run of ffmpeg that ended', () => {
  it('succeeded if there are frames, even if ffmpeg reports problems', async () => {
    assert.equal(
      await ended({ hasFrames: true, exit: new Error('exit 1'), problems: ['bad block'] }),
      undefined,
    )
  })

  it('failed if the file could not be read, even if there are frames', async () => {
    const problems = ['clip.mp4: Input/output error']
    assert.equal(await codeOf({ hasFrames: true, problems }), 'CLIP_UNREADABLE')
  })

  it('failed if ffmpeg was killed, even if there are frames', async () => {
    assert.notEqual(
      await ended({ hasFrames: true, exit: new Error('killed with signal SIGKILL') }),
      undefined,
    )
  })

  it('failed with our own error if that ended it', async () => {
    const exit = new CameoError('FFMPEG_MISSING', 'there is no ffmpeg')
    assert.equal(await ended({ exit, hasFrames: true }), exit)
  })

  it('failed if pixels came without their time', async () => {
    assert.equal(await codeOf({ holdsFrame: true }), 'FFMPEG_FAILED')
    assert.equal(await codeOf({ holdsFrame: true, problems: ['bad block'] }), 'CLIP_DECODE_FAILED')
  })

  it('is repeated from an earlier time if it saw no key frame before its range', async () => {
    const error = await ended({ plan: later, isSeekUnclear: true })
    assert.ok(error instanceof RestartNeeded)
    assert.equal(error.change.kind, 'seekEarlier')
  })

  it('may have no frame in a later segment and within damage, but not in a whole clip', async () => {
    assert.equal(await ended({ plan: later }), undefined)
    assert.equal(await ended({ sawDamagedFrames: true }), undefined)
    assert.ok((await ended({})) instanceof CameoError)
  })
})
