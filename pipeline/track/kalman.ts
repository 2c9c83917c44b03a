/**
 * Motion of one face: a constant-velocity Kalman filter, as SORT (Bewley et al. 2016) and ByteTrack (Zhang et al. 2022)
 * use it on (centre, size, aspect). Two differences are needed for a sampling of a few frames per second. Time steps
 * are real seconds, because sampled frames are not evenly spaced (SORT counts frames). All noise is in units of the
 * face's size, as ByteTrack scales by box height, so that a near face may move by more pixels.
 *
 * With diagonal noise, the eight-dimensional filter splits into independent axes of two values (position, velocity).
 * Each axis is filtered separately: the mathematics is the same, without a matrix library.
 */
import type { BoxXyxyPx } from '../data/geometry.js'

/** Gaussian belief about one coordinate: mean (position, velocity per second) and the 2×2 covariance. */
export interface AxisBelief {
  readonly position: number
  readonly velocity: number
  readonly varPosition: number
  readonly covariance: number
  readonly varVelocity: number
}

export interface AxisNoise {
  /** Standard deviation of one measurement. */
  readonly measured: number
  /** Standard deviation of the velocity before a second observation, per second. */
  readonly initialVelocity: number
  /** Standard deviation of the velocity's change within one second (white-noise acceleration). */
  readonly velocityDrift: number
}

/** Belief about a face: centre in pixels, natural logarithm of size (√area, px) and of aspect (width / height). */
export interface FaceMotion {
  readonly x: AxisBelief
  readonly y: AxisBelief
  readonly logSize: AxisBelief
  readonly logAspect: AxisBelief
}

/**
 * For the centre, in face sizes. 0.07: the jitter of box centres on a still face at a detector's 320×240. 2 sizes per
 * second covers half a face width between samples at 4 fps within one standard deviation, and the 6 sizes per second of
 * a running person within three. 1.5: people start and stop within a second.
 */
export const centreNoise: AxisNoise = { measured: 0.07, initialVelocity: 2, velocityDrift: 1.5 }

/**
 * For ln(size): boxes jitter by 8 %. Walking towards the camera, or a zoom, changes the size by a few tens of % per
 * second.
 */
export const logSizeNoise: AxisNoise = { measured: 0.08, initialVelocity: 0.3, velocityDrift: 0.3 }

/** For ln(aspect): it changes only when the head turns, so it hardly has a velocity (SORT keeps it constant). */
export const logAspectNoise: AxisNoise = { measured: 0.1, initialVelocity: 0.05, velocityDrift: 0.1 }

/**
 * A velocity is useful for about the next second. After a longer gap (keyframe sampling, frozen video), the best guess
 * is the face's last place, and the velocity is forgotten.
 */
export const velocityHorizonS = 1.5

/** A belief from one measurement; `scale` multiplies the noise (the face's size for pixels, 1 for logarithms). */
export function startAxis(measured: number, noise: AxisNoise, scale = 1): AxisBelief {
  return {
    position: measured,
    velocity: 0,
    varPosition: (noise.measured * scale) ** 2,
    covariance: 0,
    varVelocity: (noise.initialVelocity * scale) ** 2,
  }
}

/** The belief `dtS` seconds later, `dtS` ≥ 0. Beyond the horizon, the position stays and the velocity is forgotten. */
export function predictAxis(belief: AxisBelief, dtS: number, noise: AxisNoise, scale = 1): AxisBelief {
  const { position, velocity, varPosition, covariance, varVelocity } = belief
  const forgotten = (noise.initialVelocity * scale) ** 2
  if (dtS > velocityHorizonS) {
    const spread = forgotten * velocityHorizonS ** 2
    return { position, velocity: 0, varPosition: varPosition + spread, covariance: 0, varVelocity: forgotten }
  }
  const drift = (noise.velocityDrift * scale) ** 2
  return {
    position: position + velocity * dtS,
    velocity,
    varPosition: varPosition + 2 * covariance * dtS + varVelocity * dtS ** 2 + (drift * dtS ** 3) / 3,
    covariance: covariance + varVelocity * dtS + (drift * dtS ** 2) / 2,
    varVelocity: varVelocity + drift * dtS,
  }
}

/** The belief after a measurement at the belief's own time. */
export function correctAxis(belief: AxisBelief, measured: number, noise: AxisNoise, scale = 1): AxisBelief {
  const variance = belief.varPosition + (noise.measured * scale) ** 2
  const gainPosition = belief.varPosition / variance
  const gainVelocity = belief.covariance / variance
  const innovation = measured - belief.position
  return {
    position: belief.position + gainPosition * innovation,
    velocity: belief.velocity + gainVelocity * innovation,
    varPosition: (1 - gainPosition) * belief.varPosition,
    covariance: (1 - gainPosition) * belief.covariance,
    varVelocity: belief.varVelocity - gainVelocity * belief.covariance,
  }
}

/** A box in the filter's coordinates: centre (px), ln √area and ln(width / height). */
export interface BoxMeasure {
  readonly x: number
  readonly y: number
  readonly logSize: number
  readonly logAspect: number
}

/** The box must have a positive width and height. */
export function measureBox([x1, y1, x2, y2]: BoxXyxyPx): BoxMeasure {
  const logWidth = Math.log(x2 - x1)
  const logHeight = Math.log(y2 - y1)
  return {
    x: (x1 + x2) / 2,
    y: (y1 + y2) / 2,
    logSize: (logWidth + logHeight) / 2,
    logAspect: logWidth - logHeight,
  }
}

/** Believed size of the face, √area in pixels. */
export function sizePx(motion: FaceMotion): number {
  return Math.exp(motion.logSize.position)
}

export function startMotion(box: BoxXyxyPx): FaceMotion {
  const measured = measureBox(box)
  const size = Math.exp(measured.logSize)
  return {
    x: startAxis(measured.x, centreNoise, size),
    y: startAxis(measured.y, centreNoise, size),
    logSize: startAxis(measured.logSize, logSizeNoise),
    logAspect: startAxis(measured.logAspect, logAspectNoise),
  }
}

/** The face `dtS` seconds after the last correction. */
export function predictMotion(motion: FaceMotion, dtS: number): FaceMotion {
  const size = sizePx(motion)
  return {
    x: predictAxis(motion.x, dtS, centreNoise, size),
    y: predictAxis(motion.y, dtS, centreNoise, size),
    logSize: predictAxis(motion.logSize, dtS, logSizeNoise),
    logAspect: predictAxis(motion.logAspect, dtS, logAspectNoise),
  }
}

/** `predicted` (for the time of the box), corrected by the observed box. */
export function correctMotion(predicted: FaceMotion, box: BoxXyxyPx): FaceMotion {
  const size = sizePx(predicted)
  const measured = measureBox(box)
  return {
    x: correctAxis(predicted.x, measured.x, centreNoise, size),
    y: correctAxis(predicted.y, measured.y, centreNoise, size),
    logSize: correctAxis(predicted.logSize, measured.logSize, logSizeNoise),
    logAspect: correctAxis(predicted.logAspect, measured.logAspect, logAspectNoise),
  }
}

export function boxOfMotion(motion: FaceMotion): BoxXyxyPx {
  const size = sizePx(motion)
  const rootAspect = Math.exp(motion.logAspect.position / 2)
  const halfWidth = (size * rootAspect) / 2
  const halfHeight = size / rootAspect / 2
  const { x, y } = motion
  return [x.position - halfWidth, y.position - halfHeight, x.position + halfWidth, y.position + halfHeight]
}
