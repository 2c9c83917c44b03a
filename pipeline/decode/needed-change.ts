import type { DecodePlan } from './ffmpeg-arguments.js'
import type { InputInfo } from './ffmpeg-log.js'
import { filmCandidates, filmOf } from './film-stream.js'
import { maySkipNonKey, retimingOf } from './formats.js'
import type { PlanChange } from './plan-change.js'

/**
 * What the next run of ffmpeg has to do differently, judging by the input; undefined if the plan fits. One change at a
 * time.
 */
export function changeForInput(input: InputInfo, plan: DecodePlan): PlanChange | undefined {
  const candidates = filmCandidates(input.streams)
  if (candidates.length > 1 && plan.stream === undefined) return { kind: 'chooseFilm', candidates }
  const retiming = retimingOf(input.container)
  if (retiming !== undefined && plan.retiming === undefined) return { kind: 'retime', retiming }
  if (plan.sampling.kind !== 'keyframes' || plan.skipNonKey || plan.logsAllFrames === true) return undefined
  const codec = filmOf(input.streams, plan.stream)?.codec ?? ''
  return maySkipNonKey(codec, input.durationS) ? { kind: 'skipNonKey' } : undefined
}

/**
 * Key frames may state a rotation; those of H.264 and HEVC do. ffmpeg turns only these key frames, not the frames
 * between them. A rotation that the container states, it applies to all frames.
 * @param degrees the rotation that a key frame states
 */
export function changeForOrientation(
  degrees: number,
  input: Pick<InputInfo, 'streams'> | undefined,
  { stream, turnDegrees }: Pick<DecodePlan, 'stream' | 'turnDegrees'>,
): PlanChange | undefined {
  const film = filmOf(input?.streams ?? [], stream)
  return film?.rotation === 0 && turnDegrees === undefined && degrees !== 0
    ? { kind: 'turn', degrees }
    : undefined
}
