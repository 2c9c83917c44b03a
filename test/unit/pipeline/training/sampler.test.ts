import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { poolEmbeddings } from '../../../../pipeline/describe/pool.js'
import { encodeFloat16 } from '../../../../pipeline/data/float16.js'
import { facesOf, poolTracks, type FaceColumns } from '../../../../pipeline/training/face-columns.js'
import { pooledInput } from '../../../../pipeline/describe/pooled-input.js'
import { gaussian, seededRandom } from '../../../../pipeline/common/seeded-random.js'
import { createSampler, type SamplingOptions } from '../../../../pipeline/training/sampler.js'

const dimension = 16
const facesPerTrack = [1, 4, 8, 3, 2, 5]
const firstFace = Int32Array.from(facesPerTrack.reduce((sums, n) => [...sums, (sums.at(-1) ?? 0) + n], [0]))
const random = seededRandom(7)
const faceCount = firstFace.at(-1) ?? 0
const drawn = (width: number) =>
  encodeFloat16(Float32Array.from({ length: faceCount * width }, () => 3 * gaussian(random)))
const column = { dimension, embeddings: drawn(dimension) }
const columns: FaceColumns = {
  columns: [column],
  firstFace,
  qualities: Float32Array.from({ length: faceCount }, (_, face) => (face % 5) / 4),
}
const tracks = Int32Array.from([0, 1, 2, 3, 4, 5])
const rows = { faces: columns, tracks, labels: Int32Array.from([1, 1, 2, 2, 2, 0]), classCount: 2 }
const plain: SamplingOptions = {
  ...{ facesPerSample: [99], noise: 0, mirror: false },
  ...{ balanced: false, rowsPerClass: 1 },
}

describe('pooling in columns', () => {
  it('equals the pooling of the describe stage', () => {
    const pooled = poolTracks(columns, 'quality')
    for (const track of tracks) {
      const faces = facesOf(columns, track).map((face) => ({
        float16: column.embeddings.slice(face * dimension, (face + 1) * dimension),
        quality: columns.qualities[face] ?? 0,
      }))
      const expected = poolEmbeddings(faces, dimension)
      for (let i = 0; i < dimension; i++)
        assert.ok(Math.abs((pooled[track * dimension + i] ?? NaN) - (expected[i] ?? 0)) < 1e-6)
    }
  })

  it('equals it for several embedders, too', () => {
    const embedders = [
      { ...column, digest: 'own', name: 'own' },
      { dimension: 6, embeddings: drawn(6), digest: 'other', name: 'other' },
    ] as const
    const pooled = poolTracks({ ...columns, columns: embedders }, 'quality')
    const [own, other] = embedders
    const embeddingOf = ({ embeddings, dimension: width }: typeof own | typeof other, face: number) =>
      embeddings.slice(face * width, (face + 1) * width)
    for (const track of tracks) {
      const faces = facesOf(columns, track).map((face) => ({
        float16: embeddingOf(own, face),
        quality: columns.qualities[face] ?? 0,
        extraEmbeddings: [{ embedder: 'other', float16: embeddingOf(other, face) }],
      }))
      const expected = pooledInput(faces, embedders, 'own')
      assert.equal(expected.length, dimension + 6)
      for (const [i, value] of expected.entries())
        assert.ok(Math.abs((pooled[track * expected.length + i] ?? NaN) - value) < 1e-6)
    }
  })
})

