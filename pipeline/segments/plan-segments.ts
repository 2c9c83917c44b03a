import { leastBytesPerS, regularFileBytes } from '../decode/clip-file.js'
import type { ClipInfo } from '../decode/clip-info.js'
import { probeDurationS } from '../decode/probe-duration.js'
import { maxSegments } from '../common/limits.js'
import { countSegments, segmentSpans } from './segment-spans.js'
import type { SegmentSpan } from './segment.js'

/** A key frame alone takes more: with less a segment, most segments of the file are gaps of its clock. */
const leastBytesPerSegment = 500

/**
 * How long a clip is and how it is cut. What its container does not state, or states beyond belief, is measured: that
 * reads the whole file. A clip that would be cut absurdly often is one segment.
 * @throws CLIP_* and INTERRUPTED as `probeDurationS` does
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
