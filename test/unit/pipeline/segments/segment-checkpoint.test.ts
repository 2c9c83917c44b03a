import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { FoundFace } from '../../../../pipeline/faces/analyse-frame.js'
import type { ContextEncoder } from '../../../../pipeline/embed/encode-context.js'
import { encodeFloat16 } from '../../../../pipeline/data/float16.js'
import { scaleImage } from '../../../../pipeline/image/image-scale.js'
import type { RgbImage } from '../../../../pipeline/data/image.js'
import { SegmentBuilder } from '../../../../pipeline/segments/segment-builder.js'
import {
  CheckpointWriter,
  readCheckpoint,
  type CheckpointUpdate,
  type StoredCheckpoint,
} from '../../../../pipeline/segments/segment-checkpoint.js'
import { defaultSettings } from '../../../../pipeline/recipe/recipe.js'
import type { Stages } from '../../../../pipeline/stages/load-pipeline.js'
import { seededRandom } from '../../../support/random.js'
import type { SegmentOutput } from '../../../../pipeline/segments/segment.js'

const dimension = 16

/** Features of the middle of a crop: those of one person are similar from frame to frame. */
function vectorOf({ width, data }: RgbImage, shift: number): Float32Array {
  return Float32Array.from({ length: dimension }, (_, i) => {
    const at = ((20 + 5 * i) * width + 30 + 3 * i) * 3
    return (data[at] ?? 0) - (data[at + 1] ?? 0) + ((data[at + 2] ?? 0) - 100) / 2 + shift
  })
}

const embedder = (shift: number) => ({
  dimension,
  embed(crop: RgbImage) {
    const vector = vectorOf(crop, shift)
    return Promise.resolve({ float16: encodeFloat16(vector), norm: Math.hypot(...vector) })
  },
})

const context: ContextEncoder = {
  digest: 'context',
  fit: (frame) => scaleImage(frame, { xPx: 0, yPx: 0, widthPx: frame.width, heightPx: frame.height }, 8, 8),
  encode: (frames) =>
    Promise.resolve({
      encoder: 'context',
      frames: frames.length,
      float16: Uint16Array.from(frames, ({ data }) => data.reduce((sum, value) => (sum + value) % 65_536, 0)),
    }),
}

const withNothingMore = {
  recipe: { digest: 'a recipe' },
  settings: { ...defaultSettings, facesPerTrack: 3 },
  provider: 'cpu',
  highScore: 0.6,
  minScore: 0.3,
  landmarker: undefined,
  embedder: embedder(0),
  normRange: undefined,
  describer: { dimension, describe: () => Promise.resolve(new Float32Array(dimension)) },
  encoders: { embedders: [], contexts: [] },
  mirrored: [],
} as unknown as Stages

const withAll: Stages = {
  ...withNothingMore,
  encoders: { embedders: [{ ...embedder(1), digest: 'further' }], contexts: [context] },
  mirrored: [{ ...embedder(2), digest: 'mirrored' }],
}

interface Frame {
  readonly timeS: number
  readonly full: RgbImage
  readonly detection: RgbImage
  readonly faces: readonly FoundFace[]
}

/** Half a minute with three people who come, pass each other and go, in front of backgrounds that change at cuts. */
function sceneOf(seed: number): Frame[] {
  const random = seededRandom(seed)
  const [width, height] = [160, 120]
  const people = Array.from({ length: 3 }, () => ({
    colour: [random() * 255, random() * 255, random() * 255] as const,
    startS: random() * 8,
    endS: 15 + random() * 10,
    x: 30 + random() * 100,
    y: 40 + random() * 40,
    speed: (random() - 0.5) * 4,
    size: 24 + random() * 16,
  }))
  const cutsS = [5 + random() * 5, 16 + random() * 5]
  return Array.from({ length: 100 }, (_, k) => {
    const timeS = k / 4
    const shot = cutsS.filter((cutS) => cutS <= timeS).length
    const data = new Uint8Array(width * height * 3)
    for (let i = 0; i < data.length; i++)
      data[i] = (shot * 83 + (i % 3) * 40 + Math.floor(i / (width * 3)) * (shot + 1)) % 256
    const faces = people.flatMap((person): FoundFace[] => {
      if (timeS < person.startS || timeS > person.endS || random() < 0.1) return []
      const x = person.x + person.speed * Math.sin(timeS) * 5
      const half = person.size / 2
      for (let y = Math.round(person.y - half); y < person.y + half; y++)
        for (let at = Math.round(x - half); at < x + half; at++)
          for (let c = 0; c < 3; c++)
            data[(y * width + at) * 3 + c] =
              (person.colour[c]! + 30 * Math.sin((at - x) / 3 + c) + random() * 20) & 255
      const point = (dx: number, dy: number) => ({ x: x + dx * half, y: person.y + dy * half })
      return [
        {
          boxXyxyPx: [x - half, person.y - half, x + half, person.y + half],
          detectionScore: 0.5 + random() / 2,
          landmarksPx: [point(-0.4, -0.3), point(0.4, -0.3), point(0, 0), point(-0.3, 0.4), point(0.3, 0.4)],
        },
      ]
    })
    const full = { width, height, data }
    return { timeS, full, detection: full, faces }
  })
}

const view = { widthPx: 160, heightPx: 120, sourcePxPerPx: 2, turns: 0 as const }
const segment = { index: 2, startS: 0, endS: Infinity }

async function feed(builder: SegmentBuilder, frames: readonly Frame[]): Promise<void> {
  for (const frame of frames) await builder.addFrame(frame, frame.faces)
}

