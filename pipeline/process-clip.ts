import { findFaces } from './analyse-frame.js'
import type { ClipInfo } from './decode/clip-info.js'
import { openFrames } from './decode/frames.js'
import { boundarySlot, slotOf, type TimeRange } from './decode/sampling.js'
import { neededScale } from './detect/passes.js'
import { createSegmentBuilder, type SegmentOutput, type SegmentSpan } from './segment-builder.js'
import type { Stages } from './stages.js'

export interface ClipJob {
  /** Absolute. */
  readonly path: string
  /** Decoding begins here, s; a segment's start. */
  readonly startS: number
  /** ... and ends here at the latest. */
  readonly endS: number
  /** `fromStart` decodes from the clip's beginning and drops what lies before `startS`. */
  readonly seek: 'fast' | 'fromStart'
  /** Says, once the clip is open, which consecutive segments from `startS` on are wanted of this job. */
  readonly plan: (info: ClipInfo) => Promise<readonly SegmentSpan[]>
  /** ffmpeg is started at once, but its frames are looked at only from then on. */
  readonly turn?: Promise<void>
  readonly signal?: AbortSignal
  /** Told the time of each frame that was looked at, s. */
  readonly onFrame?: (timeS: number) => void
}

/**
 * Clip in, tracks out: decode → detect → align → track → embed → describe, one segment after the other, frame by frame.
 * Never more than a few frames and the best faces of the tracks in sight are in memory.
 * @throws CameoError: CLIP_* as `openFrames` says
 */
export async function* processClip(job: ClipJob, stages: Stages): AsyncGenerator<SegmentOutput> {
  const { settings, detector } = stages
  const decoding = openFrames({
    path: job.path,
    sampling: settings.sampling,
    startS: job.startS,
    endS: job.endS,
    seek: job.seek,
    detection: {
      canvasWidthPx: detector.canvasWidthPx,
      canvasHeightPx: detector.canvasHeightPx,
      neededScale: neededScale(detector, settings.minFacePx),
    },
    ...(job.signal === undefined ? {} : { signal: job.signal }),
  })
  try {
    await job.turn
    const info = await decoding.info
    const [first, ...later] = await job.plan(info)
    if (first === undefined) return
    const sourcePxPerPx = info.sourceWidthPx / info.widthPx
    let segment = first
    let builder = createSegmentBuilder(stages, sourcePxPerPx)
    for await (const frame of decoding.frames) {
      while (slotOf(frame.timeS, settings.sampling) >= boundarySlot(segment.endS, settings.sampling)) {
        yield withGaps(await builder.finish(segment, false), decoding.gapsS())
        const next = later.shift()
        if (next === undefined) return
        segment = next
        builder = createSegmentBuilder(stages, sourcePxPerPx)
      }
      const faces = await findFaces(frame, stages, settings.minFacePx / sourcePxPerPx)
      await builder.addFrame({ ...frame, usualPxPerPx: info.widthPx / frame.full.width }, faces)
      job.onFrame?.(frame.timeS)
    }
    const { truncated } = await decoding.summary
    // A clip that ends before its stated end leaves its last segments empty.
    for (const rest of [segment, ...later]) {
      yield withGaps(await builder.finish(rest, truncated), decoding.gapsS())
      builder = createSegmentBuilder(stages, sourcePxPerPx)
    }
  } finally {
    await decoding.close()
  }
}

/** A segment's output, with what of all that could not be decoded lies within the segment. */
function withGaps(output: SegmentOutput, gaps: readonly TimeRange[]): SegmentOutput {
  const { startS, endS } = output.segment
  const gapsS = gaps
    .map((gap) => [Math.max(startS, gap.startS), Math.min(endS, gap.endS)] as const)
    .filter(([from, to]) => to > from)
  return gapsS.length === 0 ? output : { ...output, gapsS }
}

/** How many segments a clip has. A rest shorter than half a second is a rounding of what the container states. */
export function countSegments(durationS: number, lengthS: number): number {
  return Math.max(1, Math.ceil((durationS - 0.5) / lengthS))
}

/** The segments of a clip: all of `lengthS`, the last one open to the end, however long it turns out to be. */
export function segmentSpans(count: number, lengthS: number): SegmentSpan[] {
  return Array.from({ length: count }, (_, index) => ({
    index,
    startS: index * lengthS,
    endS: index + 1 === count ? Infinity : (index + 1) * lengthS,
  }))
}
