import { createPace } from './pace.js'

/** The progress of the work on some clips. */
export interface ProgressNow {
  /**
   * Seconds of video looked at, and of all clips found. The total is an estimate while some lengths are
   * unknown.
   */
  readonly lookedAtS: number
  readonly totalS: number
  /** Seconds of video looked at per second; undefined in the first moments. */
  readonly speed: number | undefined
  /** Undefined in the first moments, and during the search for clips. */
  readonly etaS: number | undefined
  /** Clips in progress. The clip that advanced last comes first. */
  readonly atWork: readonly {
    readonly path: string
    readonly atS: number
    readonly durationS: number | undefined
  }[]
}

/** Follows clips, by path, from when they are found to their end. */
export interface VideoProgress {
  found(path: string, sizeBytes: number): void
  allFound(): void
  /** The length of a clip, when it becomes known. */
  measured(path: string, durationS: number | undefined): void
  /** An earlier run looked at this stretch. It counts neither as remaining nor as work of this run. */
  resumed(path: string, startS: number, endS: number): void
  /** Everything before this time, within its segment, was looked at. */
  reached(path: string, timeS: number): void
  segmentDone(path: string, startS: number, endS: number): void
  /** The clip is done. `isFresh` if this run worked on it without progress reports. */
  ended(path: string, isFresh?: boolean): void
  now(): ProgressNow
}

interface Clip {
  readonly sizeBytes: number
  durationS: number | undefined
  /** Seconds looked at from the start of each segment. */
  readonly segments: Map<number, number>
  lookedAtS: number
  atS: number
}

/** Times are sums of frames. */
const roundingS = 1e-3

/** A clip may end up to this long after its last frame, s. The rest counts as done. */
const tailS = 2

/**
 * @param clockS any clock, s
 * @param segmentLengthS clips are processed in parallel segments that start at its multiples; undefined if
 * only
 *   the ends of clips are reported
 */
export function createVideoProgress(clockS: () => number, segmentLengthS?: number): VideoProgress {
  const lengthS = segmentLengthS ?? Number.MAX_VALUE
  const pace = createPace(clockS)
  const clips = new Map<string, Clip>()
  /** Clips in progress. The clip that advanced last comes last. */
  const moving = new Map<string, Clip>()
  /** Total length of the clips with a known length, s. */
  let knownS = 0
  let lookedAtS = 0
  let isAllFound = false
  const lengths = createLengthGuess()

  function look(path: string, clip: Clip, index: number, untilS: number, freshS: number): void {
    const before = clip.segments.get(index) ?? 0
    const moreS = untilS - before
    if (moreS <= 0) return
    clip.segments.set(index, untilS)
    clip.lookedAtS += moreS
    lookedAtS += moreS
    if (freshS > 0) pace.advance(Math.min(moreS, freshS))
    if (freshS === 0) return
    moving.delete(path)
    moving.set(path, clip)
  }

  function eachSegment(path: string, startS: number, endS: number, freshS: number): void {
    const clip = clips.get(path)
    if (clip === undefined) return
    const untilS = Math.min(endS, clip.durationS ?? startS)
    for (let index = indexOf(startS); untilS - index * lengthS > roundingS; index++)
      look(path, clip, index, Math.min(lengthS, untilS - index * lengthS), freshS)
  }

  const indexOf = (timeS: number) => Math.floor((timeS + roundingS) / lengthS)

  return {
    found(path, sizeBytes) {
      if (clips.has(path)) return
      clips.set(path, { sizeBytes, durationS: undefined, segments: new Map(), lookedAtS: 0, atS: 0 })
      lengths.add(sizeBytes)
    },
    allFound() {
      isAllFound = true
      if (segmentLengthS === undefined) pace.start()
    },
    measured(path, durationS) {
      const clip = clips.get(path)
      if (clip === undefined || durationS === undefined) return
      if (clip.durationS === undefined) lengths.learn(clip.sizeBytes, durationS)
      knownS += durationS - (clip.durationS ?? 0)
      clip.durationS = durationS
    },
    resumed(path, startS, endS) {
      eachSegment(path, startS, endS, 0)
    },
    reached(path, timeS) {
      const clip = clips.get(path)
      if (clip === undefined) return
      clip.atS = timeS
      const index = indexOf(timeS)
      look(path, clip, index, timeS - index * lengthS, Infinity)
    },
    segmentDone(path, startS, endS) {
      eachSegment(path, startS, endS, tailS)
    },
    ended(path, isFresh = false) {
      const clip = clips.get(path)
      if (clip === undefined) return
      clips.delete(path)
      moving.delete(path)
      if (clip.durationS === undefined) lengths.remove(clip.sizeBytes)
      const wholeS = clip.durationS ?? clip.lookedAtS
      knownS += clip.durationS === undefined ? wholeS : 0
      if (isFresh && wholeS > clip.lookedAtS) pace.advance(wholeS - clip.lookedAtS)
      lookedAtS += wholeS - clip.lookedAtS
    },
    now() {
      const totalS = Math.max(lookedAtS, knownS + lengths.guessS())
      const atWork = [...moving].map(([path, { atS, durationS }]) => ({ path, atS, durationS })).reverse()
      const etaS = pace.etaS(totalS - lookedAtS)
      return { lookedAtS, totalS, speed: pace.rate, etaS: isAllFound ? etaS : undefined, atWork }
    },
  }
}

/**
 * Estimates the length of files with unknown length: the mean seconds per byte of known files of about the
 * same size. A film's rate does not apply to a short clip. Sizes that differ by less than a factor of two
 * share one group.
 */
function createLengthGuess() {
  const known = new Map<number, { bytes: number; lengthS: number }>()
  const unknownBytes = new Map<number, number>()
  const sizeOf = (bytes: number) => Math.floor(Math.log2(bytes))
  const addUnknown = (bytes: number, count: 1 | -1) =>
    unknownBytes.set(sizeOf(bytes), (unknownBytes.get(sizeOf(bytes)) ?? 0) + count * bytes)

  function lengthOfByteS(size: number): number {
    let nearest: number | undefined
    for (const other of known.keys())
      if (nearest === undefined || Math.abs(other - size) < Math.abs(nearest - size)) nearest = other
    const { bytes, lengthS } = known.get(nearest ?? -1) ?? { bytes: 1, lengthS: 0 }
    return lengthS / bytes
  }

  // Fetched clips have no known size. All clips are then assumed to have the same length.
  const sized = (bytes: number) => Math.max(1, bytes)

  return {
    add: (bytes: number) => void addUnknown(sized(bytes), 1),
    remove: (bytes: number) => void addUnknown(sized(bytes), -1),
    learn(fileBytes: number, lengthS: number): void {
      const bytes = sized(fileBytes)
      addUnknown(bytes, -1)
      const before = known.get(sizeOf(bytes)) ?? { bytes: 0, lengthS: 0 }
      known.set(sizeOf(bytes), { bytes: before.bytes + bytes, lengthS: before.lengthS + lengthS })
    },
    guessS: () =>
      [...unknownBytes].reduce(
        (sum, [size, bytes]) => sum + (bytes > 0 ? bytes * lengthOfByteS(size) : 0),
        0,
      ),
  }
}
