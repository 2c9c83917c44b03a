import type { Settings } from '../../pipeline/recipe/recipe.js'
import type { MatchedRange } from './clip-match.js'

/** True if a person seen until `endS` and again from `startS` is assumed to be present in between. */
export type Adjacency = (endS: number, startS: number) => boolean

/** A stretch of a clip and the number of its frames that were examined. */
export interface LookedAt {
  readonly startS: number
  readonly endS: number
  readonly frames: number
}

/**
 * Ranges this close to each other are always one appearance, in seconds: the person turned the head, or a segment
 * ended.
 */
const joinGapS = 1
/** For frames that are farther apart, in sampling steps: reaches the next frame, even if its time is rounded. */
const joinSteps = 1.5
/** Encoders place key frames freely, so the first one after a segment may be late. */
const joinStepsAtBorder = 3

/**
 * @param segments of the clip, in order. Called only if key frames were sampled, because their distance is not known.
 */
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

/** Like `areAdjacent`, but false across a stretch that could not be decoded. @param gaps in seconds */
export function acrossNoGap(
  areAdjacent: Adjacency,
  gaps: readonly (readonly [startS: number, endS: number])[],
): Adjacency {
  return (endS, startS) =>
    areAdjacent(endS, startS) && !gaps.some((gap) => gap[0] >= endS && gap[1] <= startS)
}

/** Joins adjacent ranges. The joined range has the id and the score of its best track. */
export function joinRanges(ranges: readonly MatchedRange[], areAdjacent: Adjacency): MatchedRange[] {
  const joined: MatchedRange[] = []
  for (const range of [...ranges].sort((a, b) => a.startS - b.startS || a.endS - b.endS)) {
    const last = joined.at(-1)
    if (last === undefined || !areAdjacent(last.endS, range.startS)) {
      joined.push(range)
      continue
    }
    const better = range.score > last.score ? range : last
    const isConfirmed = range.confirmed === true || last.confirmed === true
    joined[joined.length - 1] = {
      ...{ ...better, startS: last.startS, endS: Math.max(last.endS, range.endS) },
      ...(isConfirmed ? { confirmed: true as const } : {}),
    }
  }
  return joined
}
