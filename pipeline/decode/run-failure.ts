import { clipName } from '../common/display-name.js'
import { CameoError } from '../common/errors.js'
import { isReadable } from './clip-file.js'
import { explainFailure, timeLost } from './failures.js'
import type { DecodePlan } from './ffmpeg-arguments.js'
import type { InputInfo } from './ffmpeg-log.js'
import { mayEndInIoError } from './formats.js'
import { RestartNeeded } from './plan-change.js'

/** What is known of a run of ffmpeg that nobody stopped. */
export interface EndedRun {
  readonly path: string
  readonly plan: DecodePlan
  /** Undefined where ffmpeg ended well. */
  readonly exit: Error | undefined
  /** ffmpeg's messages of level error and above. */
  readonly problems: readonly string[]
  /** Undefined where ffmpeg did not come to know the file. */
  readonly input: InputInfo | undefined
  readonly hasFrames: boolean
  /** Pixels came of which no line told the time. */
  readonly holdsFrame: boolean
  /** It began by a seek, and no key frame before its range was seen. */
  readonly isSeekUnclear: boolean
  /** Frames were decoded, though none of the range that could be used. */
  readonly sawDamagedFrames: boolean
}

/** Why a run failed; undefined where it decoded its range to the end, or as far as the clip can be decoded. */
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
    // A segment after the last frame or within damage is empty, a whole clip without a frame is not a clip.
    if (plan.range.startS > 0 || run.sawDamagedFrames) return undefined
  }
  return explain()
}
