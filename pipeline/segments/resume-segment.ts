import type { ClipInfo } from '../decode/clip-info.js'
import { hasMendedClock } from '../decode/formats.js'
import type { DecodedFrame, DecodeRequest } from '../decode/decode-request.js'
import { slotOf, type Sampling } from '../decode/sampling.js'
import type { Checkpoint, CheckpointUpdate } from './segment-checkpoint.js'
import { isSameImage } from './segment-codec.js'
import { featuresOf } from '../track/shot-cut.js'
import type { SegmentSpan } from './segment.js'

/** The range of a decoder run, and how it seeks. */
export type Way = Pick<DecodeRequest, 'startS' | 'endS' | 'seek' | 'before'>

export interface CheckpointOptions {
  /** A checkpoint is saved each time this much video was processed, s, and when the work is stopped. */
  readonly everyS: number
  readonly onCheckpoint: (update: CheckpointUpdate) => void
  /** Called with the time at which a segment continues, s. */
  readonly onResume: (segment: number, timeS: number) => void
}

/** How much video a killed process loses, s, at most 60. The difference leaves time until a checkpoint is durable. */
export const defaultCheckpointEveryS = 45

/** From this time on, every seek finds a key frame to land on. A seek that fails would end at the clip's beginning. */
const surelySoughtS = 60

/** Whether a decoder that begins within the segment returns the same frames as one that begins at its start. */
export function mayBeginWithin({ startS }: SegmentSpan, { cuttable, container }: ClipInfo): boolean {
  return cuttable && (startS > surelySoughtS || !hasMendedClock(container))
}

/**
 * Ways to begin with the checkpoint's last frame. The fast way comes first; the second way decodes everything again,
 * but does not process it.
 */
export function waysToGoOn(checkpoint: Checkpoint, sampling: Sampling): Way[] {
  const { last, seek, endS = Infinity, before } = checkpoint
  const startS = sampling.kind === 'fps' ? slotOf(last.timeS, sampling) / sampling.fps : last.timeS
  const again: Way = { startS, endS, seek: 'fromStart', before }
  return seek === 'fast' ? [{ ...again, seek }, again] : [again]
}

/**
 * Reads up to the checkpoint's last frame. True if that frame is unchanged: then the frames after it are the same, too.
 * A wrong seek, another decoder or another file would show in that frame.
 */
export async function findSeam(
  frames: AsyncIterable<DecodedFrame>,
  { last }: Checkpoint,
  sampling: Sampling,
): Promise<boolean> {
  const reader = frames[Symbol.asyncIterator]()
  for (;;) {
    const next = await reader.next()
    if (next.done === true) return false
    const { timeS, detection } = next.value
    if (slotOf(timeS, sampling) >= slotOf(last.timeS, sampling))
      return timeS === last.timeS && isSameImage(featuresOf(detection), last.image)
  }
}

/** The sizes of the images that faces are cropped from. */
export const sizesOf = ({ widthPx, heightPx, sourceWidthPx, sourceHeightPx }: Checkpoint['sizes']) => ({
  ...{ widthPx, heightPx, sourceWidthPx, sourceHeightPx },
})

export const areSameSizes = (a: Checkpoint['sizes'], b: Checkpoint['sizes']): boolean =>
  a.widthPx === b.widthPx &&
  a.heightPx === b.heightPx &&
  a.sourceWidthPx === b.sourceWidthPx &&
  a.sourceHeightPx === b.sourceHeightPx
