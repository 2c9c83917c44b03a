import type { SegmentSpan } from './segment.js'

/** How many segments a clip has. A rest shorter than half a second is a rounding of what the container states. */
export function countSegments(durationS: number, lengthS: number): number {
  return Math.max(1, Math.ceil((durationS - 0.5) / lengthS))
}

/** The segments of a clip: all of `lengthS`, the last one open to the end, however long it turns out to be. */
export function segmentSpans(count: number, lengthS: number): SegmentSpan[] {
  return Array.from({ length: count }, (_, index) => segmentSpan(index, count, lengthS))
}

/** One of them. */
export function segmentSpan(index: number, count: number, lengthS: number): SegmentSpan {
  return {
    index,
    startS: index * lengthS,
    endS: index + 1 === count ? Infinity : (index + 1) * lengthS,
  }
}
