import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import type { DecodedFrame, DecodeHandle } from '../../pipeline/decode/decode-request.js'
import { findPack } from '../../pipeline/models/packs/catalog.js'
import { defaultModelsDir } from '../../pipeline/models/packs/models-dir.js'
import { defaultSettings } from '../../pipeline/recipe/recipe.js'
import { ClipDecoder } from '../../pipeline/segments/clip-decoder.js'
import { SegmentInWork } from '../../pipeline/segments/segment-in-work.js'
import { segmentSpans } from '../../pipeline/segments/segment-spans.js'
import { loadStages, type Stages } from '../../pipeline/stages/load-pipeline.js'
import { temporaryDir } from '../support/cameo.js'
import { makeFaceClip } from '../support/faces.js'

const whole = { startS: 0, endS: Infinity, seek: 'fast' } as const
const spans = segmentSpans(2, 1)
let stages: Stages
let path: string

before(async () => {
  stages = await loadStages({
    ...{ pack: findPack('lite'), modelsDir: defaultModelsDir(), settings: defaultSettings },
    device: { kind: 'cpu' },
  })
  path = await makeFaceClip(join(temporaryDir(), 'clip.mp4'), 'sofa left', { seconds: 3 })
})

after(() => stages.dispose())

async function timesOf({ frames }: DecodeHandle): Promise<number[]> {
  const times: number[] = []
  for await (const { timeS } of frames) times.push(timeS)
  return times
}

describe('ClipDecoder', () => {
  it('decodes another range when it is opened again, with the same times', async () => {
    const decoder = new ClipDecoder({ path }, stages)
    assert.deepEqual([decoder.run], [undefined])
    const all = await timesOf(await decoder.open(whole))
    const way = { startS: 2, endS: Infinity, seek: 'fromStart' } as const
    const rest = await timesOf(await decoder.open(way))
    assert.deepEqual(decoder.run?.way, way)
    assert.ok(rest.length > 0 && rest.length < all.length)
    assert.deepEqual(rest, all.slice(-rest.length))
    await decoder.close()
  })

  it('returns nothing before its turn, although ffmpeg has started', async () => {
    let pass: () => void = () => undefined
    const turn = new Promise<void>((resolve) => (pass = resolve))
    const decoder = new ClipDecoder({ path, turn }, stages)
    const opened = decoder.open(whole)
    assert.equal(await Promise.race([opened, decoderInfo(decoder)]), 'info')
    pass()
    await opened
    await decoder.close()
  })
})

async function decoderInfo(decoder: ClipDecoder): Promise<string> {
  // `open` closes the previous run, at the latest in a later turn of the event loop.
  while (decoder.run === undefined) await new Promise((resolve) => setImmediate(resolve))
  await decoder.run.decoding.info
  return 'info'
}

/** The first segment of the clip, with the first of its frames. */
async function withFirstFrame(
  work: (segment: SegmentInWork, frame: DecodedFrame, decoder: ClipDecoder) => Promise<void>,
): Promise<void> {
  const decoder = new ClipDecoder({ path }, stages)
  const decoding = await decoder.open(whole)
  const info = await decoding.info
  const segment = new SegmentInWork(stages, { info, span: spans[0]!, turns: 0, savedAtS: 0 })
  for await (const frame of decoding.frames) {
    if (frame.timeS === 0) continue
    await work(segment, frame, decoder)
    break
  }
  await decoder.close()
}

describe('SegmentInWork', () => {
  it('has nothing to save before its first frame, and nothing twice for one frame', async () => {
    await withFirstFrame(async (segment, frame, decoder) => {
      assert.equal(segment.canSaveMore, false)
      assert.equal(segment.checkpoint(decoder.run!), undefined)
      assert.deepEqual(await segment.look(frame), { faces: 1, further: 0 })
      assert.equal(segment.canSaveMore, true)
      assert.equal(segment.checkpoint(decoder.run!)?.timeS, frame.timeS)
      assert.equal(segment.canSaveMore, false)
    })
  })

  it('is due after the given number of seconds of video since its last save', async () => {
    await withFirstFrame(async (segment, frame, decoder) => {
      assert.deepEqual([segment.isDue(1.9, 2), segment.isDue(2, 2)], [false, true])
      await segment.look(frame)
      segment.checkpoint(decoder.run!)
      assert.deepEqual(
        [segment.isDue(frame.timeS + 1.9, 2), segment.isDue(frame.timeS + 2, 2)],
        [false, true],
      )
    })
  })

  it('is followed, when finished, by a segment with a checkpoint at the last frame before it', async () => {
    await withFirstFrame(async (segment, frame, decoder) => {
      await segment.look(frame)
      const output = await segment.finish(false, [{ startS: 0.5, endS: 7 }])
      assert.deepEqual([output.faces, output.gapsS], [1, [[0.5, 1]]])
      assert.equal(segment.canSaveMore, false, 'it is being finished')
      const update = segment.following(spans[1]!).checkpoint(decoder.run!)
      assert.deepEqual([update?.segment, update?.timeS], [1, frame.timeS])
    })
  })

  it('starts empty when it is turned', async () => {
    await withFirstFrame(async (segment, frame, decoder) => {
      await segment.look(frame)
      const turned = segment.turned(await decoder.run!.decoding.info, 2)
      assert.equal(turned.checkpoint(decoder.run!), undefined)
      assert.equal((await turned.finish(false, [])).tracks.length, 0)
    })
  })
})
