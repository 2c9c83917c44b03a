import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ExactIndex } from '../../../../index/vectors/exact/exact-index.js'
import { HnswIndex, vectorIndexBytes } from '../../../../index/vectors/hnsw/hnsw-index.js'
import { holdsAllAbove, searchWidening, type VectorIndex } from '../../../../index/vectors/vector-index.js'
import { createDirections, near } from '../../../support/vectors.js'

const kinds: readonly [string, () => VectorIndex][] = [
  ['exact', () => new ExactIndex(2)],
  ['HNSW', () => HnswIndex.create(2)],
]

for (const [kind, create] of kinds)
  describe(`what the ${kind} index refuses`, () => {
    it('a vector or query of another dimension, naming both', () => {
      const index = create()
      const wrong = Float32Array.of(1, 0, 0)
      assert.throws(() => index.add(1, wrong), { code: 'VECTOR_INVALID', message: /3 dimensions.*of 2/ })
      assert.throws(() => index.search(wrong, 1), { code: 'VECTOR_INVALID', message: /3 dimensions.*of 2/ })
    })

    it('values that are not finite', () => {
      const index = create()
      for (const value of [NaN, Infinity, -Infinity]) {
        assert.throws(() => index.add(1, Float32Array.of(value, 0)), { code: 'VECTOR_INVALID' })
        assert.throws(() => index.search(Float32Array.of(1, value), 1), { code: 'VECTOR_INVALID' })
      }
    })

    it('a vector that is not normalised, and a query without a direction', () => {
      const index = create()
      assert.throws(() => index.add(1, Float32Array.of(3, 4)), {
        code: 'VECTOR_INVALID',
        message: /length 5\.0000/,
      })
      assert.throws(() => index.search(Float32Array.of(0, 0), 1), { code: 'VECTOR_INVALID' })
    })

    it('labels that are no uint32', () => {
      const index = create()
      for (const label of [-1, 1.5, 2 ** 32])
        assert.throws(() => index.add(label, Float32Array.of(1, 0)), { code: 'INDEX_TOO_LARGE' })
      index.add(2 ** 32 - 1, Float32Array.of(1, 0))
      assert.equal(index.search(Float32Array.of(1, 0), 1)[0]?.label, 2 ** 32 - 1)
    })
  })

describe('a widening search', () => {
  const next = createDirections(64, 3)
  const centre = next()
  const index = new ExactIndex(64)
  for (let i = 0; i < 300; i++) index.add(i, i < 100 ? near(centre, 0.9, next()) : next())

  it('grows k until the last neighbour is below the threshold', () => {
    const found = searchWidening(index, centre, holdsAllAbove(0.7), 20)
    assert.equal(found.length, 160)
    assert.equal(found.filter(({ cosineSimilarity }) => cosineSimilarity >= 0.7).length, 100)
  })

  it('asks once where the first k is enough', () => {
    assert.equal(searchWidening(index, centre, holdsAllAbove(0.7), 120).length, 120)
  })

  it('stops with everything where nothing is ever enough', () => {
    assert.equal(searchWidening(index, centre, () => false, 50).length, 300)
  })
})

it('states the memory of a million tracks of 512 dimensions: the vectors twice, and links', () => {
  const bytes = vectorIndexBytes(1_000_000, 512)
  assert.ok(bytes > 4.1e9 && bytes < 5e9, `${bytes}`)
})
