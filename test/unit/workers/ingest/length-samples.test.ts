import assert from 'node:assert/strict'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { statedDurationS } from '../../../../pipeline/decode/stated-duration.js'
import { createLengthSamples } from '../../../../workers/ingest/length-samples.js'
import { temporaryDir } from '../../../support/cameo.js'
import { ffmpeg, x264 } from '../../../support/faces.js'

const going = new AbortController().signal

describe('samples of the lengths of clips', () => {
  it('include a few clips of every size that state their length', async () => {
    const told: string[] = []
    const asked: string[] = []
    const samples = createLengthSamples(
      (path, durationS) => told.push(`${path} ${durationS}`),
      going,
      (path) => {
        asked.push(path)
        return Promise.resolve(path === 'film 1' ? undefined : 60)
      },
    )
    for (let k = 1; k <= 200; k++) samples.offer(`short ${k}`, 1_000_000 + k)
    for (let k = 1; k <= 5; k++) samples.offer(`film ${k}`, 1_000_000_000 + k)
    samples.offer('empty', 0)
    await samples.finished()
    assert.deepEqual(asked, ['short 16', 'short 128', 'film 1', 'film 2', 'film 3'])
    assert.deepEqual(told, ['short 16 60', 'short 128 60', 'film 2 60', 'film 3 60'])
  })

  it('read only a clip’s head, and give nothing for a file that is not a clip, is gone or is not needed any more', async () => {
    const dir = temporaryDir()
    const clip = join(dir, 'clip.mp4')
    await ffmpeg('-f', 'lavfi', '-i', 'testsrc2=s=64x48:r=5:d=7', ...x264, clip)
    assert.equal(await statedDurationS(clip, going), 7)
    assert.equal(await statedDurationS(join(dir, 'gone.mp4'), going), undefined)
    assert.equal(await statedDurationS(import.meta.filename, going), undefined)
    assert.equal(await statedDurationS(clip, AbortSignal.abort()), undefined)
  })
})
