import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { comparedPlaces, comparedPlacesOf, createSignCoder } from '../../../index/vectors/sign-code.js'
import { VectorRows } from '../../../index/vectors/vector-rows.js'
import { createDirections, near } from './vector-helpers.js'

/** The signs of a vector's products with all directions, 0 or 1. */
function createSigns(dimension: number): (vector: Float32Array) => Uint8Array {
  const coder = createSignCoder(dimension)
  return (vector) => Uint8Array.from(coder.products(vector), (product) => (product > 0 ? 1 : 0))
}

/** In how many of the compared places signs agree with the query's, without any kernel. */
function createAgreements(
  dimension: number,
): (query: Float32Array, vectors: readonly Uint8Array[]) => number[] {
  const coder = createSignCoder(dimension)
  return (query, vectors) => {
    const places = comparedPlacesOf(coder.products(query))
    return vectors.map((signs) => {
      let agreements = 0
      for (let i = 0; i < comparedPlaces; i++)
        if (signs[places[i]!] === (i < comparedPlaces / 2 ? 1 : 0)) agreements++
      return agreements
    })
  }
}

/** All rows that agree as much as the least that was found, and about as many as were asked for. */
function checkNearest(found: Uint32Array, agreements: readonly number[], count: number): void {
  const least = Math.min(...[...found].map((row) => agreements[row]!))
  const expected = agreements.flatMap((agreement, row) => (agreement >= least ? [row] : []))
  assert.deepEqual([...found], expected)
  assert.ok(found.length <= count, `${found.length} of ${count}`)
  const withNext = agreements.filter((agreement) => agreement >= least - 1).length
  assert.ok(withNext > count || found.length > count / 2, `${found.length} of ${count}`)
}

describe('sign codes', () => {
  it('tell vectors with cosine .35 from unrelated ones nearly as well as the cosine does', () => {
    // Unrelated vectors' cosines have deviation 1/√dimension, so the cosine itself is 4.0 and 7.9 deviations away.
    for (const [dimension, deviations] of [
      [128, 3.3],
      [512, 4.8],
    ] as const) {
      const next = createDirections(dimension, 3)
      const signsOf = createSigns(dimension)
      const agreementsOf = createAgreements(dimension)
      const query = next()
      const unrelated = agreementsOf(
        query,
        Array.from({ length: 2000 }, () => signsOf(next())),
      )
      const related = agreementsOf(
        query,
        Array.from({ length: 500 }, () => signsOf(near(query, 0.35, next()))),
      )
      const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b) / values.length
      const deviation = Math.sqrt(mean(unrelated.map((value) => (value - mean(unrelated)) ** 2)))
      assert.ok((mean(related) - mean(unrelated)) / deviation > deviations, `${dimension} dimensions`)
    }
  })

  it('compare the places of the largest products, half of each sign', () => {
    const products = new Float64Array(512).map((_, i) => (i % 2 === 0 ? i : -i))
    const places = [...comparedPlacesOf(products)]
    assert.deepEqual(
      places.slice(0, comparedPlaces / 2),
      [...Array(64).keys()].map((i) => 384 + 2 * i),
    )
    assert.deepEqual(
      places.slice(comparedPlaces / 2),
      [...Array(64).keys()].map((i) => 385 + 2 * i),
    )
  })
})

describe('rows by sign', () => {
  it('are those that agree most, whichever thread counts them, while rows come and go', async () => {
    const dimension = 16
    const next = createDirections(dimension, 5)
    const signsOf = createSigns(dimension)
    const agreementsOf = createAgreements(dimension)
    const rows = new VectorRows(dimension)
    const signs: Uint8Array[] = []
    const add = (label: number): void => {
      const vector = next()
      rows.add(label, vector)
      signs.push(signsOf(vector))
    }
    // Of four blocks, one of them begun, other threads count some from the second search on.
    while (signs.length < 99_000) add(signs.length)
    for (let search = 0; search < 6; search++) {
      const query = next()
      const nearest = rows.startNearestBySign(new Float64Array(query), 1000)()
      checkNearest(nearest, agreementsOf(query, signs), 1000)
      // The last row takes the place of an erased one.
      rows.erase(rows.labelOf(search * 1000))
      signs[search * 1000] = signs.pop()!
      for (let i = 0; i < 10; i++) add(1_000_000 + 10 * search + i)
      // Lets the threads start.
      await new Promise((resolve) => setTimeout(resolve, 200))
    }
    rows.close()
  })

  it('come all where nearly all are asked for', () => {
    const next = createDirections(4, 6)
    const rows = new VectorRows(4)
    for (let label = 0; label < 5000; label++) rows.add(label, next())
    const nearest = rows.startNearestBySign(new Float64Array(next()), 1000)()
    assert.deepEqual([...nearest], [...Array(5000).keys()])
  })
})
