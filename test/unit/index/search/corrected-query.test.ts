import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { correctedQuery } from '../../../../index/search/corrected-query.js'

const [x, y, z] = [Float32Array.of(1, 0, 0), Float32Array.of(0, 1, 0), Float32Array.of(0, 0, 1)]
const assertClose = (found: Float32Array, wanted: readonly number[]) =>
  wanted.forEach((value, i) =>
    assert.ok(Math.abs((found[i] ?? NaN) - value) < 1e-6, `${found.join()} is not ${wanted.join()}`),
  )

describe('a corrected query', () => {
  it('stays the same without corrections', () => {
    assert.equal(correctedQuery(x, { like: [], unlike: [] }), x)
  })

  it('moves by the means of what is confirmed and rejected, and keeps the length 1', () => {
    const weights = { confirmed: 1, rejected: 0.5 }
    // (1, 0, 0) + (0, 1, 0) − 0.5 · mean((0, 0, 1), (0, 0, 1)) = (1, 1, −0.5), of length 1.5
    assertClose(correctedQuery(x, { like: [y], unlike: [z, z] }, weights), [2 / 3, 2 / 3, -1 / 3])
    // Two confirmed tracks weigh as much as one.
    assertClose(correctedQuery(x, { like: [y, y], unlike: [] }, weights), [Math.SQRT1_2, Math.SQRT1_2, 0])
    assertClose(x, [1, 0, 0])
  })
})
