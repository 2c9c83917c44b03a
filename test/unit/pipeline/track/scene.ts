/** Synthetic scenes with known identities, for the tracker's tests. */
import type { BoxXyxyPx } from '../../../../pipeline/data/geometry.js'
import type { Track, TrackInput } from '../../../../pipeline/track/live-track.js'
import { Tracker, type TrackerOptions } from '../../../../pipeline/track/tracker.js'

import { seededRandom } from '../../../support/random.js'

export type Random = () => number

/** A standard normal deviate (Box–Muller). */
export function normal(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
}

/** A random unit vector with the expected cosine `cosine` to the unit vector `towards`. */
export function unitNear(towards: Float32Array, cosine: number, random: Random): Float32Array {
  const noise = randomUnit(towards.length, random)
  const across = Math.sqrt(1 - cosine ** 2)
  return unit(towards.map((value, i) => value * cosine + noise[i]! * across))
}

export function randomUnit(dimension: number, random: Random): Float32Array {
  return unit(Float32Array.from({ length: dimension }, () => normal(random)))
}

function unit(vector: Float32Array): Float32Array {
  const norm = Math.sqrt(vector.reduce((sum, value) => sum + value ** 2, 0))
  return vector.map((value) => value / norm)
}

/**
 * Faces at 16×16 differ in few ways. With 12 directions, the correlations of strangers spread by 0.28; 0.26 was
 * measured.
 */
const lookDirections = 12
const lookBasis = ((random: Random) => Array.from({ length: lookDirections }, () => randomUnit(256, random)))(
  seededRandom(1),
)
const sharedFace = Float32Array.from({ length: lookDirections }, (_, i) => (i === 0 ? 1 : 0))

/**
 * Grey patches that correlate like those measured on real faces. Patches of one person correlate from frame to frame by
 * 0.9 (median; 5 % below about 0.6), those of two people by about 0.26 ± 0.25 (what all faces share, and chance).
 */
export function createLooks(random: Random): { next(): Float32Array } {
  const own = unitNear(sharedFace, Math.sqrt(0.26), random)
  return {
    next() {
      const cosine = random() < 0.05 ? 0.7 : Math.max(0.8, 1 - 0.05 * Math.abs(normal(random)))
      const weights = unitNear(own, cosine, random)
      const patch = new Float32Array(256).fill(128)
      for (const [i, direction] of lookBasis.entries()) {
        for (let pixel = 0; pixel < 256; pixel++) patch[pixel]! += 500 * weights[i]! * direction[pixel]!
      }
      return patch
    },
  }
}

export interface Actor {
  /** The true place of the face at a time; `undefined` while it is not in the picture. */
  readonly at: (timeS: number) => { x: number; y: number; size: number } | undefined
  /** Default 0.9. */
  readonly score?: (timeS: number) => number
}

export interface Scene {
  readonly actors: readonly Actor[]
  readonly timesS: readonly number[]
  readonly random: Random
  readonly withLooks: boolean
  /** Standard deviation of box edges' position, in face sizes. Default 0.04. */
  readonly jitter?: number
  /** Whether the detector misses this actor's face in this frame. Default never. */
  readonly isMissed?: (actor: number, timeS: number, frame: number) => boolean
}

/** Runs a tracker over the scene; each observation's payload is the true actor's index. */
export function track(scene: Scene, options: TrackerOptions = {}): readonly Track<number>[] {
  const { actors, timesS, random, withLooks, jitter = 0.04, isMissed = () => false } = scene
  const looks = actors.map(() => createLooks(random))
  const tracker = new Tracker<number>(options)
  const tracks: Track<number>[] = []
  for (const [frame, timeS] of timesS.entries()) {
    const inputs: TrackInput<number>[] = []
    for (const [index, actor] of actors.entries()) {
      const place = actor.at(timeS)
      if (place === undefined || isMissed(index, timeS, frame)) continue
      inputs.push({
        box: jittered(place, jitter, random),
        score: actor.score?.(timeS) ?? 0.9,
        appearance: withLooks ? looks[index]!.next() : undefined,
        payload: index,
      })
    }
    inputs.sort(() => random() - 0.5)
    tracks.push(...tracker.update({ timeS, inputs }).ended)
  }
  return [...tracks, ...tracker.finish()]
}

function jittered(
  { x, y, size }: { x: number; y: number; size: number },
  jitter: number,
  random: Random,
): BoxXyxyPx {
  const shift = (): number => normal(random) * jitter * size
  const halfWidth = (size * 0.9) / 2
  const halfHeight = size / 0.9 / 2
  return [
    x - halfWidth + shift(),
    y - halfHeight + shift(),
    x + halfWidth + shift(),
    y + halfHeight + shift(),
  ]
}

/** Sampling times at `fps` from 0 to `seconds`, inclusive. */
export function evenTimes(seconds: number, fps = 4): number[] {
  return Array.from({ length: Math.floor(seconds * fps) + 1 }, (_, k) => k / fps)
}

/** Tracks with observations of more than one actor: identity switches. */
export function mixed(tracks: readonly Track<number>[]): readonly Track<number>[] {
  return tracks.filter(({ observations }) => new Set(observations.map((o) => o.payload)).size > 1)
}
