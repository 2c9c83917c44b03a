import type { Pack } from './pack.js'

/** Used where a pack says no calibrated threshold: between the usual ones of ArcFace models, on the careful side. */
export const uncalibratedThreshold = 0.4

/** From which score two faces count as one person's, whatever the archive: of pairs of different people few reach it. */
export function thresholdOfModels({ calibration }: Pick<Pack, 'calibration'>): number {
  return calibration?.threshold ?? uncalibratedThreshold
}
