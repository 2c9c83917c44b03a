import { parseBox, parseSpans } from '../store/clip-columns.js'
import {
  deleteAnchorsWithoutClip,
  fillAnchor,
  isProcessed,
  leaveAnchor,
  placedTracks,
  waitingAnchors,
  type PlacedTrack,
  type TrackPlace,
} from '../store/people-anchors.js'
import type { Database } from '../store/sqlite.js'
import { inTransaction } from '../store/transaction.js'

/** Share of time that two tracks have in common, from which they may be the same appearance. */
const leastCommonTime = 0.5

/**
 * After clips were processed again: gives people the tracks that are where theirs were, and corrections the tracks that they were
 * about. Where no such track is found, the person loses it.
 */
export function findTracksAgain(database: Database, recipe: string): void {
  inTransaction(database, () => {
    deleteAnchorsWithoutClip(database)
    let clip: { readonly id: string; readonly tracks: readonly PlacedTrack[] } | undefined
    for (const anchor of waitingAnchors(database)) {
      if (clip?.id !== anchor.clipId)
        clip = { id: anchor.clipId, tracks: placedTracks(database, anchor.clipId, recipe) }
      const found = sameAppearance(anchor, clip.tracks)
      if (found !== undefined) fillAnchor(database, anchor, found.trackId)
      else if (anchor.personId !== null && isProcessed(database, clip.id, recipe))
        leaveAnchor(database, anchor.anchorId)
    }
  })
}

/**
 * The track that is the same appearance as one before: the same number with the same times, else the one that has most time in
 * common, and its best face in the same place.
 */
export function sameAppearance<Track extends TrackPlace>(
  place: TrackPlace,
  tracks: readonly Track[],
): Track | undefined {
  const same = tracks.find(
    ({ recipe, segment, number, spans }) =>
      recipe === place.recipe &&
      segment === place.segment &&
      number === place.number &&
      spans === place.spans,
  )
  if (same !== undefined) return same
  let best: { readonly track: Track; readonly likeness: number } | undefined
  for (const track of tracks) {
    const time = commonTime(parseSpans(place.spans), parseSpans(track.spans))
    if (time < leastCommonTime) continue
    const likeness = time + commonArea(place.box, track.box)
    if (best === undefined || likeness > best.likeness) best = { track, likeness }
  }
  return best?.track
}

type Spans = ReturnType<typeof parseSpans>

/** Length of one sampled frame, so that a track of one frame has a length. */
const instantS = 0.001

/** Common time divided by the time of both together. */
function commonTime(a: Spans, b: Spans): number {
  const lengthOf = (spans: Spans) => spans.reduce((sum, [startS, endS]) => sum + endS - startS + instantS, 0)
  const common = a.reduce(
    (sum, [startS, endS]) =>
      sum +
      b.reduce(
        (own, [otherS, otherEndS]) =>
          own + Math.max(0, Math.min(endS, otherEndS) - Math.max(startS, otherS) + instantS),
        0,
      ),
    0,
  )
  return common / (lengthOf(a) + lengthOf(b) - common)
}

/** Common area divided by the area of both together; 0 where a box is not known. */
function commonArea(a: string | null, b: string | null): number {
  if (a === null || b === null) return 0
  const [[ax1, ay1, ax2, ay2], [bx1, by1, bx2, by2]] = [parseBox(a), parseBox(b)]
  const common =
    Math.max(0, Math.min(ax2, bx2) - Math.max(ax1, bx1)) *
    Math.max(0, Math.min(ay2, by2) - Math.max(ay1, by1))
  const all = (ax2 - ax1) * (ay2 - ay1) + (bx2 - bx1) * (by2 - by1) - common
  return all <= 0 ? 0 : common / all
}
