/** Tracks as they are grouped, by row. */
export interface TracksToGroup {
  readonly count: number
  readonly dimension: number
  /** [count, dimension]: descriptors, L2-normalised. */
  readonly vectors: Float32Array
  /** [count]: quality of the best face, 0..1. */
  readonly qualities: Float32Array
  /** [count]: number of the clip. */
  readonly clips: Int32Array
  /** [count + 1]: where the appearances of each track begin in `startsS` and `endsS`. */
  readonly firstSpan: Uint32Array
  /** First and last sampled frame of each appearance, in seconds. */
  readonly startsS: Float64Array
  readonly endsS: Float64Array
}

/** True if both tracks were found in one frame of one clip: then they show two people. */
export function shareFrames(
  { clips, firstSpan, startsS, endsS }: Omit<TracksToGroup, 'vectors' | 'qualities'>,
  a: number,
  b: number,
): boolean {
  if (clips[a] !== clips[b]) return false
  const [endOfA = 0, endOfB = 0] = [firstSpan[a + 1], firstSpan[b + 1]]
  for (let i = firstSpan[a] ?? 0; i < endOfA; i++)
    for (let j = firstSpan[b] ?? 0; j < endOfB; j++)
      if ((startsS[i] ?? 0) <= (endsS[j] ?? 0) && (startsS[j] ?? 0) <= (endsS[i] ?? 0)) return true
  return false
}
