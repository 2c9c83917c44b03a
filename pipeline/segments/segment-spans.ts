import type { SegmentSpan } from './segment.js'

/**
 * Number of segments of a clip. A remainder shorter than half a second is a rounding error of the container's duration.
 */
export function countSegments(durationS: number, lengthS: number): number {
  return Math.max(1, Math.ceil((durationS - 0.5) / lengthS))
}

/**
 * The segments of a clip. All have the length `lengthS`, except the last one: it is open to the end, whatever its
 * length is.
 */
export function segmentSpans(count: number, lengthS: number): SegmentSpan[] {
  return Array.from({ length: count }, (_, index) => segmentSpan(index, count, lengthS))
}

/** One of a clip's segments. */
export function segmentSpan(index: number, count: number, lengthS: number): SegmentSpan {
  return {
    index,
    startS: index * lengthS,
    endS: index + 1 === count ? Infinity : (index + 1) * lengthS,
  }
}
