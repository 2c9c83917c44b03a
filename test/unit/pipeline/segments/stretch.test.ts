import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { alignedPicture, isWorthTaking, type Look } from '../../../../pipeline/segments/stretch.js'

const image = { width: 1, height: 1, data: Uint8Array.of(0, 0, 0) }
const picture = { timeS: 0, quality: 0.5, image }

describe('the picture of a stretch', () => {
  it('is taken if there is none, and again only if a face is a tenth better', () => {
    assert.equal(isWorthTaking(0.01, undefined), true)
    assert.equal(isWorthTaking(0.54, picture), false)
    assert.equal(isWorthTaking(0.56, picture), true)
  })

  it('is the best aligned face if none was taken; of equal ones, the first', () => {
    const point = { x: 0, y: 0 }
    const look = (timeS: number, quality: number): Look => ({
      timeS,
      sample: {
        ...{ boxXyxyPx: [0, 0, 1, 1], detectionScore: 1, quality, alignedCrop: image },
        landmarksPx: [point, point, point, point, point],
      },
    })
    assert.equal(alignedPicture([look(1, 0.2), look(2, 0.9), look(3, 0.9)])?.timeS, 2)
    assert.equal(alignedPicture([]), undefined)
  })
})
