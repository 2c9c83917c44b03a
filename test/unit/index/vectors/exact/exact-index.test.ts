import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ExactIndex } from '../../../../../index/vectors/exact/exact-index.js'
import { createDirections, createRandom, labelsOf, naiveSearch } from '../../../../support/vectors.js'

function filled(dimension: number, count: number): { index: ExactIndex; vectors: Map<number, Float32Array> } {
  const next = createDirections(dimension, dimension)
  const index = new ExactIndex(dimension)
  const vectors = new Map<number, Float32Array>()
  for (let i = 0; i < count; i++) {
    const vector = next()
    vectors.set(3 * i + 1, vector)
    index.add(3 * i + 1, vector)
  }
  return { index, vectors }
}

describe('exact search', () => {
  // Below, at and between the steps of the SIMD kernels (4, 16 and 128 values).
  for (const dimension of [1, 3, 16, 100, 128, 130, 512])
    it(`finds what the definition gives, in ${dimension} dimensions`, () => {
      const { index, vectors } = filled(dimension, 500)
      const query = createDirections(dimension, 99)()
      const expected = naiveSearch(vectors, query, 500)
      const found = index.search(query, 500)
      assert.equal(found.length, 500)
      for (const [i, { cosineSimilarity }] of found.entries())
        assert.ok(Math.abs(cosineSimilarity - expected[i]!.cosineSimilarity) < 1e-6)
      if (dimension > 16) assert.deepEqual(labelsOf(index.search(query, 10)), labelsOf(expected.slice(0, 10)))
    })

  it('agrees with the definition across memory blocks and after many erasures', () => {
    const { index, vectors } = filled(16, 40_000)
    const random = createRandom(5)
    for (const label of [...vectors.keys()])
      if (random() < 0.5) {
        assert.equal(index.erase(label), true)
        vectors.delete(label)
      }
    assert.equal(index.size, vectors.size)
    const query = createDirections(16, 7)()
    assert.deepEqual(labelsOf(index.search(query, 50)), labelsOf(naiveSearch(vectors, query, 50)))
  })

  it('orders equal similarities by label, also where k cuts them', () => {
    const index = new ExactIndex(2)
    for (const label of [9, 2, 7, 4]) index.add(label, Float32Array.of(1, 0))
    index.add(1, Float32Array.of(0, 1))
    assert.deepEqual(labelsOf(index.search(Float32Array.of(1, 0), 5)), [2, 4, 7, 9, 1])
    assert.deepEqual(labelsOf(index.search(Float32Array.of(1, 0), 2)), [2, 4])
  })

  it('does not depend on the length of the query', () => {
    const { index } = filled(32, 100)
    const query = createDirections(32, 8)()
    const longer = query.map((value) => value * 20)
    assert.deepEqual(labelsOf(index.search(longer, 20)), labelsOf(index.search(query, 20)))
  })

  it('answers an empty index and a k of 0 with nothing', () => {
    const index = new ExactIndex(4)
    const query = Float32Array.of(1, 0, 0, 0)
    assert.deepEqual(index.search(query, 10), [])
    index.add(1, query)
    assert.deepEqual(index.search(query, 0), [])
  })

  it('does not take a label twice, erased or not, and says whether it erased one', () => {
    const index = new ExactIndex(2)
    index.add(5, Float32Array.of(1, 0))
    assert.throws(() => index.add(5, Float32Array.of(0, 1)), { code: 'VECTOR_INVALID' })
    assert.equal(index.erase(5), true)
    assert.equal(index.erase(5), false)
    assert.equal(index.erase(6), false)
    assert.equal(index.has(5), true)
    assert.throws(() => index.add(5, Float32Array.of(1, 0)), { code: 'VECTOR_INVALID' })
  })
})
