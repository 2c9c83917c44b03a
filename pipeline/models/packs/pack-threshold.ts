import type { Pack } from './pack.js'

/** Used if a pack has no calibrated threshold: within the usual range of ArcFace models, on the strict side. */
export const uncalibratedThreshold = 0.4

/** The score from which two faces count as one person, for any archive: few pairs of different people reach it. */
export function thresholdOfModels({ calibration }: Pick<Pack, 'calibration'>): number {
  return calibration?.threshold ?? uncalibratedThreshold
}
