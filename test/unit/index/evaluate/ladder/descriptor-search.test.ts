import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  galleryQueries,
  searchExactly,
  searchThroughIndex,
} from '../../../../../index/evaluate/ladder/descriptor-search.js'
import { gaussian, seededRandom } from '../../../../../pipeline/common/seeded-random.js'
import { l2Normalise } from '../../../../../pipeline/data/vector-math.js'

const dimension = 16
const session = { device: { kind: 'cpu' } } as const
const random = seededRandom(3)
const count = 60
const vectors = new Float32Array(count * dimension)
/** Clips without a face: no descriptor. */
const empty = new Set([4, 17, 40])
for (let row = 0; row < count; row++)
  if (!empty.has(row))
    vectors.set(
      l2Normalise(Float32Array.from({ length: dimension }, () => gaussian(random))),
      row * dimension,
    )
const rows = {
  ...{ dimension, vectors },
  trackClips: Int32Array.from({ length: count }, (_, row) => row),
  clipNames: Array.from({ length: count }, (_, clip) => `c${String(clip).padStart(3, '0')}`),
}
/** All but the first ten. */
const pool = new Set(rows.trackClips.subarray(10))
/** The third identity has no clip with a face. */
const queries = galleryQueries(rows, [[0, 1], [2], []])

describe('search by descriptor', () => {
  it('exactly: every clip of the pool with a descriptor by its cosine, best first, also below 0', async () => {
    const ranked = await searchExactly(rows, queries, pool, session)
    for (const [at, own] of ranked.slice(0, 2).entries()) {
      assert.equal(own.length, 50 - 2)
      assert.ok((own.at(-1)?.score ?? 1) < 0)
      for (const { clip, score } of own) {
        let cosine = 0
        for (let i = 0; i < dimension; i++)
          cosine += (queries[at * dimension + i] ?? 0) * (vectors[clip * dimension + i] ?? 0)
        assert.ok(Math.abs(score - cosine) < 1e-5)
        assert.ok(pool.has(clip) && !empty.has(clip))
      }
      assert.deepEqual(
        own.map(({ score }) => score),
        own.map(({ score }) => score).sort((a, b) => b - a),
      )
    }
    assert.deepEqual(ranked[2], [])
  })

  it('through the vector index: the same', async () => {
    const clipsOf = (ranked: readonly (readonly { readonly clip: number }[])[]) =>
      ranked.map((own) => own.map(({ clip }) => clip))
    assert.deepEqual(
      clipsOf(await searchThroughIndex(rows, queries, pool)),
      clipsOf(await searchExactly(rows, queries, pool, session)),
    )
  })
})
