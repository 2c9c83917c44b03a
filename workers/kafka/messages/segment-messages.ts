import type { FileStamp } from '../../../index/store/file-facts.js'
import { toBlob, toFloat32, toUint16 } from '../../../index/store/blobs.js'
import type { FaceEmbeddings } from '../../../pipeline/describe/pooled-input.js'
import { CameoError } from '../../../pipeline/common/errors.js'
import type { Landmarks5Px } from '../../../pipeline/data/geometry.js'
import type { TrackFace } from '../../../pipeline/segments/track-face.js'
import { maxMessageBytes } from '../broker/topics.js'
import {
  failureOf,
  versionFor,
  type ClipSource,
  type ClosingMessage,
  type GivenUpMessage,
  type TracksMessage,
  type WireDescribedTrack,
  type WirePlan,
  type WireRecipe,
  type WireTrack,
} from './schemas.js'
import type { SegmentOutput, SegmentSpan, TrackOutput } from '../../../pipeline/segments/segment.js'

/** Shared by all messages about one attempt at a clip's segments. */
export interface SegmentContext {
  readonly recipe: WireRecipe
  readonly source: ClipSource
  readonly plan: WirePlan
  readonly attempt: string
}

/**
 * A segment's tracks in parts of at most 512 KB, and the closing message that makes them count.
 * @throws MESSAGE_TOO_LARGE if a single track does not fit
 */
export function segmentMessages(
  output: SegmentOutput,
  { recipe, source, plan, attempt }: SegmentContext,
): [...TracksMessage[], ClosingMessage] {
  const about = {
    v: versionFor(recipe),
    recipe,
    source,
    clipId: plan.clipId,
    segment: output.segment.index,
    attempt,
  } as const
  const parts = inParts(output.tracks).map((tracks, part): TracksMessage => ({
    ...about,
    kind: 'tracks',
    part,
    tracks: tracks.map(wireTrack),
  }))
  const { startS, endS } = output.segment
  const contexts = output.contexts?.map(({ encoder, frames, float16 }) => ({
    ...{ encoder, frames },
    vector: toBlob(float16),
  }))
  checkContexts(contexts ?? [])
  return [
    ...parts,
    {
      ...about,
      kind: 'closing',
      parts: parts.length,
      tracks: output.tracks.length,
      plan,
      startS,
      ...openEnd(endS),
      frames: output.frames,
      faces: output.faces,
      truncated: output.truncated,
      provider: output.provider,
      ...(output.gapsS === undefined ? {} : { gapsS: output.gapsS.map(([from, to]) => [from, to]) }),
      ...(contexts === undefined ? {} : { contexts }),
    },
  ]
}

function checkContexts(contexts: readonly { readonly vector: Uint8Array }[]): void {
  const bytes = contexts.reduce((sum, { vector }) => sum + vector.byteLength + 300, overheadBytes)
  if (bytes > maxMessageBytes)
    throw new CameoError(
      'MESSAGE_TOO_LARGE',
      `the context features of a segment take ${bytes} bytes, a message at most ${maxMessageBytes}; use fewer context encoders`,
      { details: { remedy: 'fewer-contexts', bytes, maxBytes: maxMessageBytes } },
    )
}

/** Room for everything in a message except its tracks. */
const overheadBytes = 4096

function inParts(tracks: readonly TrackOutput[]): TrackOutput[][] {
  const parts: TrackOutput[][] = []
  let bytes = Infinity
  for (const track of tracks) {
    const own = wireBytes(track)
    if (own + overheadBytes > maxMessageBytes)
      throw new CameoError(
        'MESSAGE_TOO_LARGE',
        `a track takes ${own} bytes, a message up to ${maxMessageBytes}; embed fewer faces per track, or use fewer embedders`,
        { details: { remedy: 'fewer-faces', bytes: own, maxBytes: maxMessageBytes } },
      )
    if (bytes + own > maxMessageBytes) {
      parts.push([])
      bytes = overheadBytes
    }
    parts.at(-1)?.push(track)
    bytes += own
  }
  return parts
}

/**
 * Upper bound of a track's MessagePack bytes, with its later descriptor: 9 bytes per number, and a generous
 * size for names.
 */
function wireBytes({ faces, spansS, thumbnailJpeg, descriptor }: TrackOutput): number {
  const faceBytes = faces.reduce((sum, face) => sum + embeddingBytes(face), 0)
  return faceBytes + 20 * spansS.length + thumbnailJpeg.byteLength + descriptor.byteLength + 300
}

