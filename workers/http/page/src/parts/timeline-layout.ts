/** A stretch of a clip, s. */
export interface Stretch {
  readonly startS: number
  readonly endS: number
}

/** Where a stretch is drawn, px from the left. */
export interface Bar {
  readonly leftPx: number
  readonly widthPx: number
}

/**
 * Where a stretch of a clip is drawn on a line. A short one gets at least `leastPx`, and stays on the line.
 * @param durationS length of the clip
 */
export function barOf(
  { startS, endS }: Stretch,
  durationS: number,
  { widthPx, leastPx = 3 }: { readonly widthPx: number; readonly leastPx?: number },
): Bar {
  const scale = durationS > 0 ? widthPx / durationS : 0
  const own = Math.max(leastPx, (Math.min(endS, durationS) - startS) * scale)
  const width = Math.min(own, widthPx)
  return { leftPx: Math.max(0, Math.min(startS * scale, widthPx - width)), widthPx: width }
}

const stepsS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 36_000]

/** Times for marks below a line: round, at least `leastPx` from each other and from the end of the clip. */
export function marksOf(durationS: number, widthPx: number, leastPx = 70): readonly number[] {
  if (!(durationS > 0) || widthPx <= 0) return []
  const stepS = stepsS.find((step) => (step / durationS) * widthPx >= leastPx) ?? durationS
  const lastS = durationS * (1 - leastPx / widthPx)
  return lastS < 0 ? [] : Array.from({ length: Math.floor(lastS / stepS) + 1 }, (_, i) => i * stepS)
}
