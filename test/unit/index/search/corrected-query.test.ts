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
    assert.equal(correctedQuery({ descriptor: x, references: 3 }, { like: [], unlike: [] }), x)
  })

  it('counts a confirmed track as much as a reference, and keeps the length 1', () => {
    const weights = { confirmed: 1, rejected: 0.5 }
    const moved = (references: number, like: readonly Float32Array[], unlike: readonly Float32Array[] = []) =>
      correctedQuery({ descriptor: x, references }, { like, unlike }, weights)
    // (1, 0, 0) + (0, 1, 0); with two tracks (1, 2, 0); with three references and four tracks (3, 4, 0).
    assertClose(moved(1, [y]), [Math.SQRT1_2, Math.SQRT1_2, 0])
    assertClose(moved(1, [y, y]), [1 / Math.sqrt(5), 2 / Math.sqrt(5), 0])
    assertClose(moved(3, [y, y, y, y]), [0.6, 0.8, 0])
    assertClose(x, [1, 0, 0])
  })

  it('moves away from the mean of what was rejected, however much is confirmed', () => {
    const weights = { confirmed: 1, rejected: 0.5 }
    // (0.6, 0.8, 0) − 0.5 · (0, 0, 1), of length √1.25
    const moved = correctedQuery(
      { descriptor: x, references: 3 },
      { like: [y, y, y, y], unlike: [z, z] },
      weights,
    )
    assertClose(
      moved,
      [0.6, 0.8, -0.5].map((value) => value / Math.sqrt(1.25)),
    )
  })
})
