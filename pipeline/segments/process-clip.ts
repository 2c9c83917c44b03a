import { findFaces } from '../faces/analyse-frame.js'
import { addTurns, furtherTurns, type ClipView } from './clip-view.js'
import type { ClipInfo } from '../decode/clip-info.js'
import { openFrames, type DecodedFrame, type DecodeHandle } from '../decode/frames.js'
import { boundarySlot, slotOf, type TimeRange } from '../decode/sampling.js'
import { neededScale } from '../detect/passes.js'
import { turnFrame, type QuarterTurns } from '../faces/quarter-turn.js'
import {
  areSameSizes,
  findSeam,
  mayBeginWithin,
  sizesOf,
  waysToGoOn,
  type CheckpointOptions,
  type Way,
} from './resume-segment.js'
import { SegmentBuilder } from './segment-builder.js'
import {
  CheckpointWriter,
  readCheckpoint,
  type Checkpoint,
  type StoredCheckpoint,
} from './segment-checkpoint.js'
import type { Stages } from '../stages/load-pipeline.js'
import type { FrameFeatures } from '../track/shot-cut.js'
import type { SegmentOutput, SegmentSpan } from './segment.js'

export interface ClipJob {
  /** Absolute. */
  readonly path: string
  /** Decoding begins here, s; a segment's start. */
  readonly startS: number
  /** ... and ends here at the latest. */
  readonly endS: number
  /** `fromStart` decodes from the clip's beginning and drops what lies before `startS`. */
  readonly seek: 'fast' | 'fromStart'
  /** Says, once the clip is open, which consecutive segments are wanted of this job; none begins before `startS`. */
  readonly plan: (info: ClipInfo) => Promise<readonly SegmentSpan[]>
  /** ffmpeg is started at once, but its frames are looked at only from then on. */
  readonly turn?: Promise<void>
  readonly signal?: AbortSignal
  /** Told the time of each frame that was looked at, s, and how many faces were found in it. */
  readonly onFrame?: (timeS: number, faces: number) => void
  readonly checkpoints?: CheckpointOptions
  /** Of the first segment that is wanted, which is gone on with where this can be trusted. */
  readonly resume?: StoredCheckpoint | undefined
}

/**
 * Clip in, tracks out: decode → detect → align → track → embed → describe, one segment after the other, frame by frame.
 * Never more than a few frames and the best faces of the tracks in sight are in memory.
 * @throws CameoError: CLIP_* as `openFrames` says
 */
export async function* processClip(job: ClipJob, stages: Stages): AsyncGenerator<SegmentOutput> {
  const run = new ClipRun(job, stages)
  try {
    yield* run.outputs()
  } finally {
    await run.close()
  }
}

/** What is known once a clip is open and planned. */
interface OpenClip {
  readonly info: ClipInfo
  /** That are still to be done, the one under work first. */
  readonly segments: SegmentSpan[]
}

class ClipRun {
  readonly #job: ClipJob
  readonly #stages: Stages
  #decoding: DecodeHandle | undefined
  #way: Way
  #clip: OpenClip | undefined
  /** As the segment before; each segment may turn out to be otherwise. */
  #turns: QuarterTurns = 0
  #isTurned = false
  #builder: SegmentBuilder | undefined
  #writer = new CheckpointWriter()
  /** False while a frame is half way through the builder. */
  #isWhole = true
  #last: { readonly timeS: number; readonly image: FrameFeatures | undefined } | undefined
  #savedAtS = 0

  constructor(job: ClipJob, stages: Stages) {
    this.#job = job
    this.#stages = stages
    this.#way = { startS: job.startS, endS: job.endS, seek: job.seek }
  }

