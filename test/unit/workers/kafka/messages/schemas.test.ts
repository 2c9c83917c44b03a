import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { decode, encode } from '@msgpack/msgpack'
import { CameoError } from '../../../../../pipeline/common/errors.js'
import { findPack } from '../../../../../pipeline/models/packs/catalog.js'
import { createRecipe, defaultSettings } from '../../../../../pipeline/recipe/recipe.js'
import { toBlob } from '../../../../../index/store/blobs.js'
import { segmentMessages, segmentOutput } from '../../../../../workers/kafka/messages/segment-messages.js'
import { maxMessageBytes } from '../../../../../workers/kafka/broker/topics.js'
import {
  decodeEmbeddings,
  decodeJob,
  encodeMessage,
  failureOf,
  type ClosingMessage,
  type JobMessage,
  type TracksMessage,
  type WirePlan,
  type WireRecipe,
} from '../../../../../workers/kafka/messages/schemas.js'
import { refusedWith } from '../../../../support/refused-with.js'
import { seededRandom } from '../../../../support/random.js'
import type { SegmentOutput, TrackOutput } from '../../../../../pipeline/segments/segment.js'

const { digest, embedderDigest, spaceDigest, packName, settings } = createRecipe(
  findPack('lite'),
  defaultSettings,
)
const recipe: WireRecipe = { digest, embedderDigest, spaceDigest, packName, settings }
const source = { uri: '/clips/a "b"\n.mp4', root: '/clips' }
const job: JobMessage = { v: 1, kind: 'clip', recipe, source }
const plan: WirePlan = {
  ...{ clipId: 'c'.repeat(64), dimension: 512, segments: 2, cuttable: true },
  stamp: { device: '1', inode: '2', sizeBytes: 3, mtimeNs: '4' },
  facts: { sizeBytes: 3, durationS: 700, widthPx: 640, heightPx: 360, codec: 'h264', container: 'mov' },
}

const codeOf = (decodeIt: () => unknown) => {
  try {
    decodeIt()
  } catch (error) {
    return error instanceof CameoError ? error.code : error
  }
  return undefined
}

function output(tracks: number, faces: number, segmentEndS = Infinity): SegmentOutput {
  const random = seededRandom(11)
  const track = (number: number): TrackOutput => ({
    number,
    spansS: [
      [0.25, 1 / 3],
      [2, 2.75],
    ],
    ...{ samples: 9, quality: random() },
    faces: Array.from({ length: faces }, () => ({
      timeS: 1 / 3,
      boxXyxyPx: [random(), -random(), 100 * random(), 200],
      landmarksPx: [
        { x: random(), y: 2 },
        { x: 3, y: 4 },
        { x: 5, y: 6 },
        { x: 7, y: 8 },
        { x: 9, y: random() },
      ],
      ...{ detectionScore: random(), quality: random() },
      embedding: {
        float16: Uint16Array.from({ length: 512 }, () => Math.floor(random() * 65_536)),
        norm: random(),
      },
    })),
    descriptor: Float32Array.from({ length: 512 }, random),
    thumbnailJpeg: Uint8Array.from({ length: 2000 }, () => Math.floor(random() * 256)),
  })
  return {
    segment: { index: 1, startS: 600, endS: segmentEndS },
    tracks: Array.from({ length: tracks }, (_, i) => track(i)),
    ...{ frames: 40, faces: 77, truncated: true, provider: 'cuda:1' },
  }
}

/** Encodes and decodes a segment, described by its own descriptors. */
function roundTrip(segment: SegmentOutput, of: WireRecipe = recipe): SegmentOutput {
  const messages = segmentMessages(segment, { recipe: of, source, plan, attempt: 'a' }).map((message) =>
    decodeEmbeddings(encodeMessage(message)),
  )
  const closing = messages.at(-1) as ClosingMessage
  const parts = messages.slice(0, -1) as TracksMessage[]
  assert.equal(closing.parts, parts.length)
  const out = segmentOutput(
    closing,
    parts
      .flatMap((part) => part.tracks)
      .map((track, i) => ({ ...track, descriptor: toBlob(segment.tracks[i]!.descriptor) })),
  )
  // A view of the message's memory, for each kind of array.
  return {
    ...out,
    tracks: out.tracks.map((track) => ({ ...track, thumbnailJpeg: new Uint8Array(track.thumbnailJpeg) })),
  }
}

