import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { chosenPictures } from '../../../../pipeline/photos/photo-images.js'

describe('the pictures of an animation that are processed', () => {
  it('are all of a few, and twelve spread over many', () => {
    assert.deepEqual(chosenPictures(3, 100), [0, 1, 2])
    assert.deepEqual(chosenPictures(120, 100), [0, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100, 110])
  })

  it('are among the first if there are too many pixels, and at least one', () => {
    assert.deepEqual(chosenPictures(1000, 16_000_000), [0, 1, 2, 3])
    assert.deepEqual(chosenPictures(1000, 200_000_000), [0])
    assert.equal(chosenPictures(2 ** 32 - 1, 1).length, 12)
  })
})
