import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Block } from '../../../../../index/vectors/sign-codes/block.js'
import {
  comparedPlacesOf,
  createCoder,
  placeParts,
  wordsOf,
  writeBytes,
} from '../../../../../index/vectors/sign-codes/codes.js'
import { VectorRows } from '../../../../../index/vectors/sign-codes/vector-rows.js'
import { createDirections, near } from '../../../../support/vectors.js'

const floors = [0, 128, 140]
const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b) / values.length

/** The agreement of signs with the query, computed without the kernel. */
function agreementOf(places: Uint32Array, products: Float64Array): number {
  let [agreement, at] = [0, 0]
  for (const { count, sign, weight } of placeParts)
    for (const end = at + count; at < end; at++)
      if (products[places[at]!]! > 0 === sign > 0) agreement += weight
  return agreement
}

/** The inner product of `byteDots`, computed without the kernel. */
function byteDot(words: Int16Array, products: Float64Array): number {
  const bytes = new Uint8ClampedArray(products.length)
  writeBytes(products, bytes, 0)
  return words.reduce((sum, word, i) => sum + word * bytes[i]!, 0)
}

describe('codes', () => {
  it('distinguish vectors with cosine .35 from unrelated ones: signs almost as well as the cosine, bytes equally well', () => {
    // Unrelated vectors' cosines have deviation 1/√dimension, so the cosine itself is 4.0 and 7.9 deviations away.
    for (const [dimension, bySign, byBytes] of [
      [128, 3.3, 3.8],
      [512, 5.4, 7.4],
    ] as const) {
      const next = createDirections(dimension, 3)
      const coder = createCoder(dimension)
      const query = next()
      const places = comparedPlacesOf(coder.products(query))
      const words = wordsOf(coder.products(query))
      const unrelated = Array.from({ length: 2000 }, next)
      const related = Array.from({ length: 500 }, () => near(query, 0.35, next()))
      for (const [score, deviations] of [
        [(vector: Float32Array) => agreementOf(places, coder.products(vector)), bySign],
        [(vector: Float32Array) => byteDot(words, coder.products(vector)), byBytes],
      ] as const) {
        const scores = unrelated.map(score)
        const deviation = Math.sqrt(mean(scores.map((value) => (value - mean(scores)) ** 2)))
        const distance = (mean(related.map(score)) - mean(scores)) / deviation
        assert.ok(distance > deviations, `${distance} with ${dimension} dimensions`)
      }
    }
  })

  it('compare the places of the largest products, the same number for each sign', () => {
    const products = new Float64Array(512).map((_, i) => (i % 2 === 0 ? i : -i))
    const parts = [
      { from: 448, to: 512 },
      { from: 320, to: 448 },
    ]
    const expected = parts.flatMap(({ from, to }) =>
      [0, 1].flatMap((odd) => [...Array((to - from) / 2).keys()].map((i) => from + 2 * i + odd)),
    )
    assert.deepEqual([...comparedPlacesOf(products)], expected)
  })

  it('of a block are searched according to their definition', () => {
    for (const dimension of [16, 512, 700]) {
      const next = createDirections(dimension, 4)
      const coder = createCoder(dimension)
      const block = new Block({ dimension, coder })
      const products = Array.from({ length: 1000 }, (_, row) => {
        const vector = next()
        // Overwritten like an erased row.
        block.set(row, next())
        block.set(row, vector)
        return coder.products(vector).slice()
      })
      block.writePlanes()
      const query = coder.products(next()).slice()
      const [places, words] = [comparedPlacesOf(query), wordsOf(query)]
      const agreements = products.map((row) => agreementOf(places, row))
      for (const floor of floors) {
        block.codes.search({ places, words, floor }, products.length)
        const { rows, scores } = block.codes.results()
        const expected = agreements.flatMap((count, row) => (count >= floor ? [row] : []))
        assert.deepEqual([...rows], expected)
        assert.deepEqual(
          [...scores],
          expected.map((row) => byteDot(words, products[row]!)),
        )
      }
      const found: [number, number][] = []
      block.codes.forEachAgreeing({ places, floor: 128 }, 128, 200, (row, count) => found.push([row, count]))
      assert.deepEqual(
        found,
        agreements.flatMap((count, row) => (row >= 128 && row < 328 && count >= 128 ? [[row, count]] : [])),
      )
    }
  })
})

describe('rows by code', () => {
  it('are the nearest ones, for any searching thread, while rows are added and erased', async () => {
    const dimension = 16
    const next = createDirections(dimension, 5)
    const rows = new VectorRows(dimension)
    const vectors: Float32Array[] = []
    const add = (label: number): void => {
      const vector = next()
      rows.add(label, vector)
      vectors.push(vector)
    }
    // Of four blocks, one of them begun, other threads search some from the second time on.
    while (vectors.length < 99_000) add(vectors.length)
    let [wanted, found] = [0, 0]
    for (let search = 0; search < 8; search++) {
      const query = next()
      const nearest = new Set(rows.startNearest(new Float64Array(query), 300)())
      assert.ok(nearest.size >= 300 && nearest.size < 350, `${nearest.size}`)
      const cosines = vectors.map((vector) => vector.reduce((sum, value, i) => sum + value * query[i]!, 0))
      const hundredth = cosines.toSorted((a, b) => b - a)[99]!
      for (const [row, cosine] of cosines.entries())
        if (cosine >= hundredth) {
          wanted++
          if (nearest.has(row)) found++
        }
      // The last row takes the place of an erased one.
      rows.erase(rows.labelOf(search * 1000))
      vectors[search * 1000] = vectors.pop()!
      for (let i = 0; i < 10; i++) add(1_000_000 + 10 * search + i)
      // Lets the threads start.
      await new Promise((resolve) => setTimeout(resolve, 200))
    }
    assert.ok(found / wanted > 0.995, `${found} of ${wanted}`)
    rows.close()
  })

  it('are all returned if almost all are requested', () => {
    const next = createDirections(4, 6)
    const rows = new VectorRows(4)
    for (let label = 0; label < 3000; label++) rows.add(label, next())
    const nearest = rows.startNearest(new Float64Array(next()), 10)()
    assert.deepEqual([...nearest], [...Array(3000).keys()])
  })
})
