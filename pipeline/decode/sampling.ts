/** Which frames of a clip are sampled. */
export type Sampling =
  /** Sample k is the first frame at or after k / fps seconds. A frame serves only one sample. */
  | { readonly kind: 'fps'; readonly fps: number }
  /** Every key frame. */
  | { readonly kind: 'keyframes' }

/** A stretch of a clip's own clock: seconds since its first timestamp, end exclusive. */
export interface TimeRange {
  readonly startS: number
  readonly endS: number
}

/** Half a tick of the coarsest usual time base (1 ms in Matroska and FLV), so that a rounded 0.9995 s is second 1. */
export const timeToleranceS = 0.0006

/** While a long stretch before the segment is skipped, frames at this distance show that decoding continues. */
const heartbeatS = 5

/** The grid slot of a time: floor(t × fps), or the time itself if every key frame counts. Rises with time. */
export function slotOf(timeS: number, sampling: Sampling): number {
  return sampling.kind === 'fps'
    ? Math.floor((timeS + timeToleranceS) * sampling.fps)
    : timeS + timeToleranceS
}

/** The slot at which a boundary (a multiple of 1/fps) begins, without the boundary's own rounding error. */
export function boundarySlot(boundaryS: number, sampling: Sampling): number {
  return sampling.kind === 'fps' ? Math.round(boundaryS * sampling.fps) : boundaryS
}

/**
 * Conditions for ffmpeg's select filters. `first` passes the wanted frames of the range. It also passes key frames
 * before the range and a frame every few seconds, which show that decoding continues and where it started. `second`
 * drops everything that is not wanted; it is undefined if `first` passes only wanted frames. The arithmetic is that of
 * `slotOf`, in doubles.
 */
export function selectExpressions(
  sampling: Sampling,
  range: TimeRange,
): { readonly first: string; readonly second: string | undefined } {
  const slot = (time: string) =>
    sampling.kind === 'fps'
      ? `floor((${time}+${timeToleranceS})*${sampling.fps})`
      : `(${time}+${timeToleranceS})`
  // Each select filter compares with the frame that it passed last.
  const wanted =
    sampling.kind === 'fps' ? `isnan(prev_selected_t)+gt(${slot('t')},${slot('prev_selected_t')})` : 'key'
  const start = boundarySlot(range.startS, sampling)
  const end = boundarySlot(range.endS, sampling)
  const beforeEnd = (condition: string) =>
    end === Infinity ? condition : `if(lt(${slot('t')},${end}),${condition},0)`
  const isDense = sampling.kind === 'fps' && sampling.fps * heartbeatS >= 1
  if (range.startS === 0 && isDense) return { first: beforeEnd(wanted), second: undefined }

  // Also passes a frame if the clock jumps back, so that the jump is noticed.
  const heartbeat = `isnan(prev_selected_t)+gte(abs(t-prev_selected_t),${heartbeatS})+lt(t,prev_selected_t-1)`
  return {
    first: `if(lt(${slot('t')},${start}),key+${heartbeat},${beforeEnd(`${wanted}+${heartbeat}`)})`,
    second: `if(lt(${slot('t')},${start}),0,${wanted})`,
  }
}
