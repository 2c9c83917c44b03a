/**
 * Converts a segment in progress to bytes and back without loss: every number keeps its type in memory, float16,
 * float32 or float64.
 */
import { decode, encode, ExtensionCodec } from '@msgpack/msgpack'
import { z } from 'zod'
import type { Stretch, Window } from './stretch.js'
import type { SegmentState } from './segment-builder.js'
import type { FrameFeatures } from '../track/shot-cut.js'
import type { LiveTrack } from '../track/live-track.js'
import type { Tracklet } from './tracklet.js'

const codec = new ExtensionCodec()
for (const [type, TypedArray] of [Float64Array, Float32Array, Uint16Array].entries())
  codec.register({
    type,
    encode: (value) =>
      value instanceof TypedArray ? new Uint8Array(value.buffer, value.byteOffset, value.byteLength) : null,
    // A copy, because the bytes may not be aligned within the message.
    decode: (bytes) => new TypedArray(Uint8Array.from(bytes).buffer),
  })

/** `forceIntegerToFloat` keeps −0. */
const encodeOptions = { extensionCodec: codec, ignoreUndefined: true, forceIntegerToFloat: true }

export const toBytes = (value: unknown): Uint8Array => encode(value, encodeOptions)

/** @throws if the bytes are not MessagePack or do not fit the schema */
export function fromBytes<T>(schema: z.ZodType<T>, bytes: Uint8Array): T {
  return schema.parse(decode(bytes, { extensionCodec: codec }))
}

const count = z.int().min(0)
const number = z.number()
const bytes = z.custom<Uint8Array>((value) => value instanceof Uint8Array)
const float16 = z.custom<Uint16Array>((value) => value instanceof Uint16Array)
const float32 = z.custom<Float32Array>((value) => value instanceof Float32Array)
const float64 = z.custom<Float64Array>((value) => value instanceof Float64Array)
const box = z.tuple([number, number, number, number])
const point = z.object({ x: number, y: number })
const landmarks = z.tuple([point, point, point, point, point])

const image = z
  .object({ width: count, height: count, data: bytes })
  .refine(
    ({ width, height, data }) => data.byteLength === width * height * 3,
    'an image has too few or too many pixels',
  )

const frameFeatures = z.object({
  blocks: float64,
  colours: float64,
  chroma: float64,
})

const face = z.object({
  timeS: number,
  boxXyxyPx: box,
  landmarksPx: landmarks,
  detectionScore: number,
  quality: number,
  embedding: z.object({ float16, norm: number }),
})

const embeddedFace = z.object({ face, alignedCrop: image.optional() })

const tracklet = z.object({
  trackId: count,
  timesS: z.array(number),
  faces: z.array(embeddedFace).min(1),
  thumbnailJpeg: bytes,
  pictureQuality: number,
})

const candidate = z.object({
  timeS: number,
  sample: z.object({
    boxXyxyPx: box,
    detectionScore: number,
    landmarksPx: landmarks,
    quality: number,
    alignedCrop: image,
  }),
})

const picture = z.object({ timeS: number, quality: number, image }).optional()

const window = z
  .object({ looks: z.array(candidate.extend({ face: face.nullish() })), picture, patch: float32.optional() })
  .transform((value): Window => ({ ...value, picture: value.picture }))

const followed = z.object({
  trackId: count,
  stretch: z
    .object({
      timesS: z.array(number),
      faces: z.array(embeddedFace),
      candidates: z.array(candidate),
      picture,
    })
    .transform((value): Stretch => ({ ...value, picture: value.picture })),
  before: window,
  window,
  patch: float32.optional(),
})

const axis = z.object({
  ...{ position: number, velocity: number },
  ...{ varPosition: number, covariance: number, varVelocity: number },
})

/**
 * Values per observation: time, box and score. The track of a face that stays in view has thousands of observations.
 */
const observationLength = 6