  async *outputs(): AsyncGenerator<SegmentOutput> {
    const { resume, signal } = this.#job
    const checkpoint = resume === undefined ? undefined : readCheckpoint(resume, this.#stages)
    if (checkpoint === undefined || !(await this.#goOn(checkpoint))) await this.#begin()
    try {
      yield* this.#work()
    } catch (error) {
      // A stop loses nothing.
      const hasNew = this.#last !== undefined && this.#last.timeS !== this.#savedAtS
      if (signal?.aborted === true && this.#isWhole && hasNew) this.#save()
      throw error
    }
  }

  async close(): Promise<void> {
    await this.#decoding?.close()
  }

  /** False where the checkpoint is of another segment, or the clip is not as it was. */
  async #goOn(checkpoint: Checkpoint): Promise<boolean> {
    for (const way of waysToGoOn(checkpoint, this.#stages.settings.sampling)) {
      const decoding = await this.#open(way)
      const info = await this.#attempt(decoding.info)
      if (info === undefined) continue
      const { segments } = await this.#plan(info)
      if (segments[0]?.index !== checkpoint.segment) return false
      if (!areSameSizes(info, checkpoint.sizes)) continue
      const { sampling } = this.#stages.settings
      this.#turns = checkpoint.turns
      const frames = turnedFrames(decoding.frames, this.#turns)
      if ((await this.#attempt(findSeam(frames, checkpoint, sampling))) !== true) continue
      this.#builder = new SegmentBuilder(this.#stages, this.#view(info), checkpoint.state)
      this.#writer = new CheckpointWriter(checkpoint)
      this.#last = checkpoint.last
      this.#savedAtS = checkpoint.last.timeS
      this.#job.checkpoints?.onResume(checkpoint.segment, checkpoint.last.timeS)
      return true
    }
    return false
  }

  async #begin(): Promise<void> {
    if (this.#clip?.segments.length === 0) return
    const { startS, endS, seek } = this.#job
    this.#turns = 0
    const decoding = await this.#open({ startS, endS, seek })
    const info = await decoding.info
    const { segments } = await this.#plan(info)
    this.#clip = { info, segments }
    this.#newBuilder(info)
    this.#savedAtS = segments[0]?.startS ?? 0
  }

  /** The segment under work from its start, turned. */
  async #beginTurned({ segments }: OpenClip, turns: QuarterTurns): Promise<void> {
    const { startS, endS, seek } = this.#job
    this.#turns = turns
    this.#isTurned = true
    this.#last = undefined
    const decoding = await this.#open({ startS: Math.max(startS, segments[0]?.startS ?? 0), endS, seek })
    this.#newBuilder(await decoding.info)
  }

  #newBuilder(info: ClipInfo): void {
    this.#builder = new SegmentBuilder(this.#stages, this.#view(info))
    this.#writer = new CheckpointWriter()
  }

  #view(info: ClipInfo): ClipView {
    const { widthPx, heightPx } = info
    return { widthPx, heightPx, sourcePxPerPx: sourcePxPerPx(info), turns: this.#turns }
  }

  /** Starts ffmpeg, and waits for this job's turn. */
  async #open(way: Way): Promise<DecodeHandle> {
    await this.close()
    const { path, signal, turn } = this.#job
    const { settings, detector } = this.#stages
    this.#way = way
    this.#decoding = openFrames({
      ...{ path, sampling: settings.sampling, ...way },
      detection: {
        canvasWidthPx: detector.canvasWidthPx,
        canvasHeightPx: detector.canvasHeightPx,
        neededScale: neededScale(detector, settings.minFacePx),
      },
      ...(signal === undefined ? {} : { signal }),
    })
    await turn
    return this.#decoding
  }

  async #plan(info: ClipInfo): Promise<OpenClip> {
    this.#clip ??= { info, segments: [...(await this.#job.plan(info))] }
    return this.#clip
  }

  /** What fails by this way may succeed by the next. */
  async #attempt<T>(result: Promise<T>): Promise<T | undefined> {
    try {
      return await result
    } catch (error) {
      if (this.#job.signal?.aborted === true) throw error
      return undefined
    }
  }

  async *#work(): AsyncGenerator<SegmentOutput> {
    const clip = this.#clip
    if (clip === undefined) return
    for (;;) {
      const turns = yield* this.#pass(clip)
      if (turns === undefined) return
      await this.#beginTurned(clip, turns)
    }
  }