function embeddingBytes({ embedding, extraEmbeddings = [] }: TrackFace): number {
  const vectors = [embedding, ...extraEmbeddings]
  return vectors.reduce((sum, { float16 }) => sum + float16.byteLength + 300, 0)
}

function wireTrack({ number, spansS, samples, quality, faces, thumbnailJpeg }: TrackOutput): WireTrack {
  return {
    number,
    spansS: spansS.map(([startS, endS]) => [startS, endS]),
    samples,
    quality,
    faces: faces.map((face) => ({
      timeS: face.timeS,
      boxXyxyPx: [...face.boxXyxyPx],
      landmarksPx: face.landmarksPx.flatMap(({ x, y }) => [x, y]),
      detectionScore: face.detectionScore,
      quality: face.quality,
      norm: face.embedding.norm,
      vector: toBlob(face.embedding.float16),
      ...(face.extraEmbeddings === undefined
        ? {}
        : {
            extraEmbeddings: face.extraEmbeddings.map(({ embedder, norm, float16 }) => ({
              ...{ embedder, norm },
              vector: toBlob(float16),
            })),
          }),
    })),
    thumbnailJpeg,
  }
}

/** The input of the describe stage's pooling. */
export function faceEmbeddings({ faces }: WireTrack): FaceEmbeddings[] {
  return faces.map(({ vector, quality, extraEmbeddings = [] }) => ({
    ...{ float16: toUint16(vector), quality },
    extraEmbeddings: extraEmbeddings.map((extra) => ({
      embedder: extra.embedder,
      float16: toUint16(extra.vector),
    })),
  }))
}

/** The segment in the pipeline's format, with the described tracks of its parts. */
export function segmentOutput(closing: ClosingMessage, tracks: readonly WireDescribedTrack[]): SegmentOutput {
  const { segment: index, startS, endS = Infinity, frames, faces, truncated, provider } = closing
  return {
    segment: { index, startS, endS },
    tracks: tracks.map(trackOutput),
    ...{ frames, faces, truncated, provider },
    ...(closing.gapsS === undefined ? {} : { gapsS: closing.gapsS }),
    ...(closing.contexts === undefined
      ? {}
      : {
          contexts: closing.contexts.map(({ encoder, frames, vector }) => ({
            ...{ encoder, frames },
            float16: toUint16(vector),
          })),
        }),
  }
}

function trackOutput(track: WireDescribedTrack): TrackOutput {
  const { number, spansS, samples, quality, thumbnailJpeg } = track
  return {
    ...{ number, spansS, samples, quality, thumbnailJpeg },
    faces: track.faces.map((face): TrackFace => ({
      timeS: face.timeS,
      boxXyxyPx: face.boxXyxyPx,
      landmarksPx: landmarksOf(face.landmarksPx),
      detectionScore: face.detectionScore,
      quality: face.quality,
      embedding: { float16: toUint16(face.vector), norm: face.norm },
      ...(face.extraEmbeddings === undefined
        ? {}
        : {
            extraEmbeddings: face.extraEmbeddings.map(({ embedder, norm, vector }) => ({
              ...{ embedder, norm },
              float16: toUint16(vector),
            })),
          }),
    })),
    descriptor: toFloat32(track.descriptor),
  }
}

function landmarksOf(values: readonly number[]): Landmarks5Px {
  const point = (i: number) => ({ x: values[2 * i] ?? 0, y: values[2 * i + 1] ?? 0 })
  return [point(0), point(1), point(2), point(3), point(4)]
}

export interface GivenUp {
  readonly recipe: WireRecipe
  readonly source: ClipSource
  readonly error: CameoError
  readonly attempts: number
  readonly stamp?: FileStamp | undefined
  readonly clipId?: string | undefined
  readonly plan?: WirePlan | undefined
  readonly segments: readonly SegmentSpan[]
}

export function givenUpMessage({ error, segments, ...about }: GivenUp): GivenUpMessage {
  return {
    v: versionFor(about.recipe),
    kind: 'given-up',
    ...about,
    failure: failureOf(error),
    segments: segments.map(({ index, startS, endS }) => ({ index, startS, ...openEnd(endS) })),
  }
}

/** The head of a recipe or of a worker, for error messages. */
export const headName = (sha256: string | undefined) =>
  sha256 === undefined ? 'no head' : `the head ${sha256.slice(0, 12)}`

const openEnd = (endS: number) => (Number.isFinite(endS) ? { endS } : {})
