import { statedDurationS } from '../../pipeline/decode/stated-duration.js'

/**
 * Number of clips of about the same size that are measured. Each measurement starts ffmpeg, which costs about
 * a tenth of the work for a short clip.
 */
const looked = { films: [1, 2, 3], clips: [16, 128, 1024] }
const filmBytes = 64 * 2 ** 20

export interface LengthSamples {
  /** Offers a clip with unknown length. */
  offer(path: string, sizeBytes: number): void
  /** Resolves when no measurement is running. */
  finished(): Promise<void>
}

/**
 * Measures a few clips of every size before they are processed, one at a time. Their lengths tell how much
 * video the other files hold. So the estimated end of an ingest does not jump when a film is done and short
 * clips begin.
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
