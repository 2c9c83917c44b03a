import type { Settings } from '../../pipeline/recipe/recipe.js'
import type { MatchedRange } from './clip-match.js'

/** True where a person who was seen until `endS` and again from `startS` on was there all the time, as far as was looked. */
export type Adjacency = (endS: number, startS: number) => boolean

/** A stretch of a clip of which this many frames were looked at. */
export interface LookedAt {
  readonly startS: number
  readonly endS: number
  readonly frames: number
}

/** This near to each other ranges are one appearance in any case, s: a turn of the head, a segment's border. */
const joinGapS = 1
/** Where frames are farther apart: the next one, however its time is rounded. */
const joinSteps = 1.5
/** Encoders set key frames as they like: the one after a segment's last may be late. */
const joinStepsAtBorder = 3

/** @param segments of the clip, in order; asked for where key frames were taken, for of these the distance is not known */
export function adjacencyOf(sampling: Settings['sampling'], segments: () => readonly LookedAt[]): Adjacency {
  if (sampling.kind === 'fps') return within(joinSteps / sampling.fps)
  const looked = segments().filter(({ frames }) => frames > 0)
  const stepS = Math.max(0, ...looked.map(({ startS, endS, frames }) => (endS - startS) / frames))
  const isNear = within(joinSteps * stepS)
  const isNearAtBorder = within(joinStepsAtBorder * stepS)
  return (endS, startS) =>
    isNear(endS, startS) ||
    (isNearAtBorder(endS, startS) && looked.some((next) => endS < next.startS && next.startS <= startS))
}

const within =
  (gapS: number): Adjacency =>
  (endS, startS) =>
    startS - endS <= Math.max(joinGapS, gapS)

/** As `areAdjacent`, but nobody was seen where the clip could not be decoded. @param gaps s */
export function acrossNoGap(
  areAdjacent: Adjacency,
  gaps: readonly (readonly [startS: number, endS: number])[],
): Adjacency {
  return (endS, startS) =>
    areAdjacent(endS, startS) && !gaps.some((gap) => gap[0] >= endS && gap[1] <= startS)
}

/** Joins ranges that touch or nearly so; the joined one is named after its best track. */
export function joinRanges(ranges: readonly MatchedRange[], areAdjacent: Adjacency): MatchedRange[] {
  const joined: MatchedRange[] = []
  for (const range of [...ranges].sort((a, b) => a.startS - b.startS || a.endS - b.endS)) {
    const last = joined.at(-1)
    if (last === undefined || !areAdjacent(last.endS, range.startS)) {
      joined.push(range)
      continue
    }
    const better = range.score > last.score ? range : last
    joined[joined.length - 1] = { ...better, startS: last.startS, endS: Math.max(last.endS, range.endS) }
  }
  return joined
}
