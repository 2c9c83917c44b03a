import { statedDurationS } from '../../pipeline/decode/stated-duration.js'

/** Of the clips of about one size these are looked into: a look starts ffmpeg, which costs about a tenth of a short clip's work. */
const looked = { films: [1, 2, 3], clips: [16, 128, 1024] }
const filmBytes = 64 * 2 ** 20

export interface LengthSamples {
  /** A clip of which the length is not known. */
  offer(path: string, sizeBytes: number): void
  /** Resolves when none is looked into any more. */
  finished(): Promise<void>
}

/**
 * Looks into a few clips of every size before they are worked on, one at a time: what they say of their length tells how
 * much video lies in the others, so that the end of an ingest does not move when a film is done and short clips begin.
 */
export function createLengthSamples(
  onMeasured: (path: string, durationS: number) => void,
  signal: AbortSignal,
  measure: typeof statedDurationS = statedDurationS,
): LengthSamples {
  const met = new Map<number, number>()
  let last: Promise<void> = Promise.resolve()
  return {
    offer(path, sizeBytes) {
      const size = Math.floor(Math.log2(Math.max(1, sizeBytes)))
      if (sizeBytes === 0) return
      const number = (met.get(size) ?? 0) + 1
      met.set(size, number)
      if (!(sizeBytes < filmBytes ? looked.clips : looked.films).includes(number)) return
      last = last.then(async () => {
        const durationS = signal.aborted ? undefined : await measure(path, signal)
        if (durationS !== undefined) onMeasured(path, durationS)
      })
    },
    finished: () => last,
  }
}
