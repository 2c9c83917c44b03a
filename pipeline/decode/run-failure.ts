import { clipName } from '../common/display-name.js'
import { CameoError } from '../common/errors.js'
import { isReadable } from './clip-file.js'
import { explainFailure, timeLost } from './failures.js'
import type { DecodePlan } from './ffmpeg-arguments.js'
import type { InputInfo } from './ffmpeg-log.js'
import { mayEndInIoError } from './formats.js'
import { RestartNeeded } from './plan-change.js'

/** What is known about an ffmpeg run that nobody stopped. */
export interface EndedRun {
  readonly path: string
  readonly plan: DecodePlan
  /** Undefined if ffmpeg exited with code 0. */
  readonly exit: Error | undefined
  /** ffmpeg's messages of level error and above. */
  readonly problems: readonly string[]
  /** Undefined if ffmpeg could not describe the file. */
  readonly input: InputInfo | undefined
  readonly hasFrames: boolean
  /** Pixels arrived without a line that gives their time. */
  readonly holdsFrame: boolean
  /** The run began with a seek, and no key frame before its range was seen. */
  readonly isSeekUnclear: boolean
  /** Frames were decoded, but no usable frame of the range. */
  readonly sawDamagedFrames: boolean
}

/** Why a run failed; undefined if it decoded its range to the end, or as far as the clip can be decoded. */
export async function failureOfRun(run: EndedRun): Promise<Error | undefined> {
  const { path, plan, exit, problems, input } = run
  const explain = () => explainFailure({ path, problems, input, stream: plan.stream, exit })
  const unreadable = problems.find((text) => /: (Input\/output error|Stale file handle)$/.test(text))
  const mayBeEnd = mayEndInIoError(input?.container)
  if (unreadable !== undefined && !(mayBeEnd && (await isReadable(path))))
    return new CameoError('CLIP_UNREADABLE', `${clipName(path)} could not be read to its end: ${unreadable}`)
  if (exit instanceof CameoError) return exit
  if (exit !== undefined && /killed with signal/.test(exit.message)) return explain()
  if (run.hasFrames) return undefined
  if (run.holdsFrame) return timeLost(path, problems.length > 0)
  if (input !== undefined && exit === undefined) {
    if (run.isSeekUnclear) return new RestartNeeded({ kind: 'seekEarlier' })
    // A segment after the last frame or within damage is empty; a whole clip without a frame is an error.
    if (plan.range.startS > 0 || run.sawDamagedFrames) return undefined
  }
  return explain()
}
