import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { ExactIndex } from '../../../../index/vectors/exact/exact-index.js'
import { holdsAllAbove, searchWidening } from '../../../../index/vectors/widening-search.js'
import { createDirections, near } from '../../../support/vectors.js'

describe('a widening search', () => {
  const next = createDirections(64, 3)
  const centre = next()
  const index = new ExactIndex(64)
  before(() =>
    index.add(
      Array.from({ length: 300 }, (_, label) => ({
        label,
        vector: label < 100 ? near(centre, 0.9, next()) : next(),
      })),
    ),
  )

  it('increases k until the last neighbour is below the threshold', async () => {
    const found = await searchWidening(index, centre, holdsAllAbove(0.7), 20)
    assert.equal(found.length, 160)
    assert.equal(found.filter(({ cosineSimilarity }) => cosineSimilarity >= 0.7).length, 100)
  })

  it('searches once if the first k is enough', async () => {
    assert.equal((await searchWidening(index, centre, holdsAllAbove(0.7), 120)).length, 120)
  })

  it('returns everything if the condition is never met', async () => {
    assert.equal((await searchWidening(index, centre, () => false, 50)).length, 300)
  })

  it('returns everything if the last k equals the number of vectors', async () => {
    assert.equal((await searchWidening(index, centre, () => false, 150)).length, 300)
  })
})
