/** Which frames of a clip are wanted. */
export type Sampling =
  /** Sample k is the first frame at or after k / fps seconds; a frame serves one sample only. */
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

/** Frames this far apart show that decoding goes on while a long stretch before the segment is skipped. */
const heartbeatS = 5

/** The grid slot of a time: floor(t × fps), or the time itself where every key frame counts. Rises with time. */
export function slotOf(timeS: number, sampling: Sampling): number {
  return sampling.kind === 'fps'
    ? Math.floor((timeS + timeToleranceS) * sampling.fps)
    : timeS + timeToleranceS
}

/** The slot at which a boundary (a multiple of 1/fps) begins, free of the boundary's own rounding. */
export function boundarySlot(boundaryS: number, sampling: Sampling): number {
  return sampling.kind === 'fps' ? Math.round(boundaryS * sampling.fps) : boundaryS
}

/**
 * Conditions for ffmpeg's select filter. `first` passes the samples of the range and, where frames before the range
 * are decoded (`withAnchors`), their key frames and a heartbeat; `second` then drops what lies before the range.
 * The same arithmetic as `slotOf`, in doubles on both sides.
 */
export function selectExpressions(
  sampling: Sampling,
  range: TimeRange,
  withAnchors: boolean,
): { readonly first: string; readonly second: string } {
  const slot = (time: string) =>
    sampling.kind === 'fps'
      ? `floor((${time}+${timeToleranceS})*${sampling.fps})`
      : `(${time}+${timeToleranceS})`
  const start = boundarySlot(range.startS, sampling)
  const end = boundarySlot(range.endS, sampling)
  const wanted =
    sampling.kind === 'fps' ? `isnan(prev_selected_t)+gt(${slot('t')},${slot('prev_selected_t')})` : 'key'
  const beforeEnd = end === Infinity ? wanted : `if(lt(${slot('t')},${end}),${wanted},0)`
  if (!withAnchors) return { first: beforeEnd, second: '1' }
  // A clock that jumps back is passed on too, so that it is noticed.
  const sample = `${beforeEnd}+lt(t,prev_selected_t-1)`
  const anchor = `key+isnan(prev_selected_t)+gte(abs(t-prev_selected_t),${heartbeatS})`
  return { first: `if(lt(${slot('t')},${start}),${anchor},${sample})`, second: `gte(${slot('t')},${start})` }
}
