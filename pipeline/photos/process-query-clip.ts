import { CameoError } from '../common/errors.js'
import { clipName } from '../common/display-name.js'
import { planSegments } from '../segments/plan-segments.js'
import { processClip } from '../segments/process-clip.js'
import { mergeSimilarity } from '../segments/segment-builder.js'
import { segmentLengthS } from '../recipe/recipe.js'
import type { Stages } from '../stages/load-pipeline.js'
import { mergeTracklets } from '../track/merge.js'
import { byQuality, pooledFace, pooledVector } from '../segments/track-face.js'
import type { TrackOutput } from '../segments/segment.js'

/** A person in a clip, and the size of the clip's picture, to which the boxes of faces refer. */
export interface Person extends TrackOutput {
  readonly frame: { readonly widthPx: number; readonly heightPx: number }
}

/**
 * The people in a clip that is not in the archive, most present first. A long clip is processed in segments, as in an
 * ingest, so that memory holds the pixels of only one segment. Then the tracks of each person are joined.
 * @param onProgress called with the time reached and the clip's length, s
 * @throws CLIP_*, like `processClip`; INTERRUPTED if the signal stops it
 */
export async function peopleOfClip(
  path: string,
  stages: Stages,
  onProgress?: (timeS: number, durationS: number | undefined) => void,
  signal?: AbortSignal,
): Promise<Person[]> {
  const lengthS = segmentLengthS(stages.settings)
  let durationS: number | undefined
  let frame = { widthPx: 0, heightPx: 0 }
  const outputs = processClip(
    {
      ...{ path, startS: 0, endS: Infinity, seek: 'fast' },
      async plan(info) {
        const plan = await planSegments(path, info, lengthS)
        durationS = plan.durationS
        frame = { widthPx: info.sourceWidthPx, heightPx: info.sourceHeightPx }
        return plan.segments
      },
      onFrame: (timeS) => onProgress?.(timeS, durationS),
      ...(signal === undefined ? {} : { signal }),
    },
    stages,
  )
  const segments: (readonly TrackOutput[])[] = []
  for await (const { tracks } of outputs) segments.push(tracks)
  const people = segments.length === 1 ? segments.flat() : await joinTracks(segments.flat(), stages)
  return people.sort((a, b) => presence(b) - presence(a)).map((person) => ({ ...person, frame }))
}

/**
 * Joins tracks as tracklets of a segment are joined: the best K faces of all of a person's tracks, with a new
 * descriptor.
 */
async function joinTracks(tracks: readonly TrackOutput[], stages: Stages): Promise<TrackOutput[]> {
  const { describer, settings } = stages
  const groups = mergeTracklets(
    tracks.map(({ spansS, faces }) => ({
      seenS: spansS,
      vector: pooledVector(faces),
      weight: faces.length,
    })),
    { minSimilarity: mergeSimilarity },
  )
  const people: TrackOutput[] = []
  for (const group of groups) {
    const parts = group.flatMap((index) => tracks[index] ?? []).sort((a, b) => b.quality - a.quality)
    const [best] = parts
    if (best === undefined) continue
    const faces = parts
      .flatMap((part) => part.faces)
      .sort(byQuality)
      .slice(0, settings.facesPerTrack)
    people.push({
      ...{ number: people.length, faces },
      spansS: parts.flatMap(({ spansS }) => spansS).sort(([a], [b]) => a - b),
      samples: parts.reduce((sum, { samples }) => sum + samples, 0),
      quality: best.quality,
      descriptor: await describer.describe(faces.map(pooledFace)),
      thumbnailJpeg: best.thumbnailJpeg,
    })
  }
  return people
}

/** How much a clip shows a person: time on screen times the height of the face. */
export function presence(track: {
  readonly samples: number
  readonly faces: readonly { readonly boxXyxyPx: readonly number[] }[]
}): number {
  const heights = track.faces.map(({ boxXyxyPx: [, y1 = 0, , y2 = 0] }) => y2 - y1)
  const mean = heights.reduce((sum, height) => sum + height, 0) / Math.max(1, heights.length)
  return track.samples * mean
}

/** The person with the longest and largest appearance. Throws QUERY_NO_TRACK. */
export function mainPerson(people: readonly Person[], path: string): Person {
  const [main] = people
  if (main !== undefined) return main
  throw new CameoError(
    'QUERY_NO_TRACK',
    `no face was found in the clip ${clipName(path)}: use a clip in which a person is seen`,
  )
}