  /** Goes through the frames; ends with the turns by which the segment under work has to be looked at anew. */
  async *#pass(clip: OpenClip): AsyncGenerator<SegmentOutput, QuarterTurns | undefined> {
    const decoding = this.#decoding
    if (decoding === undefined || clip.segments.length === 0) return undefined
    const { sampling } = this.#stages.settings
    for await (const frame of turnedFrames(decoding.frames, this.#turns)) {
      const slot = slotOf(frame.timeS, sampling)
      while (slot >= boundarySlot(clip.segments[0]?.endS ?? Infinity, sampling)) {
        yield await this.#finish(clip, false)
        if (clip.segments.length === 0) return undefined
        // That the segments before are done can be told from it.
        this.#save()
      }
      if (slot < boundarySlot(clip.segments[0]?.startS ?? 0, sampling)) continue
      const further = await this.#look(frame, clip.info)
      if (further !== 0) return addTurns(this.#turns, further)
      if (frame.timeS - this.#savedAtS >= (this.#job.checkpoints?.everyS ?? Infinity)) this.#save()
    }
    const { truncated } = await decoding.summary
    // A clip that ends before its stated end leaves its last segments empty.
    while (clip.segments.length > 0) yield await this.#finish(clip, truncated)
    return undefined
  }

  /** How many quarter turns more show faces upright; a segment is turned once at the most. */
  async #look(frame: DecodedFrame, info: ClipInfo): Promise<QuarterTurns> {
    const { settings } = this.#stages
    const builder = this.#builderOf(info)
    const faces = await findFaces(frame, this.#stages, settings.minFacePx / sourcePxPerPx(info))
    const usualWidthPx = this.#turns % 2 === 0 ? info.widthPx : info.heightPx
    this.#isWhole = false
    await builder.addFrame({ ...frame, usualPxPerPx: usualWidthPx / frame.full.width }, faces)
    this.#isWhole = true
    this.#last = { timeS: frame.timeS, image: undefined }
    this.#job.onFrame?.(frame.timeS, faces.length)
    return this.#isTurned ? 0 : furtherTurns(frame, builder.seen, this.#stages)
  }

  #builderOf(info: ClipInfo): SegmentBuilder {
    if (this.#builder === undefined) this.#newBuilder(info)
    if (this.#builder === undefined) throw new Error('there is no segment under work')
    return this.#builder
  }

  async #finish({ segments, info }: OpenClip, truncated: boolean): Promise<SegmentOutput> {
    const segment = segments.shift()
    if (segment === undefined) throw new Error('there is no segment to finish')
    const builder = this.#builderOf(info)
    const image = builder.snapshot().tracker.lastImage
    if (this.#last !== undefined && image !== undefined) this.#last = { ...this.#last, image }
    this.#isWhole = false
    const output = withGaps(await builder.finish(segment, truncated), this.#decoding?.gapsS() ?? [])
    this.#isWhole = true
    this.#isTurned = false
    this.#newBuilder(info)
    return output
  }

  /** Gives the segment under work as it is now. */
  #save(): void {
    const { checkpoints } = this.#job
    const [segment] = this.#clip?.segments ?? []
    const [decoding, info, timeS] = [this.#decoding, this.#clip?.info, this.#last?.timeS]
    if (checkpoints === undefined || segment === undefined) return
    if (decoding === undefined || info === undefined || timeS === undefined) return
    const state = this.#builderOf(info).snapshot()
    const image = state.tracker.lastImage ?? this.#last?.image
    if (image === undefined) return
    const { recipe, provider } = this.#stages
    const { seek, endS } = this.#way
    const before = decoding.soFar
    // What is damaged looks different to a decoder that begins in the middle.
    const maySeek = seek === 'fast' && before.gapsS === undefined && mayBeginWithin(segment, info)
    checkpoints.onCheckpoint(
      this.#writer.write({
        ...{ recipe: recipe.digest, provider, state },
        segment: segment.index,
        turns: this.#turns,
        sizes: sizesOf(info),
        last: { timeS, image },
        seek: maySeek ? 'fast' : 'fromStart',
        ...(endS === Infinity ? {} : { endS }),
        before,
      }),
    )
    this.#savedAtS = timeS
  }
}

async function* turnedFrames(
  frames: AsyncIterable<DecodedFrame>,
  turns: QuarterTurns,
): AsyncGenerator<DecodedFrame> {
  for await (const frame of frames) yield turnFrame(frame, turns)
}

/** The full images may be smaller than the clip. */
const sourcePxPerPx = ({ sourceWidthPx, widthPx }: ClipInfo) => sourceWidthPx / widthPx

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
