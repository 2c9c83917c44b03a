import { normTerm } from '../align/quality.js'
import { placeInClip, type ClipView } from './clip-view.js'
import { embedFurther } from '../embed/extra-embedders.js'
import { visibleTerm } from '../embed/hidden-face.js'
import type { FollowOptions } from './followed-face.js'
import type { Candidate, StretchFace, Stretch } from './stretch.js'
import type { Stages } from '../stages/load-pipeline.js'
import { encodeThumbnail } from '../image/thumbnail.js'
import { byQuality, pooledFace, spreadBest, type TrackFace } from './track-face.js'
import type { TrackOutput } from './segment.js'
import { unitOf } from '../data/embedding.js'

/** An uninterrupted stretch of one person. It never changes. */
export interface Tracklet {
  /** Id of the track that it is a part of; counts from 0 in a segment. */
  readonly trackId: number
  /** Times at which the face was seen, in order. */
  readonly timesS: readonly number[]
  /** At least one, in order of time. */
  readonly faces: readonly StretchFace[]
  readonly thumbnailJpeg: Uint8Array
  /** Quality of the picture that the thumbnail was made from. */
  readonly pictureQuality: number
}

/** Options for following and embedding the faces of a track. */
export function followOptions(stages: Stages, view: ClipView): FollowOptions {
  return {
    facesPerTrack: stages.settings.facesPerTrack,
    keepsCrops: hasFurther(stages),
    embed: (candidate) => embedFace(candidate, stages, view),
  }
}

/** Undefined if no face of the stretch could be embedded. */
export async function trackletOf(
  trackId: number,
  { timesS, faces, picture }: Stretch,
): Promise<Tracklet | undefined> {
  if (faces.length === 0 || picture === undefined) return undefined
  const thumbnailJpeg = await encodeThumbnail(picture.image)
  return { trackId, timesS, faces, thumbnailJpeg, pictureQuality: picture.quality }
}

/** Null if the embedding's norm is too low for a face. */
async function embedFace(
  { timeS, sample }: Candidate,
  { embedder, normRange, hiddenFaces }: Stages,
  view: ClipView,
): Promise<TrackFace | null> {
  const embedding = await embedder.embed(sample.alignedCrop)
  if (embedding.norm < (normRange?.low ?? 0)) return null
  return {
    timeS,
    ...placeInClip(sample, view),
    detectionScore: sample.detectionScore,
    quality:
      sample.quality * normTerm(embedding.norm, normRange) * visibleTerm(unitOf(embedding), hiddenFaces),
    embedding,
  }
}

/** Joins the tracklets of one person to a track: the best K faces of all of them, spread over their time. */
export async function joinTracklets(
  parts: readonly Tracklet[],
  number: number,
  stages: Stages,
): Promise<TrackOutput> {
  const inOrder = parts.flatMap((part) => part.faces).sort((a, b) => a.face.timeS - b.face.timeS)
  const best = spreadBest(inOrder, stages.settings.facesPerTrack, ({ face }) => face.quality).sort((a, b) =>
    byQuality(a.face, b.face),
  )
  const [top] = best
  const [pictured] = [...parts].sort((a, b) => b.pictureQuality - a.pictureQuality)
  if (top === undefined || pictured === undefined) throw new Error('a track has at least one face')
  const faces = await embedAgain(best, stages)
  return {
    number,
    spansS: joinSpans(parts.map(({ timesS }) => [timesS[0] ?? 0, timesS.at(-1) ?? 0] as const)),
    samples: parts.reduce((sum, { timesS }) => sum + timesS.length, 0),
    quality: top.face.quality,
    faces,
    descriptor: await stages.describer.describe(faces.map(pooledFace)),
    thumbnailJpeg: pictured.thumbnailJpeg,
  }
}

type Span = readonly [startS: number, endS: number]

/** In order, with overlapping spans joined: a tracklet may lie in a gap of another one. */
function joinSpans(spans: readonly Span[]): Span[] {
  const joined: Span[] = []
  for (const span of [...spans].sort(([a], [b]) => a - b)) {
    const last = joined.at(-1)
    if (last === undefined || span[0] > last[1]) joined.push(span)
    else joined[joined.length - 1] = [last[0], Math.max(last[1], span[1])]
  }
  return joined
}

async function embedAgain(faces: readonly StretchFace[], stages: Stages): Promise<TrackFace[]> {
  if (!hasFurther(stages)) return faces.map(({ face }) => face)
  const crops = faces.flatMap(({ alignedCrop }) => alignedCrop ?? [])
  const extra = await embedFurther(crops, furtherOf(stages))
  return faces.map(({ face }, i) => ({ ...face, extraEmbeddings: extra[i] ?? [] }))
}

const furtherOf = ({ encoders, mirrored }: Stages) => [...encoders.embedders, ...mirrored]
const hasFurther = (stages: Stages) => furtherOf(stages).length > 0