const observations = float64
  .refine(({ length }) => length % observationLength === 0, 'an observation is incomplete')
  .transform((values) =>
    Array.from({ length: values.length / observationLength }, (_, i) => {
      const [timeS = 0, x1 = 0, y1 = 0, x2 = 0, y2 = 0, score = 0] = values.subarray(i * observationLength)
      return { timeS, box: [x1, y1, x2, y2] as const, score, payload: undefined }
    }),
  )

const liveTrack = z
  .object({
    id: count,
    observations,
    motion: z.object({ x: axis, y: axis, logSize: axis, logAspect: axis }),
    looks: z.object({ last: float32, mean: float32 }).optional(),
    lastS: number,
    missedFrames: count,
  })
  .transform((track): LiveTrack<undefined> => ({ ...track, looks: track.looks }))

const segmentState = z.object({
  frames: count,
  faces: count,
  plausibility: number,
  tracker: z.object({
    live: z.array(liveTrack),
    nextId: count,
    lastFrameS: number.optional(),
    lastImage: frameFeatures.optional(),
  }),
  followed: z.array(followed),
  context: z
    .object({
      intervalS: number,
      originS: number.optional(),
      kept: z.array(z.object({ timeS: number, value: z.array(image) })),
    })
    .optional(),
})

/** The position of a checkpoint, and what it belongs to. */
const envelope = z.object({
  format: z.literal(2),
  recipe: z.string(),
  provider: z.string(),
  segment: count,
  /** The quarter turns of its frames. */
  turns: z.literal([0, 1, 2, 3]),
  /** Sizes of the frames; a segment's faces are cropped from frames of one size. */
  sizes: z.object({ widthPx: count, heightPx: count, sourceWidthPx: count, sourceHeightPx: count }),
  /** The last frame: the one that must be found again. */
  last: z.object({ timeS: number, image: frameFeatures }),
  /** The decoder's range; without an end, it goes to the end of the clip. */
  seek: z.enum(['fast', 'fromStart']),
  endS: number.optional(),
  /** What the decoder found up to that frame. */
  before: z.object({
    longestGapS: number,
    isCutOff: z.boolean(),
    gapsS: z
      .array(z.tuple([number, number]).readonly())
      .readonly()
      .optional(),
  }),
  /** SHA-256 of each part, in order. */
  parts: z.array(z.string()),
  state: segmentState,
})

const trackletList = z.array(tracklet)

export type Envelope = Omit<z.output<typeof envelope>, 'state'> & { readonly state: StateWithoutTracklets }

/** Tracklets never change: they are written once, as parts. */
type StateWithoutTracklets = Omit<SegmentState, 'tracklets'>

export function encodeEnvelope({ state, ...rest }: Envelope): Uint8Array {
  const { tracker } = state
  const live = tracker.live.map((track) => ({ ...track, observations: packed(track) }))
  return toBytes({ ...rest, state: { ...state, tracker: { ...tracker, live } } })
}

export const decodeEnvelope = (content: Uint8Array): Envelope => fromBytes(envelope, content)

export const encodeTracklets = (tracklets: readonly Tracklet[]): Uint8Array => toBytes(tracklets)
export const decodeTracklets = (content: Uint8Array): Tracklet[] => fromBytes(trackletList, content)

function packed({ observations }: LiveTrack<undefined>): Float64Array {
  const values = new Float64Array(observations.length * observationLength)
  for (const [i, { timeS, box, score }] of observations.entries())
    values.set([timeS, ...box, score], i * observationLength)
  return values
}

/** True if they are bit-identical, as for the same picture. */
export function isSameImage(a: FrameFeatures, b: FrameFeatures): boolean {
  const isEqual = (x: Float64Array, y: Float64Array) =>
    x.length === y.length && x.every((value, i) => value === y[i])
  return isEqual(a.blocks, b.blocks) && isEqual(a.colours, b.colours) && isEqual(a.chroma, b.chroma)
}
