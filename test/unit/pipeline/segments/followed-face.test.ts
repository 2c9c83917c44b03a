import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { encodeFloat16 } from '../../../../pipeline/data/float16.js'
import { FollowedFace, likeliestChange } from '../../../../pipeline/segments/followed-face.js'
import type { Stretch } from '../../../../pipeline/segments/stretch.js'
import { seededRandom } from '../../../support/random.js'
import { randomUnit, unitNear } from '../track/scene.js'

const [stepS, facesPerTrack] = [0.25, 3]

/** The share of each person in a face: a dissolve shows two. */
type Blend = readonly (readonly [person: string, share: number])[]

const blends = (letters: string): Blend[] => Array.from(letters, (letter): Blend => [[letter, 1]])

/** "A" changes into "B" in this many frames. */
const dissolve = (frames: number): Blend[] =>
  Array.from({ length: frames }, (_, k): Blend => {
    const share = (k + 1) / (frames + 1)
    return [
      ['A', 1 - share],
      ['B', share],
    ]
  })

/**
 * Follows faces at 4 per second. The patch of a face is a noise pattern of its person. '?' is too blurred to resemble
 * anybody; '-' is not a face.
 */
async function stretchesOf(
  faces: readonly Blend[],
  { seed = 1, hasPatches = true, quality = (random: () => number) => 0.5 + 0.4 * random() } = {},
): Promise<{ stretches: Stretch[]; embedded: number }> {
  const random = seededRandom(seed)
  const people = new Map<string, Float32Array>()
  const vectorOf = (letter: string): Float32Array => {
    const person = people.get(letter) ?? randomUnit(512, random)
    if (letter !== '?') people.set(letter, person)
    return person
  }
  let embedded = 0
  const vectors = faces.map((blend) => {
    const sum = new Float32Array(512)
    for (const [letter, share] of blend)
      for (const [i, value] of vectorOf(letter).entries()) sum[i] = (sum[i] ?? 0) + share * value
    const length = Math.hypot(...sum)
    return unitNear(
      sum.map((value) => value / length),
      0.8 + 0.14 * random(),
      random,
    )
  })
  const image = { width: 1, height: 1, data: new Uint8Array(3) }
  const followed = new FollowedFace({
    facesPerTrack,
    keepsCrops: false,
    embed({ timeS, sample }) {
      embedded++
      if (faces[timeS / stepS]?.[0]?.[0] === '-') return Promise.resolve(null)
      const float16 = encodeFloat16(vectors[timeS / stepS] ?? new Float32Array(512))
      return Promise.resolve({ ...sample, timeS, embedding: { float16, norm: 3 } })
    },
  })
  const stretches: Stretch[] = []
  for (const [k, vector] of vectors.entries()) {
    const [x, y] = [k, k + 1]
    const sample = {
      boxXyxyPx: [x, y, x + 20, y + 20] as const,
      landmarksPx: [
        { x, y },
        { x, y },
        { x, y },
        { x, y },
        { x, y },
      ] as const,
      ...{ detectionScore: 0.9, quality: quality(random), alignedCrop: image },
    }
    const patch = hasPatches ? vector.slice(0, 256).map((value) => 128 + 1000 * value) : new Float32Array(256)
    const ended = await followed.add({ timeS: k * stepS, sample }, patch, () => image)
    if (ended !== undefined) stretches.push(ended)
  }
  return { stretches: [...stretches, ...(await followed.finish())], embedded }
}

/** Number of frames of each stretch. */
const lengths = async (faces: readonly Blend[], options = {}) =>
  (await stretchesOf(faces, options)).stretches.map(({ timesS }) => timesS.length)

describe('a face that is followed', () => {
  it('is one stretch while it is one person, and is embedded once per second', async () => {
    for (let seed = 1; seed < 30; seed++) {
      const { stretches, embedded } = await stretchesOf(blends('A'.repeat(40)), { seed })
      assert.equal(stretches.length, 1)
      assert.equal(stretches[0]?.timesS.length, 40)
      assert.ok(embedded <= 40, `${embedded} embeddings`)
    }
    const { stretches, embedded } = await stretchesOf(blends('A'.repeat(40)), { hasPatches: false })
    assert.deepEqual([stretches.length, embedded, stretches[0]?.faces.length], [1, 10, 10])
  })

  it('has at least K embedded faces if it has that many', async () => {
    for (const [frames, faces] of [
      [2, 2],
      [3, 3],
      [7, 3],
    ] as const) {
      const { stretches } = await stretchesOf(blends('A'.repeat(frames)), { hasPatches: false })
      assert.equal(stretches[0]?.faces.length, faces)
    }
  })

  it('splits at the exact frame where one person becomes another, with and without a jump of the looks', async () => {
    for (const hasPatches of [true, false])
      for (let before = 3; before < 12; before++)
        for (const after of [4, 7, 9])
          assert.deepEqual(
            await lengths(blends('A'.repeat(before) + 'B'.repeat(after)), { seed: before, hasPatches }),
            [before, after],
          )
  })

  it('splits at every change: A B A', async () => {
    assert.deepEqual(await lengths(blends('AAAAAAABBBBBBAAAAA'), { hasPatches: false }), [7, 6, 5])
  })

  it('splits within a dissolve, however long it is', async () => {
    for (const frames of [1, 2, 4, 6, 8]) {
      const faces = [...blends('A'.repeat(10)), ...dissolve(frames), ...blends('B'.repeat(10))]
      const { stretches } = await stretchesOf(faces, { hasPatches: false })
      for (const { timesS } of stretches) {
        const holds = (from: number, to: number) =>
          timesS.some((timeS) => timeS / stepS >= from && timeS / stepS < to)
        assert.ok(!(holds(0, 10) && holds(10 + frames, 30)), `${frames} frames: ${timesS.join(' ')}`)
      }
    }
  })

  it('has a picture of its own faces, however bad they are and wherever it is split', async () => {
    const worst = await stretchesOf(blends('AAAAAA'), { quality: () => 0 })
    assert.deepEqual(
      worst.stretches.map(({ picture }) => picture?.quality),
      [0],
    )
    for (let seed = 1; seed < 40; seed++)
      for (const after of [1, 2, 3]) {
        const faces = blends('A'.repeat(5) + 'B'.repeat(after))
        const { stretches } = await stretchesOf(faces, { seed, hasPatches: false })
        for (const { picture, timesS } of stretches)
          assert.ok(picture !== undefined && timesS.includes(picture.timeS), `seed ${seed}, ${after} frames`)
      }
  })

  it('never contains a detection that is not a face, but reports when it was followed', async () => {
    const { stretches } = await stretchesOf(blends('AAAA----AAAA'), { hasPatches: false })
    assert.deepEqual(
      stretches.map(({ timesS }) => timesS.length),
      [12],
    )
    assert.ok(stretches[0]?.faces.every(({ face }) => face.timeS < 1 || face.timeS >= 2))
  })

  it('changes where the balance between both persons turns', () => {
    assert.equal(likeliestChange([1, 1, -1, -1]), 2)
    assert.equal(likeliestChange([-1, -1]), 0)
    assert.equal(likeliestChange([1, -0.2, 1, -1, 0.3, -1]), 3)
    assert.equal(likeliestChange([]), 0)
  })
})
