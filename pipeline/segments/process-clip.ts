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
  /** Decoding begins here, s; the start of a segment. */
  readonly startS: number
  /** ... and ends here at the latest. */
  readonly endS: number
  /** `fromStart` decodes from the clip's beginning and drops everything before `startS`. */
  readonly seek: 'fast' | 'fromStart'
  /**
   * Called once the clip is open. Returns the consecutive segments that this job has to process; none begins before
   * `startS`.
   */
  readonly plan: (info: ClipInfo) => Promise<readonly SegmentSpan[]>
  /** ffmpeg starts at once, but its frames are processed only after this promise resolves. */
  readonly turn?: Promise<void>
  readonly signal?: AbortSignal
  /** Called with the time of each processed frame, s, and the number of faces found in it. */
  readonly onFrame?: (timeS: number, faces: number) => void
  readonly checkpoints?: CheckpointOptions
  /** Checkpoint of the first wanted segment. The job continues from it if it can be trusted. */
  readonly resume?: StoredCheckpoint | undefined
}

/**
 * Clip in, tracks out: decode → detect → align → track → embed → describe, one segment after the other, frame by frame.
 * Memory holds only a few frames, and the best faces of the tracks that are in view.
 * @throws CameoError: CLIP_*, like `openFrames`
 */
export async function* processClip(job: ClipJob, stages: Stages): AsyncGenerator<SegmentOutput> {
  const run = new ClipRun(job, stages)
  try {
    yield* run.outputs()
  } finally {
    await run.close()
  }
}

/**
 * One job: opens the clip, continues a segment from its checkpoint if possible, and processes the frames of each
 * segment in turn.
 */
class ClipRun {
  readonly #job: ClipJob
  readonly #stages: Stages
  readonly #decoder: ClipDecoder
  /** The segments that are not done yet, the current one first; undefined before the clip is open and planned. */
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
      // A stop loses no work.
      if (signal?.aborted === true && this.#current?.canSaveMore === true) this.#save()
      throw error
    }
  }

  async close(): Promise<void> {
    await this.#decoder.close()
  }

  /** False if the checkpoint belongs to another segment, or if the clip has changed. */
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

  /** The plan is made once: a clip that is opened again keeps its segments. */
  async #plan(info: ClipInfo): Promise<readonly SegmentSpan[]> {
    this.#segments ??= [...(await this.#job.plan(info))]
    return this.#segments
  }

  /** Returns undefined on a failure: the next way to decode may succeed. */
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

  /** Starts the current segment again, turned. */
  async #beginTurned(turns: QuarterTurns): Promise<void> {
    const current = this.#current
    if (current === undefined) return
    const startS = Math.max(this.#job.startS, current.span.startS)
    // From now on, nothing that was seen so far may be saved.
    this.#current = undefined
    const decoding = await this.#decoder.open(this.#wayFrom(startS))
    this.#current = current.turned(await decoding.info, turns)
  }

  /**
   * Processes the frames until all segments are done, or until the current one has to start again. In that case it
   * returns the quarter turns for the new start.
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
    // If a clip ends before its stated end, its last segments are empty.
    for (let segment = this.#current; segment !== undefined; segment = this.#current)
      yield await this.#finish(segment, truncated)
    return undefined
  }

  /** Finishes the segments that end before the frame. */
  async *#finishBefore({ timeS }: DecodedFrame): AsyncGenerator<SegmentOutput> {
    const { sampling } = this.#stages.settings
    for (let segment = this.#current; segment !== undefined; segment = this.#current) {
      if (slotOf(timeS, sampling) < boundarySlot(segment.span.endS, sampling)) return
      yield await this.#finish(segment, false)
      // The new checkpoint also shows that the segments before it are done.
      this.#save()
    }
  }

  /** How many more quarter turns show the faces upright; 0 for a frame before the segment. */
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

  /** Saves the current segment in its current state. */
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
