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
  /** By which its frames are turned. */
  readonly turns: QuarterTurns
  /** It was begun anew because its frames were turned wrongly: a segment is turned once at the most. */
  readonly isTurned?: boolean
  /** What it goes on with. */
  readonly checkpoint?: Checkpoint
  /** The last frame before it that was looked at; that of the checkpoint where there is one. */
  readonly last?: SeenFrame | undefined
  /** What lies before was saved, s. */
  readonly savedAtS: number
}

interface SeenFrame {
  readonly timeS: number
  /** Undefined where the tracker has it. */
  readonly image: FrameFeatures | undefined
}

/** A segment of an open clip, from its first frame to its tracks, and what is saved of it on the way. */
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
  /** False while a frame is half way through the builder. */
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

  /** Takes in the next frame. Says how many faces are in it, and how many quarter turns more show faces upright. */
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

  /** @param gaps what of the clip could not be decoded */
  async finish(truncated: boolean, gaps: readonly TimeRange[]): Promise<SegmentOutput> {
    const image = this.#builder.snapshot().tracker.lastImage
    if (this.#last !== undefined && image !== undefined) this.#last = { ...this.#last, image }
    this.#isWhole = false
    return withGaps(await this.#builder.finish(this.span, truncated), gaps)
  }

  /** The segment after this one, which is finished. */
  following(span: SegmentSpan): SegmentInWork {
    const [info, turns, last, savedAtS] = [this.#info, this.turns, this.#last, this.#savedAtS]
    return new SegmentInWork(this.#stages, { info, span, turns, last, savedAtS })
  }

  /** The same from its start, turned. */
  turned(info: ClipInfo, turns: QuarterTurns): SegmentInWork {
    const [span, savedAtS] = [this.span, this.#savedAtS]
    return new SegmentInWork(this.#stages, { info, span, turns, isTurned: true, savedAtS })
  }

  /** Were so many seconds looked at since it was last saved? */
  isDue(timeS: number, everyS: number): boolean {
    return timeS - this.#savedAtS >= everyS
  }

  /** Is it between two frames, with some since it was last saved? */
  get canSaveMore(): boolean {
    return this.#isWhole && this.#last !== undefined && this.#last.timeS !== this.#savedAtS
  }

  /** The segment as it is now, for a decoder that goes on where this one is. Undefined before the first frame. */
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
    // What is damaged looks different to a decoder that begins in the middle.
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

/** A segment's output, with what of all that could not be decoded lies within the segment. */
function withGaps(output: SegmentOutput, gaps: readonly TimeRange[]): SegmentOutput {
  const { startS, endS } = output.segment
  const gapsS = gaps
    .map((gap) => [Math.max(startS, gap.startS), Math.min(endS, gap.endS)] as const)
    .filter(([from, to]) => to > from)
  return gapsS.length === 0 ? output : { ...output, gapsS }
}
