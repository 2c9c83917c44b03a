import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { VectorTable } from '../../../../../index/evaluate/metrics/matrix-product.js'
import { productBlocks, rankByProducts } from '../../../../../index/evaluate/ladder/score-blocks.js'
import { seededRandom } from '../../../../support/random.js'
import { l2Normalise } from '../../../../../pipeline/data/vector-math.js'

const session = { device: { kind: 'cpu' as const } }

function table(count: number, dimension: number, seed: number): VectorTable {
  const random = seededRandom(seed)
  const vectors = new Float32Array(count * dimension)
  for (let row = 0; row < count; row++) {
    const values = Float32Array.from({ length: dimension }, () => random() - 0.5)
    vectors.set(l2Normalise(values), row * dimension)
  }
  return { dimension, vectors }
}

function dot(a: VectorTable, i: number, b: VectorTable, j: number): number {
  let sum = 0
  for (let k = 0; k < a.dimension; k++)
    sum += a.vectors[i * a.dimension + k]! * b.vectors[j * b.dimension + k]!
  return sum
}

describe('inner products in blocks', () => {
  it('cover every pair, over several blocks and a smaller last one', async () => {
    // With 3,000 queries, a block has 2,796 rows.
    const [queries, rows] = [table(3000, 3, 1), table(6000, 3, 2)]
    const blocks: [firstRow: number, columns: number][] = []
    let compared = 0
    for await (const { firstRow, columns, products } of productBlocks(queries, rows, session)) {
      blocks.push([firstRow, columns])
      assert.equal(products.length, 3000 * columns)
      for (let at = 0; at < products.length; at += 997) {
        const [query, row] = [Math.floor(at / columns), firstRow + (at % columns)]
        assert.ok(Math.abs(products[at]! - dot(queries, query, rows, row)) < 1e-5, `${query}, ${row}`)
        compared++
      }
    }
    assert.deepEqual(blocks, [[0, 2796], [2796, 2796], [5592, 408]]) // prettier-ignore
    assert.ok(compared > 10_000)
  })

  it('are empty without queries or rows, and refused for different dimensions', async () => {
    const [some, none] = [table(2, 4, 1), table(0, 4, 1)]
    for (const [queries, rows] of [[some, none], [none, some]] as const) // prettier-ignore
      assert.deepEqual((await rankByProducts(queries, rows, { clipOf: (row) => row, clipNames: ['a', 'b'], session })).ranked(0), []) // prettier-ignore
    await assert.rejects(productBlocks(some, table(2, 5, 1), session).next(), RangeError)
  })
})

it('give the same best clips as sorting everything by the best row of a clip, without excluded rows', async () => {
  const [queries, rows] = [table(5, 16, 3), table(900, 16, 4)]
  const clipOf = (row: number) => (row % 10 === 3 ? -1 : Math.floor(row / 3))
  const clipNames = Array.from({ length: 300 }, (_, clip) => `c${clip}`)
  const top = await rankByProducts(queries, rows, { clipOf, clipNames, keep: 20, session })
  for (let query = 0; query < 5; query++) {
    const best = new Map<number, number>()
    for (let row = 0; row < 900; row++)
      if (clipOf(row) >= 0)
        best.set(clipOf(row), Math.max(best.get(clipOf(row)) ?? -1, dot(queries, query, rows, row)))
    const expected = [...best].sort(([, a], [, b]) => b - a).slice(0, 20)
    const ranked = top.ranked(query)
    assert.deepEqual(ranked.map(({ clip }) => clip), expected.map(([clip]) => clip)) // prettier-ignore
    ranked.forEach(({ score }, k) => assert.ok(Math.abs(score - expected[k]![1]) < 1e-5))
  }
})
