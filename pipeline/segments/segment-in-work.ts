import type { ClipInfo } from '../decode/clip-info.js'
import type { DecodedFrame, DecodeHandle } from '../decode/decode-request.js'
import type { TimeRange } from '../decode/sampling.js'
import { findFaces } from '../faces/analyse-frame.js'
import type { QuarterTurns } from '../faces/quarter-turn.js'
import type { Stages } from '../stages/load-pipeline.js'
import type { FrameFeatures } from '../track/shot-cut.js'
import { furtherTurns } from './clip-view.js'
import { mayBeginWithin, sizesOf, type Way } from './resume-segment.js'
import { SegmentBuilder } from './segment-builder.js'
import { CheckpointWriter, type Checkpoint, type CheckpointUpdate } from './segment-checkpoint.js'
import type { SegmentOutput, SegmentSpan } from './segment.js'

export interface SegmentStart {
  readonly info: ClipInfo
  readonly span: SegmentSpan
  /** The quarter turns of its frames. */
  readonly turns: QuarterTurns
  /** The segment was started again because its frames had the wrong turn. A segment is turned at most once. */
  readonly isTurned?: boolean
  /** The checkpoint that it continues from. */
  readonly checkpoint?: Checkpoint
  /** The last processed frame before the segment; the checkpoint's last frame if there is one. */
  readonly last?: SeenFrame | undefined
  /** Everything before this time was saved, s. */
  readonly savedAtS: number
}

interface SeenFrame {
  readonly timeS: number
  /** Undefined if the tracker has it. */
  readonly image: FrameFeatures | undefined
}

/** A segment of an open clip, from its first frame to its tracks, with the checkpoints in between. */
export class SegmentInWork {
  readonly span: SegmentSpan
  readonly turns: QuarterTurns
  readonly #stages: Stages
  readonly #info: ClipInfo
  readonly #isTurned: boolean
  readonly #builder: SegmentBuilder
  readonly #writer: CheckpointWriter
  #last: SeenFrame | undefined
  #savedAtS: number
  /** False while the builder is processing a frame. */
  #isWhole = true

  constructor(stages: Stages, start: SegmentStart) {
    const { info, span, turns, isTurned = false, checkpoint, last, savedAtS } = start
    const { widthPx, heightPx } = info
    const view = { widthPx, heightPx, sourcePxPerPx: sourcePxPerPx(info), turns }
    this.span = span
    this.turns = turns
    this.#stages = stages
    this.#info = info
    this.#isTurned = isTurned
    this.#builder = new SegmentBuilder(stages, view, checkpoint?.state)
    this.#writer = new CheckpointWriter(checkpoint)
    this.#last = checkpoint?.last ?? last
    this.#savedAtS = savedAtS
  }

  /**
   * Processes the next frame. Returns how many faces are in it, and how many more quarter turns show the faces upright.
   */
  async look(frame: DecodedFrame): Promise<{ readonly faces: number; readonly further: QuarterTurns }> {
    const stages = this.#stages
    const { widthPx, heightPx } = this.#info
    const faces = await findFaces(frame, stages, stages.settings.minFacePx / sourcePxPerPx(this.#info))
    const usualWidthPx = this.turns % 2 === 0 ? widthPx : heightPx
    this.#isWhole = false
    await this.#builder.addFrame({ ...frame, usualPxPerPx: usualWidthPx / frame.full.width }, faces)
    this.#isWhole = true
    this.#last = { timeS: frame.timeS, image: undefined }
    const further = this.#isTurned ? 0 : await furtherTurns(frame, this.#builder.seen, stages)
    return { faces: faces.length, further }
  }

  /** @param gaps the parts of the clip that could not be decoded */
  async finish(truncated: boolean, gaps: readonly TimeRange[]): Promise<SegmentOutput> {
    const image = this.#builder.snapshot().tracker.lastImage
    if (this.#last !== undefined && image !== undefined) this.#last = { ...this.#last, image }
    this.#isWhole = false
    return withGaps(await this.#builder.finish(this.span, truncated), gaps)
  }

  /** Returns the segment after this one; this one is finished. */
  following(span: SegmentSpan): SegmentInWork {
    const [info, turns, last, savedAtS] = [this.#info, this.turns, this.#last, this.#savedAtS]
    return new SegmentInWork(this.#stages, { info, span, turns, last, savedAtS })
  }

  /** The same segment from its start, turned. */
  turned(info: ClipInfo, turns: QuarterTurns): SegmentInWork {
    const [span, savedAtS] = [this.span, this.#savedAtS]
    return new SegmentInWork(this.#stages, { info, span, turns, isTurned: true, savedAtS })
  }

  /** Whether at least `everyS` seconds were processed since the last save. */
  isDue(timeS: number, everyS: number): boolean {
    return timeS - this.#savedAtS >= everyS
  }

  /** Whether no frame is being processed, and there are new frames since the last save. */
  get canSaveMore(): boolean {
    return this.#isWhole && this.#last !== undefined && this.#last.timeS !== this.#savedAtS
  }

  /** The current state of the segment, for a decoder that continues here. Undefined before the first frame. */
  checkpoint({
    way,
    decoding,
  }: {
    readonly way: Way
    readonly decoding: DecodeHandle
  }): CheckpointUpdate | undefined {
    const state = this.#builder.snapshot()
    const timeS = this.#last?.timeS
    const image = state.tracker.lastImage ?? this.#last?.image
    if (timeS === undefined || image === undefined) return undefined
    const { recipe, provider } = this.#stages
    const before = decoding.soFar
    // A decoder that begins in the middle sees damaged parts differently.
    const maySeek = way.seek === 'fast' && before.gapsS === undefined && mayBeginWithin(this.span, this.#info)
    this.#savedAtS = timeS
    return this.#writer.write({
      ...{ recipe: recipe.digest, provider, state },
      segment: this.span.index,
      turns: this.turns,
      sizes: sizesOf(this.#info),
      last: { timeS, image },
      seek: maySeek ? 'fast' : 'fromStart',
      ...(way.endS === Infinity ? {} : { endS: way.endS }),
      before,
    })
  }
}

/** The full images may be smaller than the clip. */
const sourcePxPerPx = ({ sourceWidthPx, widthPx }: ClipInfo) => sourceWidthPx / widthPx

/** A segment's output, with the undecodable stretches that lie within the segment. */
function withGaps(output: SegmentOutput, gaps: readonly TimeRange[]): SegmentOutput {
  const { startS, endS } = output.segment
  const gapsS = gaps
    .map((gap) => [Math.max(startS, gap.startS), Math.min(endS, gap.endS)] as const)
    .filter(([from, to]) => to > from)
  return gapsS.length === 0 ? output : { ...output, gapsS }
}
