/** How far a clip was examined, and what is wrong with it. A clip may have several states. */
export const coverageStates = [
  /** The whole clip was examined. */
  'complete',
  /** An ingest stopped before the end of the clip, or before it started the clip. */
  'unfinished',
  /** No part of it could be read. */
  'failed',
  /** Some of its segments failed. */
  'partial',
  /** The end of the file is missing. */
  'truncated',
  /** Stretches of it could not be decoded. */
  'damaged',
  /** Some of its content is never examined, for example a second video stream. */
  'left-out',
  /** It was erased by `forget`. Its file was found again and skipped. */
  'forgotten',
  /** It was examined, and no face was found. */
  'face-less',
  /** People without names were erased from it because of their age: no search finds them. */
  'unnamed-erased',
  /** None of its files exists at its path. */
  'missing',
] as const

/** The state of a clip. */
export type CoverageState = (typeof coverageStates)[number]

/** A stretch that was not examined, in seconds. `endS` is undefined if the end of the clip is not known. */
export interface UnseenRange {
  readonly startS: number
  readonly endS: number | undefined
  readonly state: Extract<CoverageState, 'unfinished' | 'partial' | 'truncated' | 'damaged'>
  readonly code?: string | undefined
  readonly message?: string | undefined
}

/** A run over a clip, as it is stored. */
export interface RunFacts {
  readonly durationS: number | undefined
  /** Number of segments. */
  readonly segments: number
  readonly state: 'working' | 'done' | 'partial'
  readonly truncated: boolean
  /** Segment length of the recipe: segment k begins at k times this. */
  readonly segmentLengthS: number | undefined
  /** Examined frames per second of video. Undefined if key frames were sampled. */
  readonly framesPerS: number | undefined
  /** The stored segments, in order. */
  readonly stored: readonly SegmentFacts[]
}

export interface SegmentFacts {
  readonly index: number
  readonly startS: number
  /** Undefined for the last segment of a clip. */
  readonly endS: number | undefined
  readonly state: 'done' | 'failed'
  readonly frames: number
  readonly truncated: boolean
  readonly code?: string | undefined
  readonly message?: string | undefined
  /** Stretches that could not be decoded, s. */
  readonly gapsS: readonly (readonly [startS: number, endS: number])[]
  /** Time at which a face was last seen. Undefined if no face was seen. */
  readonly lastFaceS: number | undefined
}

/**
 * A file that ends early by at most this is not reported as truncated, in seconds. The cause may be a sampling step
 * or a still last frame.
 */
const endToleranceS = 2

/** The stretches of a clip that a run did not examine, in order. Stretches of the same kind that touch are joined. */
export function unseenRanges(run: RunFacts): UnseenRange[] {
  const byIndex = new Map(run.stored.map((segment) => [segment.index, segment]))
  const lengthS = run.segmentLengthS ?? lengthOf(run.stored)
  const ranges: UnseenRange[] = []
  for (let index = 0; index < run.segments; index++) {
    const segment = byIndex.get(index)
    if (segment !== undefined) ranges.push(...unseenOf(segment, run))
    else {
      const endS = index + 1 === run.segments ? run.durationS : (index + 1) * (lengthS ?? 0)
      ranges.push({ startS: index * (lengthS ?? 0), endS, state: 'unfinished' })
    }
  }
  return joined(ranges)
}

function unseenOf(segment: SegmentFacts, run: RunFacts): UnseenRange[] {
  const { startS, state, code, message, gapsS } = segment
  const endS = segment.endS ?? run.durationS
  if (state === 'failed') return [{ startS, endS, state: 'partial', code, message }]
  const untilS = run.truncated ? cutOffAt(segment, run) : undefined
  const limitS = Math.min(endS ?? Infinity, untilS ?? Infinity)
  const gaps = gapsS
    .map(([from, to]) => ({ startS: from, endS: Math.min(to, limitS), state: 'damaged' as const }))
    .filter((gap) => gap.endS > gap.startS)
  if (untilS === undefined || (endS !== undefined && endS - untilS <= endToleranceS)) return gaps
  return [...gaps, { startS: Math.max(startS, untilS), endS, state: 'truncated' }]
}

/**
 * The time at which a truncated file ends within a segment, estimated from the number of frames. Undefined if it
 * cannot be estimated. For a source with a low frame rate, the rate is taken from its complete segments.
 */
function cutOffAt(segment: SegmentFacts, run: RunFacts): number | undefined {
  const { startS, frames, gapsS, lastFaceS } = segment
  if (frames === 0) return startS
  const perS = densityOf(run) ?? run.framesPerS
  if (!segment.truncated || perS === undefined) return undefined
  const gapS = gapsS.reduce((sum, [from, to]) => sum + to - from, 0)
  return Math.max(startS + frames / perS + gapS, lastFaceS ?? startS)
}

/** Frames per second in the complete segment with the most of them. */
function densityOf({ stored }: RunFacts): number | undefined {
  const densities = stored.flatMap(({ state, truncated, frames, startS, endS }) =>
    state === 'done' && !truncated && frames > 0 && endS !== undefined && endS > startS
      ? [frames / (endS - startS)]
      : [],
  )
  return densities.length === 0 ? undefined : Math.max(...densities)
}

/** The segment length of an earlier recipe with settings that are no longer known. */
function lengthOf(stored: readonly SegmentFacts[]): number | undefined {
  for (const { index, startS, endS } of stored)
    if (index > 0) return startS / index
    else if (endS !== undefined) return endS - startS
  return undefined
}

function joined(ranges: readonly UnseenRange[]): UnseenRange[] {
  const all: UnseenRange[] = []
  for (const range of ranges) {
    const last = all.at(-1)
    if (last?.endS === range.startS && last.state === range.state && last.code === range.code)
      all[all.length - 1] = { ...last, endS: range.endS }
    else all.push(range)
  }
  return all
}

/** Total length in seconds. Undefined if the end of one range is not known. */
export function lengthOfRanges(ranges: readonly Pick<UnseenRange, 'startS' | 'endS'>[]): number | undefined {
  let lengthS = 0
  for (const { startS, endS } of ranges) {
    if (endS === undefined) return undefined
    lengthS += Math.max(0, endS - startS)
  }
  return lengthS
}
