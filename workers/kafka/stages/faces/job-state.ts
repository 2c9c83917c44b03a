import { CameoError } from '../../../../pipeline/common/errors.js'
import { segmentLengthS } from '../../../../pipeline/recipe/recipe.js'
import { segmentSpan } from '../../../../pipeline/segments/segment-spans.js'
import type { SegmentSpan } from '../../../../pipeline/segments/segment.js'
import type { OpenedClip } from '../../../remote-clips/opened-clip.js'
import type { SegmentRequest } from '../../../threads/thread-messages.js'
import type { Received } from '../../broker/received.js'
import type { JobMessage, WirePlan } from '../../messages/schemas.js'
import { jobName } from './job-checkpoints.js'

/** What is known of a job so far. Kept between attempts. */
export interface JobState {
  readonly job: JobMessage
  readonly pass: string
  /** The job's name in the checkpoint folder. */
  readonly name: string
  clip: OpenedClip | undefined
  clipId: string | undefined
  plan: WirePlan | undefined
  request: SegmentRequest
  /** This job's segments without published output. */
  left: readonly SegmentSpan[]
}

/**
 * @param isSuspected workers died over the job. A long clip is then split into one job per segment, so that
 * only one segment fails
 * @throws MESSAGE_INVALID
 */
export function startState(job: JobMessage, message: Received, isSuspected: boolean): JobState {
  const { partition, offset } = message
  const nothing = {
    job,
    pass: `${partition}/${offset}`,
    name: jobName(message),
    clip: undefined,
    clipId: undefined,
    plan: undefined,
    left: [],
  }
  if (job.kind === 'clip') return { ...nothing, request: { kind: 'open', isDivided: isSuspected } }
  const { plan, segment, recipe } = job
  if (segment >= plan.segments)
    throw new CameoError(
      'MESSAGE_INVALID',
      `the job names segment ${segment} of ${plan.segments}, which count from 0`,
    )
  const span = segmentSpan(segment, plan.segments, segmentLengthS(recipe.settings))
  return {
    ...nothing,
    ...{ plan, clipId: plan.clipId, left: [span] },
    request: { kind: 'segments', segments: [span], seek: 'fast' },
  }
}
