import { z } from 'zod'
import { maxSegments, maxTimeS } from '../../pipeline/common/limits.js'
import { parseColumn } from '../store/json-column.js'
import { iou, type BoxXyxyPx } from '../../pipeline/data/geometry.js'

/** Spans and faces that a place keeps at most; more say nothing new. */
const maxSpans = 256
const maxFaces = 5

const timeS = z.number().min(-maxTimeS).max(maxTimeS)

/**
 * Where a track is in its clip. It holds no face data. It finds the track again when the clip was processed again, also
 * with other models or settings.
 */
export const trackPlaceSchema = z.object({
  /** Digest of the recipe with which the track was found, its segment, and its number there. */
  recipe: z.string().min(1).max(256),
  segment: z.int().min(0).max(maxSegments),
  number: z.int().min(0),
  /** When the person is seen. */
  spansS: z
    .array(z.tuple([timeS, timeS]))
    .min(1)
    .max(maxSpans),
  /** Some of its faces, best first: when, and where in the picture. */
  faces: z.array(z.object({ timeS, boxXyxyPx: z.tuple([z.number(), z.number(), z.number(), z.number()]) })).max(maxFaces), // prettier-ignore
})

export type TrackPlace = Readonly<z.infer<typeof trackPlaceSchema>>

/** The column `place` of a correction. @throws ARCHIVE_DAMAGED */
export const parsePlace = (column: string): TrackPlace =>
  parseColumn(trackPlaceSchema, column, 'place of a correction')

interface PlacedFace {
  readonly timeS: number
  readonly boxXyxyPx: BoxXyxyPx
}

/** A track that may be the one that a place means. */
export interface PlacedCandidate {
  readonly recipe: string
  readonly segment: number
  readonly number: number
  readonly spansS: readonly (readonly [startS: number, endS: number])[]
  /** Best first. Called only if it is needed. */
  readonly faces: () => readonly PlacedFace[]
}

/** The place of a track. */
export function placeOf({ recipe, segment, number, spansS, faces }: PlacedCandidate): TrackPlace {
  return {
    ...{ recipe, segment, number },
    spansS: spansS.slice(0, maxSpans).map(([startS, endS]) => [startS, endS]),
    faces: faces()
      .slice(0, maxFaces)
      .map(({ timeS, boxXyxyPx: [x1, y1, x2, y2] }) => ({ timeS, boxXyxyPx: [x1, y1, x2, y2] })),
  }
}

/** Faces at most this far apart in time can be compared by their boxes, s. */
const nearS = 1
/** Boxes of one face, found by two detectors, overlap by more. */
const sameFaceIou = 0.2

/**
 * The tracks at a place: while a clip is processed again with another recipe, it has tracks of both, and so at most one
 * of each.
 */
export function tracksAt<Track extends PlacedCandidate>(
  place: TrackPlace,
  tracks: readonly Track[],
): Track[] {
  const recipes = [...new Set(tracks.map(({ recipe }) => recipe))]
  return recipes.flatMap(
    (recipe) =>
      trackAt(
        place,
        tracks.filter((track) => track.recipe === recipe),
      ) ?? [],
  )
}

/**
 * The track at a place. If the recipe is still the same, the one with its segment and number. Otherwise, the one whose
 * faces lie where the place says; if no faces can be compared, the one that is seen longest at the same times.
 * @param tracks of one recipe
 */
function trackAt<Track extends PlacedCandidate>(
  place: TrackPlace,
  tracks: readonly Track[],
): Track | undefined {
  if (tracks[0]?.recipe === place.recipe)
    return tracks.find(({ segment, number }) => segment === place.segment && number === place.number)
  const rated = tracks
    .map((track) => ({ track, sharedS: sharedS(place.spansS, track.spansS) }))
    .filter(({ sharedS }) => sharedS !== undefined)
    .map(({ track, sharedS = 0 }) => ({ track, sharedS, likeness: likeness(place.faces, track.faces()) }))
  const [best] = rated.sort(
    (a, b) =>
      (b.likeness ?? 0) - (a.likeness ?? 0) || b.sharedS - a.sharedS || a.track.number - b.track.number,
  )
  // Faces that were compared, and lie elsewhere, are somebody else's.
  return best?.likeness !== undefined && best.likeness < sameFaceIou ? undefined : best?.track
}

/** Seconds that both are seen; undefined if never. A moment that both share counts as 0 s. */
function sharedS(a: TrackPlace['spansS'], b: PlacedCandidate['spansS']): number | undefined {
  const shared = a.flatMap(([start, end]) =>
    b.flatMap(([otherStart, otherEnd]) => {
      const lengthS = Math.min(end, otherEnd) - Math.max(start, otherStart)
      return lengthS < 0 ? [] : [lengthS]
    }),
  )
  return shared.length === 0 ? undefined : shared.reduce((sum, lengthS) => sum + lengthS, 0)
}

/** The largest overlap of two faces at about the same time, 0..1. Undefined if no two faces are. */
function likeness(a: readonly PlacedFace[], b: readonly PlacedFace[]): number | undefined {
  const overlaps = a.flatMap((face) =>
    b.flatMap((other) =>
      Math.abs(face.timeS - other.timeS) <= nearS ? [iou(face.boxXyxyPx, other.boxXyxyPx)] : [],
    ),
  )
  return overlaps.length === 0 ? undefined : Math.max(...overlaps)
}
