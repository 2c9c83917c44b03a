/** How far a clip was looked at, and what stands against it. A clip may be in several of them. */
export const coverageStates = [
  /** All of it was looked at. */
  'complete',
  /** An ingest was stopped before its end, or did not come to it. */
  'unfinished',
  /** Nothing of it could be read. */
  'failed',
  /** Some of its segments were given up. */
  'partial',
  /** The file is cut off. */
  'truncated',
  /** Stretches of it could not be decoded. */
  'damaged',
  /** Something in it is not looked at, as a further video stream. */
  'left-out',
  /** It was erased by `forget`, met again, and stays away. */
  'forgotten',
  /** It was looked at, and no face was found. */
  'face-less',
  /** No file of it is where it was. */
  'missing',
] as const

/** How far a clip was looked at, in a word. */
export type CoverageState = (typeof coverageStates)[number]

/** A stretch that was not looked at, s; `endS` is undefined where the clip's end is not known. */
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
  /** How many segments there are. */
  readonly segments: number
  readonly state: 'working' | 'done' | 'partial'
  readonly truncated: boolean
  /** Of the recipe: segment k begins at k times this. */
  readonly segmentLengthS: number | undefined
  /** Frames looked at for each second of video; undefined where key frames were taken. */
  readonly framesPerS: number | undefined
  /** Those that are stored, in order. */
  readonly stored: readonly SegmentFacts[]
}

export interface SegmentFacts {
  readonly index: number
  readonly startS: number
  /** Undefined of a clip's last. */
  readonly endS: number | undefined
  readonly state: 'done' | 'failed'
  readonly frames: number
  readonly truncated: boolean
  readonly code?: string | undefined
  readonly message?: string | undefined
  /** Stretches that could not be decoded, s. */
  readonly gapsS: readonly (readonly [startS: number, endS: number])[]
  /** When a face was seen last; undefined where none was. */
  readonly lastFaceS: number | undefined
}

/** A file that ends this much early is not told as one that lacks its end, s: a sampling step, a still last frame. */
const endToleranceS = 2

/** The stretches of a clip that a run did not look at, in order; those that touch and are of one kind are one. */
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
 * Where a cut-off file ends within a segment, as far as the number of frames tells; undefined where that cannot be said. The
 * frames of a source with few of them are counted by those of its whole segments.
 */
function cutOffAt(segment: SegmentFacts, run: RunFacts): number | undefined {
  const { startS, frames, gapsS, lastFaceS } = segment
  if (frames === 0) return startS
  const perS = densityOf(run) ?? run.framesPerS
  if (!segment.truncated || perS === undefined) return undefined
  const gapS = gapsS.reduce((sum, [from, to]) => sum + to - from, 0)
  return Math.max(startS + frames / perS + gapS, lastFaceS ?? startS)
}

/** Frames for each second in the fullest whole segment. */
function densityOf({ stored }: RunFacts): number | undefined {
  const densities = stored.flatMap(({ state, truncated, frames, startS, endS }) =>
    state === 'done' && !truncated && frames > 0 && endS !== undefined && endS > startS
      ? [frames / (endS - startS)]
      : [],
  )
  return densities.length === 0 ? undefined : Math.max(...densities)
}

/** Of the segments of an earlier recipe, whose settings are not known any more. */
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

/** Seconds in all of them; undefined where the end of one is not known. */
export function lengthOfRanges(ranges: readonly Pick<UnseenRange, 'startS' | 'endS'>[]): number | undefined {
  let lengthS = 0
  for (const { startS, endS } of ranges) {
    if (endS === undefined) return undefined
    lengthS += Math.max(0, endS - startS)
  }
  return lengthS
}