describe('messages', () => {
  it('a segment is identical after a round trip, in parts of at most 512 KB', () => {
    for (const [tracks, faces] of [
      [0, 0],
      [1, 1],
      [70, 8],
      [9, 64],
    ] as const) {
      const segment = output(tracks, faces)
      assert.deepEqual(roundTrip(segment), segment)
      for (const message of segmentMessages(segment, { recipe, source, plan, attempt: 'a' }))
        assert.ok(encodeMessage(message).byteLength <= maxMessageBytes)
    }
    const inner = output(2, 3, 1200)
    assert.deepEqual(roundTrip(inner), inner)
    const damaged: SegmentOutput = { ...inner, gapsS: [[601.25, 640], [700, 1200]] } // prettier-ignore
    assert.deepEqual(roundTrip(damaged), damaged)
  })

  for (const provider of ['cuda:99999999999999999999', 'cuda:256', 'cuda:-1', 'cuda:0001', 'cuda:'])
    it(`a segment that ${provider} looked at is refused`, () => {
      const closing = segmentMessages(output(0, 0), { recipe, source, plan, attempt: 'a' }).at(-1)
      assert.ok(closing?.kind === 'closing')
      assert.equal(decodeEmbeddings(encodeMessage({ ...closing, provider: 'cuda:255' })).kind, 'closing')
      const hostile = Buffer.from(encode({ ...closing, provider }, { ignoreUndefined: true }))
      assert.throws(() => decodeEmbeddings(hostile), refusedWith('MESSAGE_INVALID', /provider/))
    })

  it('further embeddings and context features are identical after a round trip, in parts of at most 512 KB', () => {
    const features: WireRecipe['features'] = [
      { kind: 'embedder', digest: 'e'.repeat(64), name: 'wide', dimension: 1024 },
      { kind: 'context', digest: 'f'.repeat(64), name: 'scene', dimension: 512 },
    ]
    const random = seededRandom(5)
    const halves = (length: number) => Uint16Array.from({ length }, () => Math.floor(random() * 65_536))
    const plain = output(40, 8)
    const segment: SegmentOutput = {
      ...plain,
      tracks: plain.tracks.map((track) => ({
        ...track,
        faces: track.faces.map((face) => ({
          ...face,
          extraEmbeddings: [{ embedder: 'e'.repeat(64), float16: halves(1024), norm: random() }],
        })),
      })),
      contexts: [{ encoder: 'f'.repeat(64), frames: 9, float16: halves(512) }],
    }
    assert.deepEqual(roundTrip(segment, { ...recipe, features }), segment)
    const messages = segmentMessages(segment, { recipe: { ...recipe, features }, source, plan, attempt: 'a' })
    // 40 tracks × 8 faces × 2 KB more than without.
    assert.ok(messages.length > segmentMessages(plain, { recipe, source, plan, attempt: 'a' }).length)
    for (const message of messages) {
      assert.ok(encodeMessage(message).byteLength <= maxMessageBytes)
      // An older worker must refuse it: it would drop these vectors.
      assert.equal(message.v, 2)
    }
    for (const message of segmentMessages(plain, { recipe, source, plan, attempt: 'a' }))
      assert.equal(message.v, 1, 'without them, older workers can read the messages')
  })

  it('context features that do not fit into a message are refused, with what to do', () => {
    const contexts = Array.from({ length: 20 }, () => ({
      ...{ encoder: 'f'.repeat(64), frames: 1 },
      float16: new Uint16Array(16_384),
    }))
    assert.throws(
      () => segmentMessages({ ...output(0, 0), contexts }, { recipe, source, plan, attempt: 'a' }),
      (error) =>
        error instanceof CameoError &&
        error.code === 'MESSAGE_TOO_LARGE' &&
        error.details?.remedy === 'fewer-contexts',
    )
  })

  it('a track that does not fit into a message is refused, with what to do', () => {
    assert.throws(
      () => segmentMessages(output(1, 500), { recipe, source, plan, attempt: 'a' }),
      (error) => error instanceof CameoError && error.code === 'MESSAGE_TOO_LARGE',
    )
  })

  it('a job is identical after a round trip', () => {
    assert.deepEqual(decodeJob(encodeMessage(job)), job)
    const segment: JobMessage = { ...job, kind: 'segment', plan, segment: 1 }
    assert.deepEqual(decodeJob(encodeMessage(segment)), segment)
  })

  it('an invalid message or another kind of message is MESSAGE_INVALID', () => {
    assert.equal(
      codeOf(() => decodeJob(null)),
      'MESSAGE_INVALID',
    )
    for (const value of [
      Buffer.from([0xc1]),
      Buffer.alloc(0),
      Buffer.from('{}'),
      encode(7),
      encode({ v: 1 }),
    ])
      assert.equal(
        codeOf(() => decodeJob(value)),
        'MESSAGE_INVALID',
      )
    assert.equal(
      codeOf(() => decodeEmbeddings(encodeMessage(job))),
      'MESSAGE_INVALID',
    )
  })

  it('every field is needed: without any one of them a message is invalid', () => {
    const whole = decode(encodeMessage({ ...job, kind: 'segment', plan, segment: 1 })) as Record<
      string,
      unknown
    >
    for (const field of Object.keys(whole)) {
      const rest = Object.fromEntries(Object.entries(whole).filter(([name]) => name !== field))
      assert.equal(
        codeOf(() => decodeJob(encode(rest))),
        'MESSAGE_INVALID',
        field,
      )
    }
  })

  it('a message of a newer version is refused as newer, whatever else is in it', () => {
    assert.equal(
      codeOf(() => decodeJob(encode({ v: 3, kind: 'new', of: 'course' }))),
      'MESSAGE_NEWER',
    )
  })

  it('describes the faults of a message in a few words, however many there are', () => {
    const value = encode({ v: 1, kind: 'tracks', tracks: Array.from({ length: 40_000 }, () => 1) })
    assert.throws(
      () => decodeEmbeddings(value),
      (error) => error instanceof CameoError && error.message.length < 1500,
    )
    const long = failureOf({ code: 'CLIP_STUCK', message: 'x'.repeat(1e6) })
    assert.ok(long.message.length < 2100)
  })

  it('a few bytes that announce lists of millions take no memory', () => {
    // Array headers of 2³² − 1 elements, nested in each other.
    const value = Buffer.concat(Array.from({ length: 40 }, () => Buffer.from([0xdd, 0xff, 0xff, 0xff, 0xff])))
    const before = process.memoryUsage().heapUsed
    assert.equal(codeOf(() => decodeJob(value)), 'MESSAGE_INVALID') // prettier-ignore
    assert.ok(process.memoryUsage().heapUsed - before < 50e6)
  })
})
