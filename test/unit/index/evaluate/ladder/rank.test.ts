import assert from 'node:assert/strict'
import { it } from 'node:test'
import { rankThrough } from '../../../../../index/evaluate/ladder/rank.js'
import type { Neighbor } from '../../../../../index/vectors/vector-index.js'

it('searches again with twice as many neighbours, only for queries with too few clips', async () => {
  // 2,000 tracks: query 0 finds a new clip with each, query 1 finds one clip in the first 1,000, query 2 nothing of the pool.
  const tracks = 2000
  const trackClips = Int32Array.from({ length: 3 * tracks }, (_, row) => {
    const [query, rank] = [Math.floor(row / tracks), row % tracks]
    if (query === 2) return -1
    return query === 0 ? rank : rank < 1000 ? 7 : rank
  })
  const asked: [number[], number][] = []
  const index = {
    search(queries: readonly Float32Array[], k: number): Promise<Neighbor[][]> {
      const numbers = queries.map(([number = 0]) => number)
      asked.push([numbers, k])
      return Promise.resolve(
        numbers.map((number) =>
          Array.from({ length: Math.min(k, tracks) }, (_, rank) => ({
            label: number * tracks + rank + 1,
            cosineSimilarity: 1 - rank / tracks,
          })),
        ),
      )
    },
  }
  const clipNames = Array.from({ length: tracks }, (_, clip) => `c${String(clip).padStart(4, '0')}`)
  const pool = new Set(Array.from({ length: tracks }, (_, clip) => clip))
  const queries = [0, 1, 2].map((number) => Float32Array.of(number))
  const ranked = await rankThrough(index, queries, { trackClips, clipNames }, pool)
  assert.deepEqual(asked, [
    [[0, 1, 2], 400],
    [[1, 2], 800],
    [[1, 2], 1600],
    [[2], 3200],
  ])
  const clipsOf = (query: number) => ranked[query]?.map(({ clip }) => clip)
  assert.deepEqual(clipsOf(0), [...Array(100).keys()])
  assert.deepEqual(clipsOf(1), [7, ...Array.from({ length: 99 }, (_, i) => 1000 + i)])
  assert.deepEqual(clipsOf(2), [])
})
