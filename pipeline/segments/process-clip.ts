import type { ClipInfo } from '../decode/clip-info.js'
import type { DecodedFrame, DecodeHandle } from '../decode/decode-request.js'
import { boundarySlot, slotOf } from '../decode/sampling.js'
import { turnFrame, type QuarterTurns } from '../faces/quarter-turn.js'
import type { Stages } from '../stages/load-pipeline.js'
import { ClipDecoder } from './clip-decoder.js'
import { addTurns } from './clip-view.js'
import { areSameSizes, findSeam, waysToGoOn, type CheckpointOptions, type Way } from './resume-segment.js'
import { readCheckpoint, type Checkpoint, type StoredCheckpoint } from './segment-checkpoint.js'
import { SegmentInWork } from './segment-in-work.js'
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

/** One job: opens the clip, goes on with a segment where it can, and looks at the frames of each segment in turn. */
class ClipRun {
  readonly #job: ClipJob
  readonly #stages: Stages
  readonly #decoder: ClipDecoder
  /** That are still to be done, the one under work first; undefined before the clip is open and planned. */
  #segments: SegmentSpan[] | undefined
  #current: SegmentInWork | undefined

  constructor(job: ClipJob, stages: Stages) {
    this.#job = job
    this.#stages = stages
    this.#decoder = new ClipDecoder(job, stages)
  }

  async *outputs(): AsyncGenerator<SegmentOutput> {
    const { resume, signal } = this.#job
    const checkpoint = resume === undefined ? undefined : readCheckpoint(resume, this.#stages)
    if (checkpoint === undefined || !(await this.#goOn(checkpoint))) await this.#begin()
    try {
      yield* this.#work()
    } catch (error) {
      // A stop loses nothing.
      if (signal?.aborted === true && this.#current?.canSaveMore === true) this.#save()
      throw error
    }
  }

  async close(): Promise<void> {
    await this.#decoder.close()
  }

  /** False where the checkpoint is of another segment, or the clip is not as it was. */
  async #goOn(checkpoint: Checkpoint): Promise<boolean> {
    for (const way of waysToGoOn(checkpoint, this.#stages.settings.sampling)) {
      const decoding = await this.#decoder.open(way)
      const info = await this.#tryThis(decoding.info)
      if (info === undefined) continue
      const [span] = await this.#plan(info)
      if (span?.index !== checkpoint.segment) return false
      if (!(await this.#isAsItWas(decoding, info, checkpoint))) continue
      const { turns, last } = checkpoint
      const start = { info, span, turns, checkpoint, savedAtS: last.timeS }
      this.#current = new SegmentInWork(this.#stages, start)
      this.#job.checkpoints?.onResume(checkpoint.segment, last.timeS)
      return true
    }
    return false
  }

  /** Reads up to the checkpoint's last frame. */
  async #isAsItWas(decoding: DecodeHandle, info: ClipInfo, checkpoint: Checkpoint): Promise<boolean> {
    if (!areSameSizes(info, checkpoint.sizes)) return false
    const frames = turnedFrames(decoding.frames, checkpoint.turns)
    const seam = findSeam(frames, checkpoint, this.#stages.settings.sampling)
    return (await this.#tryThis(seam)) === true
  }

  async #begin(): Promise<void> {
    if (this.#segments?.length === 0) return
    const decoding = await this.#decoder.open(this.#wayFrom(this.#job.startS))
    const info = await decoding.info
    const [span] = await this.#plan(info)
    if (span !== undefined)
      this.#current = new SegmentInWork(this.#stages, { info, span, turns: 0, savedAtS: span.startS })
  }

  #wayFrom(startS: number): Way {
    const { endS, seek } = this.#job
    return { startS, endS, seek }
  }

  /** Once: a clip that is opened again has the segments that it had. */
  async #plan(info: ClipInfo): Promise<readonly SegmentSpan[]> {
    this.#segments ??= [...(await this.#job.plan(info))]
    return this.#segments
  }

  /** What fails by this way may succeed by the next. */
  async #tryThis<T>(result: Promise<T>): Promise<T | undefined> {
    try {
      return await result
    } catch (error) {
      if (this.#job.signal?.aborted === true) throw error
      return undefined
    }
  }

  async *#work(): AsyncGenerator<SegmentOutput> {
    while (this.#current !== undefined) {
      const turns = yield* this.#pass(this.#current.turns)
      if (turns !== undefined) await this.#beginTurned(turns)
    }
  }

  /** The segment under work from its start, turned. */
  async #beginTurned(turns: QuarterTurns): Promise<void> {
    const current = this.#current
    if (current === undefined) return
    const startS = Math.max(this.#job.startS, current.span.startS)
    // Nothing of what was seen is to be saved from now on.
    this.#current = undefined
    const decoding = await this.#decoder.open(this.#wayFrom(startS))
    this.#current = current.turned(await decoding.info, turns)
  }

  /**
   * Goes through the frames, until all segments are done, or the one under work has to be looked at anew: ends with the turns by
   * which.
   */
  async *#pass(turns: QuarterTurns): AsyncGenerator<SegmentOutput, QuarterTurns | undefined> {
    const decoding = this.#decoder.run?.decoding
    if (decoding === undefined) return undefined
    for await (const frame of turnedFrames(decoding.frames, turns)) {
      yield* this.#finishBefore(frame)
      if (this.#current === undefined) return undefined
      const further = await this.#look(this.#current, frame)
      if (further !== 0) return addTurns(turns, further)
    }
    const { truncated } = await decoding.summary
    // A clip that ends before its stated end leaves its last segments empty.
    for (let segment = this.#current; segment !== undefined; segment = this.#current)
      yield await this.#finish(segment, truncated)
    return undefined
  }

  /** The segments that end before the frame. */
  async *#finishBefore({ timeS }: DecodedFrame): AsyncGenerator<SegmentOutput> {
    const { sampling } = this.#stages.settings
    for (let segment = this.#current; segment !== undefined; segment = this.#current) {
      if (slotOf(timeS, sampling) < boundarySlot(segment.span.endS, sampling)) return
      yield await this.#finish(segment, false)
      // That the segments before are done can be told from it.
      this.#save()
    }
  }

  /** How many quarter turns more show faces upright; 0 for a frame before the segment. */
  async #look(segment: SegmentInWork, frame: DecodedFrame): Promise<QuarterTurns> {
    const { sampling } = this.#stages.settings
    if (slotOf(frame.timeS, sampling) < boundarySlot(segment.span.startS, sampling)) return 0
    const { faces, further } = await segment.look(frame)
    this.#job.onFrame?.(frame.timeS, faces)
    if (further === 0 && segment.isDue(frame.timeS, this.#job.checkpoints?.everyS ?? Infinity)) this.#save()
    return further
  }

  async #finish(segment: SegmentInWork, truncated: boolean): Promise<SegmentOutput> {
    this.#segments?.shift()
    const output = await segment.finish(truncated, this.#decoder.run?.decoding.gapsS() ?? [])
    const next = this.#segments?.[0]
    this.#current = next === undefined ? undefined : segment.following(next)
    return output
  }

  /** Gives the segment under work as it is now. */
  #save(): void {
    const { checkpoints } = this.#job
    const { run } = this.#decoder
    if (checkpoints === undefined || run === undefined) return
    const update = this.#current?.checkpoint(run)
    if (update !== undefined) checkpoints.onCheckpoint(update)
  }
}

async function* turnedFrames(
  frames: AsyncIterable<DecodedFrame>,
  turns: QuarterTurns,
): AsyncGenerator<DecodedFrame> {
  for await (const frame of frames) yield turnFrame(frame, turns)
}
