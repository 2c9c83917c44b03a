import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ExactIndex } from '../../../../../index/vectors/exact/exact-index.js'
import { createDirections, createRandom, labelsOf, naiveSearch } from '../../../../support/vectors.js'

async function filled(
  dimension: number,
  count: number,
): Promise<{ index: ExactIndex; vectors: Map<number, Float32Array> }> {
  const next = createDirections(dimension, dimension)
  const index = new ExactIndex(dimension)
  const vectors = new Map(Array.from({ length: count }, (_, i) => [3 * i + 1, next()]))
  await index.add([...vectors].map(([label, vector]) => ({ label, vector })))
  return { index, vectors }
}

// The common behaviour of engines is tested in test/support/engine-conformance.ts.
describe('exact search', () => {
  // Below, at and between the steps of the SIMD kernels (4, 16 and 128 values).
  for (const dimension of [1, 3, 16, 100, 128, 130, 512])
    it(`agrees with the definition in ${dimension} dimensions`, async () => {
      const { index, vectors } = await filled(dimension, 500)
      const query = createDirections(dimension, 99)()
      const expected = naiveSearch(vectors, query, 500)
      const [found, best] = [await index.search([query], 500), await index.search([query], 10)]
      assert.equal(found[0]!.length, 500)
      for (const [i, { cosineSimilarity }] of found[0]!.entries())
        assert.ok(Math.abs(cosineSimilarity - expected[i]!.cosineSimilarity) < 1e-6)
      if (dimension > 16) assert.deepEqual(labelsOf(best[0]!), labelsOf(expected.slice(0, 10)))
    })

  it('agrees with the definition across memory blocks and after many erasures', async () => {
    const { index, vectors } = await filled(16, 40_000)
    const random = createRandom(5)
    const erased = [...vectors.keys()].filter(() => random() < 0.5)
    await index.erase(erased)
    for (const label of erased) vectors.delete(label)
    assert.equal(await index.count(), vectors.size)
    const query = createDirections(16, 7)()
    const [found] = await index.search([query], 50)
    assert.deepEqual(labelsOf(found!), labelsOf(naiveSearch(vectors, query, 50)))
  })

  it('refuses calls after it was closed', async () => {
    const { index } = await filled(4, 3)
    await index.close()
    await index.close()
    await assert.rejects(index.search([Float32Array.of(1, 0, 0, 0)], 1), /closed/)
    await assert.rejects(index.add([]), /closed/)
  })
})
