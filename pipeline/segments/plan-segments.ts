import { leastBytesPerS, regularFileBytes } from '../decode/clip-file.js'
import type { ClipInfo } from '../decode/clip-info.js'
import { probeDurationS } from '../decode/probe-duration.js'
import { maxSegments } from '../common/limits.js'
import { countSegments, segmentSpans } from './segment-spans.js'
import type { SegmentSpan } from './segment.js'

/**
 * A single key frame takes more bytes. If a file has fewer bytes per segment, most of its segments are gaps of its
 * clock.
 */
const leastBytesPerSegment = 500

/**
 * The length of a clip and its segments. If the container does not state the length, or states an implausible one, it
 * is measured, which reads the whole file. A clip that would be cut into absurdly many segments becomes one segment.
 * @throws CLIP_* and INTERRUPTED, like `probeDurationS`
 */
export async function planSegments(
  path: string,
  info: Pick<ClipInfo, 'durationS' | 'durationEstimated' | 'stream'>,
  lengthS: number,
  signal?: AbortSignal,
): Promise<{ readonly durationS: number; readonly segments: readonly SegmentSpan[] }> {
  const fileBytes = (await regularFileBytes(path)) ?? Infinity
  const stated = info.durationEstimated ? undefined : info.durationS
  const isBelievable =
    stated !== undefined && (countSegments(stated, lengthS) === 1 || fileBytes >= stated * leastBytesPerS)
  const durationS = isBelievable ? stated : await probeDurationS(path, { stream: info.stream, signal })
  const count = countSegments(durationS, lengthS)
  const isAbsurd = count > Math.min(maxSegments, fileBytes / leastBytesPerSegment)
  return { durationS, segments: segmentSpans(isAbsurd ? 1 : count, lengthS) }
}
