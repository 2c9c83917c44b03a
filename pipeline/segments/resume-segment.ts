import type { ClipInfo } from '../decode/clip-info.js'
import { hasMendedClock } from '../decode/formats.js'
import type { DecodedFrame, DecodeRequest } from '../decode/decode-request.js'
import { slotOf, type Sampling } from '../decode/sampling.js'
import type { Checkpoint, CheckpointUpdate } from './segment-checkpoint.js'
import { isSameImage } from './segment-codec.js'
import { featuresOf } from '../track/shot-cut.js'
import type { SegmentSpan } from './segment.js'

/** How a clip is decoded. */
export type Way = Pick<DecodeRequest, 'startS' | 'endS' | 'seek' | 'before'>

export interface CheckpointOptions {
  /** One is given whenever so much video was looked at, s, and when the work is stopped. */
  readonly everyS: number
  readonly onCheckpoint: (update: CheckpointUpdate) => void
  /** Told where a segment is gone on with, s. */
  readonly onResume: (segment: number, timeS: number) => void
}

/** How much of the video a killed process loses, s, with time to spare until a checkpoint is durable: at most 60. */
export const defaultCheckpointEveryS = 45

/** From here on every seek has a key frame to come down at: one in vain would end at the clip's beginning. */
const surelySoughtS = 60

/** Would a decoder that begins in the middle of the segment see the same as one that came from its start? */
export function mayBeginWithin({ startS }: SegmentSpan, { cuttable, container }: ClipInfo): boolean {
  return cuttable && (startS > surelySoughtS || !hasMendedClock(container))
}

/** To begin with the checkpoint's last frame: the quick way first, then the one that decodes, but looks at nothing, again. */
export function waysToGoOn(checkpoint: Checkpoint, sampling: Sampling): Way[] {
  const { last, seek, endS = Infinity, before } = checkpoint
  const startS = sampling.kind === 'fps' ? slotOf(last.timeS, sampling) / sampling.fps : last.timeS
  const again: Way = { startS, endS, seek: 'fromStart', before }
  return seek === 'fast' ? [{ ...again, seek }, again] : [again]
}

/**
 * Reads up to the checkpoint's last frame. True where it is the same as it was: what follows it is then the same, too. A wrong
 * seek, another decoder or another file would show.
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

/** What faces are cut out of. */
export const sizesOf = ({ widthPx, heightPx, sourceWidthPx, sourceHeightPx }: Checkpoint['sizes']) => ({
  ...{ widthPx, heightPx, sourceWidthPx, sourceHeightPx },
})

export const areSameSizes = (a: Checkpoint['sizes'], b: Checkpoint['sizes']): boolean =>
  a.widthPx === b.widthPx &&
  a.heightPx === b.heightPx &&
  a.sourceWidthPx === b.sourceWidthPx &&
  a.sourceHeightPx === b.sourceHeightPx
