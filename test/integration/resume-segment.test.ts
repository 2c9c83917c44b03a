import assert from 'node:assert/strict'
import { readFileSync, realpathSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { findPack } from '../../pipeline/models/packs/catalog.js'
import { defaultModelsDir } from '../../pipeline/models/packs/models-dir.js'
import { processClip, type ClipJob } from '../../pipeline/segments/process-clip.js'
import { segmentSpans } from '../../pipeline/segments/segment-spans.js'
import type { CheckpointUpdate, StoredCheckpoint } from '../../pipeline/segments/segment-checkpoint.js'
import { defaultSettings, type Settings } from '../../pipeline/recipe/recipe.js'
import { loadStages, type Stages } from '../../pipeline/stages/load-pipeline.js'
import { temporaryDir } from '../support/cameo.js'
import { makeFaceClip, x264 } from '../support/faces.js'
import type { SegmentOutput } from '../../pipeline/segments/segment.js'

const dir = realpathSync(temporaryDir())
const seconds = 12

interface Left {
  readonly update: CheckpointUpdate
  readonly stored: StoredCheckpoint
}

let stages: Stages
/** Number of processed frames. */
let looked = 0

const jobFor = (path: string, changes: Partial<ClipJob> = {}): ClipJob => ({
  ...{ path, startS: 0, endS: Infinity, seek: 'fast' },
  plan: () => Promise.resolve(segmentSpans(1, 600)),
  onFrame: () => looked++,
  ...changes,
})

/** Compares pictures by their bytes, whatever the class of the byte array is. */
const comparable = (outputs: readonly SegmentOutput[]) =>
  outputs.map((output) => ({
    ...output,
    tracks: output.tracks.map((track) => ({ ...track, thumbnailJpeg: Uint8Array.from(track.thumbnailJpeg) })),
  }))

async function outputsOf(job: ClipJob, settings: Settings = defaultSettings) {
  looked = 0
  const outputs: SegmentOutput[] = []
  for await (const output of processClip(job, { ...stages, settings })) outputs.push(output)
  return comparable(outputs)
}

/** A whole run, and everything that another run could continue from. */
async function recorded(job: ClipJob, settings?: Settings) {
  const left: Left[] = []
  const parts = new Map<number, Uint8Array[]>()
  const checkpoints = {
    everyS: 2,
    onResume: () => undefined,
    onCheckpoint(update: CheckpointUpdate) {
      const own = parts.get(update.segment) ?? []
      if (update.newPart !== undefined) own.push(update.newPart)
      parts.set(update.segment, own)
      left.push({ update, stored: { state: update.state, parts: [...own] } })
    },
  }
  const outputs = await outputsOf({ ...job, checkpoints }, settings)
  return { outputs, left, frames: looked }
}

/** Where a run with that checkpoint continued, s; undefined if it started again. */
async function resumed(job: ClipJob, resume: StoredCheckpoint, settings?: Settings) {
  let fromS: number | undefined
  const checkpoints = {
    everyS: Infinity,
    onCheckpoint: () => undefined,
    onResume: (_segment: number, timeS: number) => (fromS = timeS),
  }
  return { outputs: await outputsOf({ ...job, resume, checkpoints }, settings), fromS }
}

const film = (name: string, encoding?: readonly string[]) =>
  makeFaceClip(join(dir, name), 'costumes right', {
    ...{ seconds, then: ['sofa left', 'party third'] },
    ...(encoding === undefined ? {} : { encoding }),
  })

describe('a segment that another run continues', () => {
  before(async () => {
    stages = await loadStages({
      pack: findPack('lite'),
      modelsDir: defaultModelsDir(),
      settings: defaultSettings,
      device: { kind: 'cpu' },
    })
  })

  after(() => stages.dispose())

  for (const [name, encoding] of [
    ['film.mp4', undefined],
    [
      'b-frames.mkv',
      ['-c:v', 'libx264', '-preset', 'ultrafast', '-bf', '3', '-g', '60', '-pix_fmt', 'yuv420p'],
    ],
    ['film.avi', ['-c:v', 'mpeg4', '-bf', '2', '-g', '30']],
    ['film.ts', x264],
    ['film.flv', x264],
  ] as const)
    it(`gives bit-identical results, and processes no frame twice: ${name}`, async () => {
      const job = jobFor(await film(name, encoding))
      const { outputs, left, frames } = await recorded(job)
      assert.ok((outputs[0]?.tracks.length ?? 0) >= 2)
      assert.ok(left.length >= 4)
      for (const { update, stored } of left) {
        const again = await resumed(job, stored)
        assert.equal(again.fromS, update.timeS)
        assert.deepEqual(again.outputs, outputs)
        assert.equal(looked, frames - Math.round(update.timeS * 4) - 1)
      }
    })

  it('works with key frames, too', async () => {
    const settings: Settings = { ...defaultSettings, sampling: { kind: 'keyframes' } }
    const job = jobFor(await film('keys.mp4'))
    const { outputs, left } = await recorded(job, settings)
    assert.ok(left.length >= 4)
    for (const { update, stored } of left) {
      const again = await resumed(job, stored, settings)
      assert.equal(again.fromS, update.timeS)
      assert.deepEqual(again.outputs, outputs)
    }
  })

  it('continues within any segment of a clip that is processed in one pass', async () => {
    const spans = segmentSpans(3, 4)
    const job = jobFor(await film('passes.flv', x264), { plan: () => Promise.resolve(spans) })
    const { outputs, left } = await recorded(job)
    assert.equal(outputs.length, 3)
    assert.deepEqual([...new Set(left.map(({ update }) => update.segment))], [0, 1, 2])
    for (const { update, stored } of left) {
      const plan = () => Promise.resolve(spans.slice(update.segment))
      assert.deepEqual((await resumed({ ...job, plan }, stored)).outputs, outputs.slice(update.segment))
    }
  })

  it('is saved at once when the work is stopped', async () => {
    const path = await film('stopped.mp4')
    const { outputs } = await recorded(jobFor(path))
    const abort = new AbortController()
    let update: CheckpointUpdate | undefined
    const checkpoints = {
      everyS: Infinity,
      onResume: () => undefined,
      onCheckpoint: (given: CheckpointUpdate) => (update = given),
    }
    const onFrame = (timeS: number) => {
      if (timeS >= 7) abort.abort()
    }
    await assert.rejects(outputsOf(jobFor(path, { checkpoints, onFrame, signal: abort.signal })), {
      code: 'INTERRUPTED',
    })
    assert.ok(update !== undefined && update.timeS >= 7)
    const stored = { state: update.state, parts: update.newPart === undefined ? [] : [update.newPart] }
    const again = await resumed(jobFor(path), stored)
    assert.deepEqual([again.fromS, again.outputs], [update.timeS, outputs])
  })

  it('of a file that is cut off is reported as cut off by both runs', async () => {
    const path = await film('cut.mkv')
    truncateSync(path, Math.round(readFileSync(path).length * 0.8))
    const { outputs, left } = await recorded(jobFor(path))
    assert.equal(outputs[0]?.truncated, true)
    for (const { stored } of left) assert.deepEqual((await resumed(jobFor(path), stored)).outputs, outputs)
  })

  it('starts again for another file or a damaged checkpoint', async () => {
    const path = await film('mine.mp4')
    const other = await makeFaceClip(join(dir, 'other.mp4'), 'bar left', { seconds })
    const { outputs, left } = await recorded(jobFor(path))
    const { stored } = left[2]!
    const ofOther = await outputsOf(jobFor(other))
    assert.deepEqual(await resumed(jobFor(other), stored), { outputs: ofOther, fromS: undefined })
    const state = stored.state.slice()
    state[state.length >> 1]! ^= 1
    assert.deepEqual(await resumed(jobFor(path), { ...stored, state }), { outputs, fromS: undefined })
  })

  it('of a clip with a repaired clock continues by decoding again, without processing again', async () => {
    const part = await film('part.ts', x264)
    const joined = join(dir, 'joined.ts')
    writeFileSync(joined, Buffer.concat([readFileSync(part), readFileSync(part)]))
    const { outputs, left, frames } = await recorded(jobFor(joined))
    const late = left.find(({ update }) => update.timeS > seconds)
    const early = left[0]
    assert.ok(late !== undefined && early !== undefined)
    for (const { update, stored } of [early, late]) {
      const again = await resumed(jobFor(joined), stored)
      assert.equal(again.fromS, update.timeS)
      assert.deepEqual(again.outputs, outputs)
      assert.ok(looked < frames)
    }
  })
})
