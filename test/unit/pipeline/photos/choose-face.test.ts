import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { CameoError } from '../../../../pipeline/common/errors.js'
import {
  chooseFace,
  tellChoice,
  type Photo,
  type PhotoFace,
} from '../../../../pipeline/photos/process-photo.js'

interface FaceLike {
  /** Its middle, px in a photo of 1000×1000. */
  readonly at: readonly [x: number, y: number]
  readonly heightPx: number
  readonly plausibility?: number
}

function face({ at: [x, y], heightPx, plausibility = 0.8 }: FaceLike): PhotoFace {
  const half = heightPx / 2
  const point = { x, y }
  return {
    sample: {
      boxXyxyPx: [x - half * 0.8, y - half, x + half * 0.8, y + half],
      detectionScore: 0.95,
      landmarksPx: [point, point, point, point, point],
      quality: 0.6,
      alignedCrop: { width: 0, height: 0, data: new Uint8Array() },
    },
    embedding: { float16: new Uint16Array(), norm: 4 },
    ...{ plausibility, quality: 0.6 * plausibility },
    thumbnailJpeg: new Uint8Array(),
  }
}

const photoOf = (...faces: readonly FaceLike[]): Photo => ({
  ...{ widthPx: 1000, heightPx: 1000, faces: faces.map(face), unusable: [], notices: [] },
})

/** The position of the face that is chosen automatically, from 1. */
function taken(photo: Photo): number {
  return 1 + photo.faces.indexOf(chooseFace(photo, 'a.jpg', undefined))
}

function refusal(photo: Photo, choice?: number): CameoError {
  try {
    chooseFace(photo, 'a.jpg', choice)
  } catch (error) {
    if (error instanceof CameoError) return error
    throw error
  }
  throw new Error('a face was chosen')
}

describe('the face of a photo', () => {
  it('is the one that is 1.5 times as high as every other, wherever it is', () => {
    const photo = photoOf({ at: [500, 500], heightPx: 100 }, { at: [850, 500], heightPx: 160 })
    assert.equal(taken(photo), 2)
    assert.equal(
      tellChoice(photo, 'a.jpg', chooseFace(photo, 'a.jpg', undefined)),
      '"a.jpg" shows 2 faces; face 2 was chosen, the largest',
    )
  })

  it('is the one that is twice as plausible as every other of its size', () => {
    assert.equal(
      taken(
        photoOf(
          { at: [300, 500], heightPx: 120, plausibility: 0.3 },
          { at: [700, 500], heightPx: 110, plausibility: 0.7 },
          { at: [200, 200], heightPx: 60, plausibility: 0.5 },
        ),
      ),
      2,
    )
  })

  it('is not the largest one if that is hardly a face', () => {
    const photo = photoOf(
      { at: [300, 500], heightPx: 300, plausibility: 0.2 },
      { at: [700, 500], heightPx: 110, plausibility: 0.7 },
    )
    assert.equal(taken(photo), 2)
    assert.match(
      tellChoice(photo, 'a.jpg', chooseFace(photo, 'a.jpg', undefined)) ?? '',
      /face 2 was chosen, the main one/,
    )
  })

  it('is the portrait, even if a face next to it is more plausible', () => {
    const photo = photoOf(
      { at: [500, 480], heightPx: 350, plausibility: 0.35 },
      { at: [820, 300], heightPx: 340, plausibility: 0.8 },
    )
    assert.equal(taken(photo), 1)
  })

  it('is the portrait, not a face at the edge of nearly the same height', () => {
    assert.equal(taken(photoOf({ at: [500, 500], heightPx: 350 }, { at: [900, 300], heightPx: 280 })), 1)
  })

  it('is undecided between two people side by side, and among many', () => {
    for (const photo of [
      photoOf({ at: [300, 500], heightPx: 200 }, { at: [700, 500], heightPx: 170 }),
      photoOf(
        { at: [500, 500], heightPx: 150 },
        { at: [200, 500], heightPx: 140, plausibility: 0.5 },
        { at: [800, 500], heightPx: 60 },
      ),
    ]) {
      const { code, message } = refusal(photo)
      assert.equal(code, 'IMAGE_SEVERAL_FACES')
      assert.equal(message.split('\n').length, 1 + photo.faces.length)
    }
  })

  it('is the one with the given number; another number is refused', () => {
    const photo = photoOf({ at: [300, 500], heightPx: 200 }, { at: [700, 500], heightPx: 170 })
    assert.equal(chooseFace(photo, 'a.jpg', 2), photo.faces[1])
    assert.equal(refusal(photo, 3).code, 'FACE_UNKNOWN')
  })

  it('is missing if nothing was found, or only unusable faces', () => {
    const none = refusal(photoOf())
    assert.equal(none.code, 'IMAGE_NO_FACE')
    assert.match(none.message, /^no face was found in "a\.jpg"/)
    const { sample } = face({ at: [500, 200], heightPx: 100, plausibility: 0.5 })
    const hopeless = refusal({ ...photoOf(), unusable: [sample] }, 1)
    assert.equal(hopeless.code, 'IMAGE_NO_FACE')
    assert.match(hopeless.message, /^no usable face .*\(top centre, 80×100 px .*too blurred or hidden/)
  })
})
