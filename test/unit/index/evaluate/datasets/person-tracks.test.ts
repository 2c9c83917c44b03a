import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { FeatureSet } from '../../../../../index/evaluate/data/feature-set.js'
import {
  centreOf,
  personTracks,
  tracksOfClips,
} from '../../../../../index/evaluate/datasets/person-tracks.js'
import { encodeFloat16 } from '../../../../../pipeline/data/float16.js'
import { poolTracks } from '../../../../../pipeline/training/face-columns.js'
import { gaussian } from '../../../../../pipeline/common/seeded-random.js'
import { seededRandom } from '../../../../support/random.js'

interface Track {
  readonly vector: readonly number[]
  /** Of its faces. */
  readonly qualities: readonly number[]
}

/** Tracks of each clip, every face of a track with the same vector. */
function featuresOf(clips: readonly (readonly Track[])[]): FeatureSet {
  const tracks = clips.flatMap((own, clip) => own.map((track) => ({ ...track, clip })))
  const firstFace = [0]
  for (const { qualities } of tracks) firstFace.push(firstFace.at(-1)! + qualities.length)
  return {
    columns: [
      {
        ...{ digest: 'synthetic', name: 'synthetic', dimension: tracks[0]?.vector.length ?? 0 },
        embeddings: encodeFloat16(
          Float32Array.from(tracks.flatMap(({ vector, qualities }) => qualities.flatMap(() => vector))),
        ),
      },
    ],
    clipNames: clips.map((_, clip) => `c${clip}.mp4`),
    trackClips: Int32Array.from(tracks, ({ clip }) => clip),
    firstFace: Int32Array.from(firstFace),
    qualities: Float32Array.from(tracks.flatMap(({ qualities }) => qualities)),
  }
}

/** The chosen track of each clip, counted within its clip. */
function chosenOf(clips: readonly (readonly Track[])[], wanted = [...clips.keys()]): number[] {
  const features = featuresOf(clips)
  const first = tracksOfClips(features)
  const tracks = personTracks(features, first, poolTracks(features, 'quality'), wanted)
  return tracks.map((track) => track - first[features.trackClips[track]!]!)
}

describe("a person's tracks", () => {
  const [x, y] = [
    [1, 0, 0],
    [0, 1, 0],
  ]

  it('are found by the first and last track of each clip, including clips without tracks', () => {
    const features = featuresOf([[], [{ vector: x, qualities: [1] }, { vector: y, qualities: [1, 1] }], [], [{ vector: x, qualities: [1] }]]) // prettier-ignore
    assert.deepEqual([...tracksOfClips(features)], [0, 0, 2, 2, 3])
  })

  it('of a single clip are the one seen best and longest', () => {
    const brief: Track = { vector: x, qualities: [0.9] }
    const long: Track = { vector: y, qualities: [0.6, 0.6, 0.6] }
    assert.deepEqual(chosenOf([[brief, long]]), [1])
    assert.deepEqual(chosenOf([[long, brief]]), [0])
  })

  it('are missing for clips without a track', () => {
    const track: Track = { vector: x, qualities: [1] }
    assert.deepEqual(chosenOf([[], [track], [], [track]]), [0, 0])
    assert.deepEqual(chosenOf([[], [track]], [0]), [])
  })

  it('exclude bystanders who are seen better in some clips', () => {
    const random = seededRandom(11)
    const dimension = 32
    const vector = () => Array.from({ length: dimension }, () => gaussian(random))
    for (let trial = 0; trial < 20; trial++) {
      const person = vector()
      const places: number[] = []
      const clips = Array.from({ length: 12 }, (_, clip) => {
        const own: Track = {
          vector: person.map((value) => value + 0.6 * gaussian(random)),
          qualities: [0.5, 0.5],
        }
        // A third of the clips show a stranger for longer.
        const others = Array.from({ length: Math.floor(random() * 4) }, (): Track => ({
          vector: vector(),
          qualities: clip % 3 === 0 ? [0.9, 0.9, 0.9] : [0.4],
        }))
        const place = Math.floor(random() * (others.length + 1))
        places.push(place)
        return [...others.slice(0, place), own, ...others.slice(place)]
      })
      assert.deepEqual(chosenOf(clips), places)
    }
  })

  it('are found from each other, even if updating all at once would loop forever', () => {
    // Person p ≈ [1, 0, ·]; strangers s1, s2 resemble each other a little and are nothing like the person.
    const p1: Track = { vector: [1, 0, 0.1], qualities: [0.5] }
    const p2: Track = { vector: [1, 0, -0.1], qualities: [0.9] }
    const s1: Track = { vector: [0, 1, 0.6], qualities: [0.9] }
    const s2: Track = { vector: [0, 0.6, 1], qualities: [0.5] }
    assert.deepEqual(
      chosenOf([
        [s1, p1],
        [p2, s2],
      ]),
      [1, 0],
    )
  })

  it('have a centre of length 1', () => {
    const centre = centreOf(Float32Array.from([1, 0, 0, 1, 9, 9]), 2, [0, 1])
    assert.ok(Math.abs(centre[0]! - Math.SQRT1_2) < 1e-6 && Math.abs(centre[1]! - Math.SQRT1_2) < 1e-6)
  })
})
