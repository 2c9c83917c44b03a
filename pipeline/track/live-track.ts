import type { BoxXyxyPx } from '../data/geometry.js'
import { rememberLooks, type Looks } from './appearance.js'
import { expect, type Expectation } from './association.js'
import { correctMotion, predictMotion, startMotion, type FaceMotion } from './kalman.js'

/** One detected face. `payload` is returned unchanged with the track's observation. */
export interface TrackInput<T> {
  /** In full-frame pixels; a box without a positive, finite width and height is ignored. */
  readonly box: BoxXyxyPx
  /** Detection score, 0..1. */
  readonly score: number
  /** 16×16 grey values 0..255 of the face region, rows top to bottom; normalised here. */
  readonly appearance?: Uint8Array | Float32Array | undefined
  readonly payload: T
}

export interface TrackObservation<T> {
  readonly timeS: number
  readonly box: BoxXyxyPx
  readonly score: number
  readonly payload: T
}

/**
 * `cut`: a shot ended; `lost`: not seen for too long; `ambiguous`: the decision was too close; `finished`: end of the
 * segment.
 */
export type TrackEnd = 'cut' | 'lost' | 'ambiguous' | 'finished'

export interface Track<T> {
  /** Counts from 0 within one tracker. */
  readonly id: number
  readonly startS: number
  readonly endS: number
  /** At least one, in order of time, at most one per frame. */
  readonly observations: readonly TrackObservation<T>[]
  readonly endedBy: TrackEnd
}

export interface LiveTrack<T> {
  readonly id: number
  readonly observations: TrackObservation<T>[]
  motion: FaceMotion
  looks: Looks | undefined
  lastS: number
  missedFrames: number
}

/** An input with its normalised patch. */
export interface FoundInput<T> {
  readonly input: TrackInput<T>
  /** From `normalisePatch`. */
  readonly patch: Float32Array | undefined
}

export function beginTrack<T>(id: number, { input, patch }: FoundInput<T>, timeS: number): LiveTrack<T> {
  return {
    id,
    observations: [observe(input, timeS)],
    motion: startMotion(input.box),
    looks: rememberLooks(undefined, patch),
    lastS: timeS,
    missedFrames: 0,
  }
}

/** The expected state of the track at that time. */
export function expectAt<T>(
  { motion, lastS, missedFrames, looks }: LiveTrack<T>,
  timeS: number,
): Expectation {
  const gapS = timeS - lastS
  return expect(predictMotion(motion, gapS), { gapS, missedFrames, looks })
}

/** @param predicted its expected motion at `timeS` */
export function continueTrack<T>(
  track: LiveTrack<T>,
  predicted: FaceMotion,
  { input, patch }: FoundInput<T>,
  timeS: number,
): void {
  track.motion = correctMotion(predicted, input.box)
  track.looks = rememberLooks(track.looks, patch)
  track.observations.push(observe(input, timeS))
  track.lastS = timeS
  track.missedFrames = 0
}

export function endTrack<T>({ id, observations, lastS }: LiveTrack<T>, endedBy: TrackEnd): Track<T> {
  return { id, startS: observations[0]?.timeS ?? lastS, endS: lastS, observations, endedBy }
}

function observe<T>({ box, score, payload }: TrackInput<T>, timeS: number): TrackObservation<T> {
  return { timeS, box, score, payload }
}