/** Stores the updates, as an archive does. */
class Store {
  state = new Uint8Array()
  readonly parts: Uint8Array[] = []
  save({ state, newPart }: CheckpointUpdate): void {
    this.state = Uint8Array.from(state)
    if (newPart !== undefined) this.parts.push(Uint8Array.from(newPart))
  }
}

const about = {
  ...{ turns: 0 as const, segment: 2, recipe: 'a recipe', provider: 'cpu', seek: 'fast' as const },
  sizes: { widthPx: 160, heightPx: 120, sourceWidthPx: 320, sourceHeightPx: 240 },
  before: { longestGapS: 0.25, isCutOff: false },
}

function save(builder: SegmentBuilder, writer: CheckpointWriter, timeS: number, store: Store): void {
  const state = builder.snapshot()
  const image = state.tracker.lastImage!
  store.save(writer.write({ ...about, last: { timeS, image }, state }))
}

/** A segment in pieces. Each piece runs in a new builder that is made from what the previous one stored. */
async function inPieces(
  frames: readonly Frame[],
  stages: Stages,
  ends: readonly number[],
): Promise<SegmentOutput> {
  const store = new Store()
  let builder = new SegmentBuilder(stages, view)
  let writer = new CheckpointWriter()
  let start = 0
  for (const end of ends) {
    await feed(builder, frames.slice(start, end))
    save(builder, writer, frames[end - 1]!.timeS, store)
    const checkpoint = readCheckpoint(store, stages)
    assert.ok(checkpoint !== undefined)
    builder = new SegmentBuilder(stages, view, checkpoint.state)
    writer = new CheckpointWriter(checkpoint)
    start = end
  }
  await feed(builder, frames.slice(start))
  const output = await builder.finish(segment, false)
  const bare = (bytes: Uint8Array) => Uint8Array.from(bytes)
  return {
    ...output,
    tracks: output.tracks.map((track) => ({ ...track, thumbnailJpeg: bare(track.thumbnailJpeg) })),
  }
}

async function stored(): Promise<StoredCheckpoint> {
  const builder = new SegmentBuilder(withNothingMore, view)
  const [writer, store] = [new CheckpointWriter(), new Store()]
  const frames = sceneOf(1)
  for (const end of [40, 80]) {
    await feed(builder, frames.slice(end - 40, end))
    save(builder, writer, frames[end - 1]!.timeS, store)
  }
  assert.ok(store.parts.length > 0)
  return store
}

describe('a segment that continues from a checkpoint', () => {
  it('gives bit-identical results wherever it was interrupted', async () => {
    const frames = sceneOf(1)
    const whole = await inPieces(frames, withNothingMore, [])
    assert.ok(whole.tracks.length >= 2)
    for (let end = 1; end < frames.length; end += 4)
      assert.deepEqual(
        await inPieces(frames, withNothingMore, [end]),
        whole,
        `interrupted after ${end} frames`,
      )
  })

  for (const seed of [2, 3, 4, 5])
    it(`with further embedders, mirror images and a context encoder, too, however often: scene ${seed}`, async () => {
      const frames = sceneOf(seed)
      const whole = await inPieces(frames, withAll, [])
      assert.ok(whole.tracks.some(({ faces }) => faces[0]?.extraEmbeddings?.length === 2))
      const random = seededRandom(seed)
      for (const share of [0.02, 0.3, 1]) {
        const ends = frames.slice(1).flatMap((_, i) => (random() < share ? [i + 1] : []))
        assert.deepEqual(
          await inPieces(frames, withAll, ends),
          whole,
          `interrupted after ${ends.join()} frames`,
        )
      }
    })

  it('is not trusted if any of its bytes has changed', async () => {
    const whole = await stored()
    assert.ok(readCheckpoint(whole, withNothingMore) !== undefined)
    const flipped = (bytes: Uint8Array, at: number) =>
      bytes.map((value, i) => (i === at ? value ^ 0x10 : value))
    for (let at = 0; at < whole.state.length; at += 997)
      assert.equal(readCheckpoint({ ...whole, state: flipped(whole.state, at) }, withNothingMore), undefined)
    for (const [i, part] of whole.parts.entries()) {
      const parts = whole.parts.with(i, flipped(part, part.length >> 1))
      assert.equal(readCheckpoint({ ...whole, parts }, withNothingMore), undefined)
    }
  })

  it('is not trusted if a part of it is missing', async () => {
    const whole = await stored()
    const states = [new Uint8Array(), whole.state.subarray(0, 40), whole.state.subarray(0, -1)]
    for (const state of states) assert.equal(readCheckpoint({ ...whole, state }, withNothingMore), undefined)
    const parts = whole.parts.slice(1)
    assert.equal(readCheckpoint({ ...whole, parts }, withNothingMore), undefined)
  })

  it('ignores parts that another checkpoint left behind its own', async () => {
    const whole = await stored()
    const parts = [...whole.parts, new Uint8Array([1])]
    assert.deepEqual(
      readCheckpoint({ ...whole, parts }, withNothingMore),
      readCheckpoint(whole, withNothingMore),
    )
  })

  it('is not trusted with another recipe or another provider', async () => {
    const whole = await stored()
    const { recipe } = withNothingMore
    assert.equal(readCheckpoint(whole, { ...withNothingMore, recipe: { ...recipe, digest: 'b' } }), undefined)
    assert.equal(readCheckpoint(whole, { ...withNothingMore, provider: 'cuda:0' }), undefined)
  })
})