describe('the sampler', () => {
  it('takes every row once per epoch, in a different order each epoch, and the same for the same seed', () => {
    const sampler = createSampler(rows, plain, 3)
    const [first, second] = [sampler.order(0), sampler.order(1)]
    assert.deepEqual([...first].sort(), [0, 1, 2, 3, 4, 5])
    assert.notDeepEqual(first, second)
    assert.deepEqual(createSampler(rows, plain, 3).order(0), first)
    assert.notDeepEqual(createSampler(rows, plain, 4).order(0), first)
  })

  it('returns the pooled tracks if it uses all faces and no noise', () => {
    const target = new Float32Array(6 * dimension)
    createSampler(rows, plain, 1).fill(tracks, seededRandom(1), target)
    const expected = poolTracks(columns, 'quality')
    for (const [i, value] of target.entries()) assert.ok(Math.abs(value - (expected[i] ?? 0)) < 1e-6)
  })

  it('draws each face of a track about equally often if a sample has one face', () => {
    const sampler = createSampler(rows, { ...plain, facesPerSample: [1] }, 1)
    const target = new Float32Array(dimension)
    const seen = new Map<string, number>()
    const draws = seededRandom(5)
    for (let k = 0; k < 800; k++) {
      sampler.fill(Int32Array.of(2), draws, target)
      const key = target.slice(0, 3).join()
      seen.set(key, (seen.get(key) ?? 0) + 1)
    }
    assert.equal(seen.size, 8)
    for (const count of seen.values()) assert.ok(count > 60 && count < 140, `${count} of 800`)
  })

  it('moves a sample by the length of the noise, and keeps its length at 1', () => {
    const sampler = createSampler(rows, { ...plain, noise: 0.5 }, 1)
    const target = new Float32Array(6 * dimension)
    const draws = seededRandom(2)
    const expected = poolTracks(columns, 'quality')
    let cosines = 0
    for (let k = 0; k < 200; k++) {
      sampler.fill(tracks, draws, target)
      for (const track of tracks) {
        let [dot, squares] = [0, 0]
        for (let i = 0; i < dimension; i++) {
          dot += (target[track * dimension + i] ?? 0) * (expected[track * dimension + i] ?? 0)
          squares += (target[track * dimension + i] ?? 0) ** 2
        }
        assert.ok(Math.abs(squares - 1) < 1e-5)
        cosines += dot / 1200
      }
    }
    // A random vector of length .5 added to one of length 1: about 1/√1.25.
    assert.ok(Math.abs(cosines - 1 / Math.sqrt(1.25)) < 0.02, `${cosines}`)
  })

  it('takes about half of its samples from mirror images, if they were stored', () => {
    const mirrored = drawn(dimension)
    const both = { ...columns, columns: [{ ...column, mirrored }] }
    const expected = poolTracks(columns, 'quality')
    const turned = poolTracks({ ...columns, columns: [{ dimension, embeddings: mirrored }] }, 'quality')
    const counts = (options: SamplingOptions, faces: FaceColumns) => {
      const sampler = createSampler({ ...rows, faces }, options, 1)
      const target = new Float32Array(dimension)
      const draws = seededRandom(9)
      let [asTheyAre, asMirrored] = [0, 0]
      for (let k = 0; k < 400; k++) {
        sampler.fill(Int32Array.of(2), draws, target)
        const isNear = (pooled: Float32Array) =>
          target.every((value, i) => Math.abs(value - (pooled[2 * dimension + i] ?? 0)) < 1e-6)
        if (isNear(expected)) asTheyAre++
        if (isNear(turned)) asMirrored++
      }
      return [asTheyAre, asMirrored] as const
    }
    const [asTheyAre, asMirrored] = counts({ ...plain, mirror: true }, both)
    assert.equal(asTheyAre + asMirrored, 400)
    assert.ok(asMirrored > 150 && asMirrored < 250, `${asMirrored} of 400`)
    assert.deepEqual(counts(plain, both), [400, 0])
    assert.deepEqual(counts({ ...plain, mirror: true }, columns), [400, 0])
  })

  it('draws classes equally often if balanced; for pairs, rows of a class are consecutive', () => {
    const many = {
      ...rows,
      tracks: new Int32Array(900),
      labels: Int32Array.from({ length: 900 }, (_, i) => (i < 800 ? 1 : i < 850 ? 2 : 0)),
    }
    const balanced = createSampler(many, { ...plain, balanced: true }, 1).order(0)
    const ofSecond = balanced.filter((row) => many.labels[row] === 2).length
    assert.ok(ofSecond > 240 && ofSecond < 360, `${ofSecond} of 900`)
    const paired = createSampler(many, { ...plain, rowsPerClass: 4 }, 1).order(0)
    for (let k = 0; k < 900; k += 4)
      assert.equal(new Set([...paired.subarray(k, k + 4)].map((row) => many.labels[row])).size, 1)
  })
})
