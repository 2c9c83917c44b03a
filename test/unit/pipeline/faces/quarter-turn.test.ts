import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { RgbImage } from '../../../../pipeline/data/image.js'
import { bestTurn, turnImage } from '../../../../pipeline/faces/quarter-turn.js'

/** The three values of each pixel are equal. */
const grey = (rows: readonly (readonly number[])[]): RgbImage => ({
  width: rows[0]?.length ?? 0,
  height: rows.length,
  data: Uint8Array.from(rows.flat().flatMap((value) => [value, value, value])),
})

describe('a quarter turn', () => {
  const image = grey([
    [1, 2, 3],
    [4, 5, 6],
  ])

  it('is clockwise', () => {
    assert.deepEqual(
      turnImage(image, 1),
      grey([
        [4, 1],
        [5, 2],
        [6, 3],
      ]),
    )
    assert.deepEqual(
      turnImage(image, 2),
      grey([
        [6, 5, 4],
        [3, 2, 1],
      ]),
    )
    assert.deepEqual(
      turnImage(image, 3),
      grey([
        [3, 6],
        [2, 5],
        [1, 4],
      ]),
    )
  })

  it('keeps the channels of a pixel together', () => {
    const colours: RgbImage = { width: 2, height: 1, data: Uint8Array.from([1, 2, 3, 4, 5, 6]) }
    assert.deepEqual([...turnImage(colours, 2).data], [4, 5, 6, 1, 2, 3])
  })
})

describe('the turn that shows faces best', () => {
  it('is none if the original picture shows a face about as well', () => {
    assert.equal(bestTurn([0.6, 0.1, 0.7, 0.2]), 0)
  })

  it('is the one with a clearly better face', () => {
    assert.equal(bestTurn([0.1, 0.2, 0.7, 0.3]), 2)
    assert.equal(bestTurn([0, 0.65, 0, 0.7]), 3)
  })

  it('is none if no turn shows a usable face', () => {
    assert.equal(bestTurn([0, 0.1, 0.05, 0.02]), 0)
    assert.equal(bestTurn([0, 0, 0, 0]), 0)
  })
})
