import { createPace } from './pace.js'

/** How far the work on some clips is. */
export interface ProgressNow {
  /** Video looked at of all that was found, s; the whole is an estimate where lengths are not known yet. */
  readonly lookedAtS: number
  readonly totalS: number
  /** Seconds of video looked at for each second; undefined in the first moments. */
  readonly speed: number | undefined
  /** Undefined in the first moments, and while clips are still searched for. */
  readonly etaS: number | undefined
  /** Clips of which something was looked at and something is left, the one that moved last in front. */
  readonly atWork: readonly {
    readonly path: string
    readonly atS: number
    readonly durationS: number | undefined
  }[]
}

/** Follows clips, by their paths, from being found to their end. */
export interface VideoProgress {
  found(path: string, sizeBytes: number): void
  allFound(): void
  /** How long a clip is, as soon as that is known. */
  measured(path: string, durationS: number | undefined): void
  /** An earlier run looked at this stretch: it is neither left nor a work of now. */
  resumed(path: string, startS: number, endS: number): void
  /** All before this time, in its segment, was looked at. */
  reached(path: string, timeS: number): void
  segmentDone(path: string, startS: number, endS: number): void
  /** Nothing of it is left; `isFresh` where it was worked on without word of how far it was. */
  ended(path: string, isFresh?: boolean): void
  now(): ProgressNow
}

interface Clip {
  readonly sizeBytes: number
  durationS: number | undefined
  /** Of each segment the seconds from its start on that were looked at. */
  readonly segments: Map<number, number>
  lookedAtS: number
  atS: number
}

/** Times are sums of frames. */
const roundingS = 1e-3

/** Between the last frame that is looked at and the end of a clip lies no more of what was done now, s. */
const tailS = 2

/**
 * @param clockS any clock, s
 * @param segmentLengthS clips are worked on in segments that begin at its multiples, side by side; undefined where only
 *   their ends are told
 */
export function createVideoProgress(clockS: () => number, segmentLengthS?: number): VideoProgress {
  const lengthS = segmentLengthS ?? Number.MAX_VALUE
  const pace = createPace(clockS)
  const clips = new Map<string, Clip>()
  /** Those that are at work, the one that moved last at the end. */
  const moving = new Map<string, Clip>()
  /** Of clips whose length is known, s. */
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
 * How much video lies in files whose length is not known: that of the known ones of about their size, for each byte. A
 * film's bytes say nothing of a short clip's. Sizes that differ by less than a factor of two are one.
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

  // Of what is fetched the size is not known: then every clip is taken to be as long as another.
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
