import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { seededRandom } from '../../../support/random.js'
import { assign } from '../../../../pipeline/track/assignment.js'
import type { Random } from './scene.js'

/**
 * Tries all partial one-to-one assignments. The best one has the most pairs, then the lowest cost; or the lowest Σ(cost
 * − apartCost).
 */
function bruteForce(costs: Float64Array, rows: number, columns: number, apartCost: number) {
  let best = { pairs: 0, cost: 0 }
  const isBetter = (a: typeof best, b: typeof best): boolean =>
    apartCost === Infinity
      ? a.pairs > b.pairs || (a.pairs === b.pairs && a.cost < b.cost)
      : a.cost - a.pairs * apartCost < b.cost - b.pairs * apartCost
  const visit = (row: number, used: number, pairs: number, cost: number): void => {
    if (row === rows) {
      if (isBetter({ pairs, cost }, best)) best = { pairs, cost }
      return
    }
    visit(row + 1, used, pairs, cost)
    for (let column = 0; column < columns; column++) {
      const price = costs[row * columns + column]!
      if (used & (1 << column) || price === Infinity) continue
      visit(row + 1, used | (1 << column), pairs + 1, cost + price)
    }
  }
  visit(0, 0, 0, 0)
  return best
}

function randomCosts(rows: number, columns: number, gated: number, random: Random): Float64Array {
  return Float64Array.from({ length: rows * columns }, () =>
    random() < gated ? Infinity : random() * 20 - 5,
  )
}

function summary(costs: Float64Array, columns: number, columnOfRow: Int32Array) {
  const taken = [...columnOfRow].filter((column) => column >= 0)
  assert.equal(new Set(taken).size, taken.length, 'a column is used twice')
  const cost = columnOfRow.reduce(
    (sum, column, row) => (column < 0 ? sum : sum + costs[row * columns + column]!),
    0,
  )
  return { pairs: taken.length, cost }
}

describe('assign', () => {
  it('finds the cheapest of the largest assignments, like brute force, gated and rectangular', () => {
    const random = seededRandom(1)
    for (let run = 0; run < 400; run++) {
      const [rows, columns] = [Math.floor(random() * 6), Math.floor(random() * 6)]
      const costs = randomCosts(rows, columns, random() * 0.9, random)
      const found = summary(costs, columns, assign(costs, rows, columns))
      const best = bruteForce(costs, rows, columns, Infinity)
      assert.equal(found.pairs, best.pairs)
      assert.ok(Math.abs(found.cost - best.cost) < 1e-9)
    }
  })

  it('leaves pairs unassigned if that is cheaper, like brute force', () => {
    const random = seededRandom(2)
    for (let run = 0; run < 400; run++) {
      const [rows, columns] = [Math.floor(random() * 6), Math.floor(random() * 6)]
      const costs = randomCosts(rows, columns, random() * 0.7, random)
      const apart = random() * 12
      const columnOfRow = assign(costs, rows, columns, apart)
      const found = summary(costs, columns, columnOfRow)
      const best = bruteForce(costs, rows, columns, apart)
      assert.ok(Math.abs(found.cost - found.pairs * apart - (best.cost - best.pairs * apart)) < 1e-9)
      for (const [row, column] of columnOfRow.entries()) {
        if (column >= 0) assert.ok(costs[row * columns + column]! < apart)
      }
    }
  })

  it('returns −1 everywhere when everything is forbidden, and refuses a wrong size', () => {
    assert.deepEqual(assign(new Float64Array(6).fill(Infinity), 2, 3), Int32Array.of(-1, -1))
    assert.throws(() => assign(new Float64Array(5), 2, 3), /2×3 costs expected, got 5/)
  })
})
