import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { candidatePairs, type NeighbourQuestion } from '../../../../index/people/candidate-pairs.js'
import type { BatchOptions, Neighbor } from '../../../../index/vectors/vector-index.js'

/** Answers each query with the same neighbours. */
class FixedIndex {
  readonly asked: { queries: number; k: number; options: BatchOptions | undefined }[] = []

  constructor(readonly neighbors: readonly Neighbor[]) {}

  search(queries: readonly Float32Array[], k: number, options?: BatchOptions): Promise<Neighbor[][]> {
    this.asked.push({ queries: queries.length, k, options })
    return Promise.resolve(queries.map(() => [...this.neighbors]))
  }
}

const questionOf = (labels: Uint32Array, rows: Int32Array): NeighbourQuestion => ({
  ...{ labels, rows, dimension: 1, vectors: new Float32Array(labels.length), minSimilarity: 0.5 },
})

describe('candidate pairs', () => {
  it('are the rows of near neighbours, without the track itself and without tracks that were added meanwhile', async () => {
    const index = new FixedIndex([
      { label: 7, cosineSimilarity: 1 },
      { label: 4, cosineSimilarity: 0.9 },
      { label: 8, cosineSimilarity: 0.8 },
      { label: 9, cosineSimilarity: 0.4 },
    ])
    const { from, to } = await candidatePairs(index, questionOf(Uint32Array.of(4, 7, 9), Int32Array.of(0, 1)))
    assert.deepEqual([...from].map((row, i) => [row, to[i]]), [[0, 1], [1, 0]]) // prettier-ignore
    assert.deepEqual(index.asked, [{ queries: 2, k: 33, options: { isQuick: false } }])
  })

  it('are looked for quickly where many tracks are compared with many', async () => {
    const index = new FixedIndex([])
    const labels = Uint32Array.from({ length: 100_000 }, (_, row) => row)
    await candidatePairs(index, questionOf(labels, new Int32Array(40_000)))
    assert.ok(index.asked.every(({ options }) => options?.isQuick === false))
    index.asked.length = 0
    let done = 0
    await candidatePairs(index, {
      ...questionOf(labels, new Int32Array(50_000)),
      onProgress: (rows) => (done = rows),
    })
    assert.ok(index.asked.length > 1 && index.asked.every(({ options }) => options?.isQuick === true))
    assert.equal(done, 50_000)
  })

  it('are not looked for after a stop', async () => {
    const index = new FixedIndex([])
    const question = questionOf(Uint32Array.of(1), Int32Array.of(0))
    await assert.rejects(candidatePairs(index, { ...question, signal: AbortSignal.abort() }), {
      code: 'INTERRUPTED',
    })
    assert.deepEqual(index.asked, [])
  })
})
