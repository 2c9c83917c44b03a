import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Landmarker } from '../../../../pipeline/align/points68.js'
import { arcfaceTemplate } from '../../../../pipeline/image/similarity-transform.js'
import { alignAndMeasure, findFaces, type FoundFace } from '../../../../pipeline/faces/analyse-frame.js'
import type { DetectedFace, Detector } from '../../../../pipeline/detect/detector.js'
import type { BoxXyxyPx } from '../../../../pipeline/data/geometry.js'
import type { RgbImage } from '../../../../pipeline/data/image.js'

const width = 320
const height = 240
const faceBox: BoxXyxyPx = [100, 60, 212, 172]

/** Grey: `face` within the face's box, `logo` in a corner, `ground` elsewhere. */
function picture({ face, ground, logo = ground }: { face: number; ground: number; logo?: number }): RgbImage {
  const data = new Uint8Array(width * height * 3).fill(ground)
  const paint = ([x1, y1, x2, y2]: BoxXyxyPx, value: number) => {
    for (let y = y1; y < y2; y++) data.fill(value, (y * width + x1) * 3, (y * width + x2) * 3)
  }
  paint(faceBox, face)
  paint([0, 0, 160, 60], logo)
  return { width, height, data }
}

const brightnessAt = ({ width: columns, data }: RgbImage, x: number, y: number) =>
  data[(y * columns + x) * 3] ?? 0

/** Finds the face if its middle is at least this bright, and keeps the images that it received. */
function detectorThatNeeds(leastBrightness: number): { detector: Detector; shown: RgbImage[] } {
  const shown: RgbImage[] = []
  const face: DetectedFace = { boxXyxyPx: faceBox, detectionScore: 0.9, landmarksPx: undefined }
  return {
    shown,
    detector: {
      ...{ canvasWidthPx: width, canvasHeightPx: height, minFacePx: 16, maxFacePx: 240 },
      detectOnCanvas(image) {
        shown.push(image)
        return Promise.resolve(brightnessAt(image, 150, 110) >= leastBrightness ? [face] : [])
      },
    },
  }
}

/** Returns points that lie in the box as in an aligned crop of 112×112, which is the size of the face's box. */
function templateLandmarker(): { landmarker: Landmarker; shown: RgbImage[] } {
  const shown: RgbImage[] = []
  const points = ([x1, y1]: BoxXyxyPx, i: 0 | 1 | 2 | 3 | 4) => ({
    x: x1 + arcfaceTemplate[i].x,
    y: y1 + arcfaceTemplate[i].y,
  })
  return {
    shown,
    landmarker: {
      findLandmarks(image, box) {
        shown.push(image)
        const at = (i: 0 | 1 | 2 | 3 | 4) => points(box, i)
        return Promise.resolve([at(0), at(1), at(2), at(3), at(4)])
      },
    },
  }
}

describe('finding faces', () => {
  it('processes a bright picture once, unchanged', async () => {
    const bright = picture({ face: 180, ground: 90 })
    const { detector, shown } = detectorThatNeeds(100)
    const faces = await findFaces({ full: bright, detection: bright }, { detector }, 40)
    assert.deepEqual([faces.length, shown], [1, [bright]])
  })

  it('finds a dark face in a brightened copy', async () => {
    const dark = picture({ face: 14, ground: 3 })
    const { detector, shown } = detectorThatNeeds(100)
    const faces = await findFaces({ full: dark, detection: dark }, { detector }, 40)
    assert.deepEqual([faces.length, shown.length], [1, 2])
  })

  it('lists a face once if it is found on both the dark original and the copy', async () => {
    const dark = picture({ face: 14, ground: 3 })
    const { detector } = detectorThatNeeds(0)
    assert.equal((await findFaces({ full: dark, detection: dark }, { detector }, 40)).length, 1)
  })
})

describe('aligning a face', () => {
  const found: FoundFace = { boxXyxyPx: faceBox, detectionScore: 0.9, landmarksPx: undefined }

  it('takes a bright face from the image itself, unchanged', async () => {
    const bright = picture({ face: 120, ground: 20 })
    const { landmarker, shown } = templateLandmarker()
    const { alignedCrop } = await alignAndMeasure(found, bright, { landmarker })
    assert.equal(shown[0], bright)
    assert.equal(brightnessAt(alignedCrop, 56, 56), 120)
  })

  it('brightens a dark face by its own luma despite a bright logo, and places it in the image', async () => {
    const dark = picture({ face: 14, ground: 3, logo: 250 })
    const { landmarker } = templateLandmarker()
    const { alignedCrop, landmarksPx } = await alignAndMeasure(found, dark, { landmarker })
    assert.ok(brightnessAt(alignedCrop, 56, 56) >= 150)
    for (const [i, { x, y }] of landmarksPx.entries()) {
      assert.ok(Math.abs(x - (faceBox[0] + (arcfaceTemplate[i]?.x ?? NaN))) < 1e-9)
      assert.ok(Math.abs(y - (faceBox[1] + (arcfaceTemplate[i]?.y ?? NaN))) < 1e-9)
    }
  })

  it('brightens it in the same way if the detector returns the landmarks', async () => {
    const dark = picture({ face: 14, ground: 3 })
    const { landmarker } = templateLandmarker()
    const landmarksPx = await landmarker.findLandmarks(dark, faceBox)
    const sample = await alignAndMeasure({ ...found, landmarksPx }, dark, { landmarker: undefined })
    assert.deepEqual(sample.landmarksPx, landmarksPx)
    assert.ok(brightnessAt(sample.alignedCrop, 56, 56) >= 150)
  })
})
