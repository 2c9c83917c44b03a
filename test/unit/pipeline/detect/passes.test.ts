import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { paintCanvas } from '../../../../pipeline/detect/canvas.js'
import { detectFaces } from '../../../../pipeline/detect/detect-faces.js'
import type { DetectedFace, Detector } from '../../../../pipeline/detect/detector.js'
import { suppressNonMaxima } from '../../../../pipeline/detect/nms.js'
import { planPasses } from '../../../../pipeline/detect/passes.js'
import type { BoxXyxyPx } from '../../../../pipeline/data/geometry.js'
import type { RgbImage } from '../../../../pipeline/data/image.js'
import { seededRandom } from '../../../support/random.js'

const canvas = { canvasWidthPx: 320, canvasHeightPx: 240, minFacePx: 16, maxFacePx: 240 }

describe('detection passes', () => {
  it('need only one pass for a small image', () => {
    assert.equal(planPasses({ width: 320, height: 240 }, canvas, 40).length, 1)
    assert.equal(planPasses({ width: 640, height: 480 }, canvas, 40).length, 1)
  })

  it('contain every face from the wanted size up to the frame whole in a pass that sees its size', () => {
    const random = seededRandom(5)
    for (const image of [
      { width: 1920, height: 1080 },
      { width: 1080, height: 1920 },
      { width: 3840, height: 2160 },
      { width: 1280, height: 720 },
    ]) {
      const passes = planPasses(image, canvas, 40)
      for (let i = 0; i < 2000; i++) {
        const height = 40 * (Math.min(image.width, image.height) / 40) ** random()
        const width = height * 0.75
        const x = random() * (image.width - width)
        const y = random() * (image.height - height)
        const isSeen = passes.some(
          (pass) =>
            x >= pass.xPx &&
            y >= pass.yPx &&
            x + width <= pass.xPx + pass.widthPx &&
            y + height <= pass.yPx + pass.heightPx &&
            height * pass.scale >= canvas.minFacePx * 0.93 &&
            height * pass.scale <= canvas.maxFacePx,
        )
        assert.ok(
          isSeen,
          `${Math.round(height)} px at (${Math.round(x)}, ${Math.round(y)}) of ${image.width}×${image.height}`,
        )
      }
    }
  })

  it('add a smaller copy of the whole image if the detector misses faces that fill its canvas', () => {
    const square = { canvasWidthPx: 640, canvasHeightPx: 640, minFacePx: 12, maxFacePx: 320 }
    const scales = planPasses({ width: 640, height: 640 }, square, 40).map(({ scale }) => scale)
    assert.ok(scales.some((scale) => 640 * scale <= 320))
  })

  it('leave faces to the whole image that are much larger than the smallest one it sees', () => {
    const [whole, tile] = planPasses({ width: 768, height: 432 }, canvas, 16)
    assert.equal(whole?.largestFacePx, Infinity)
    // The whole image is scaled by 320 / 768: faces of 16 px on the canvas are 38.4 px high.
    assert.ok(Math.abs((tile?.largestFacePx ?? 0) - 1.5 * 38.4) < 1e-9)
  })

  it('copy pixels at scale 1, and keep the mean at a smaller scale', () => {
    const data = new Uint8Array(100 * 60 * 3).map((_, i) => (i * 7) % 256)
    const image: RgbImage = { width: 100, height: 60, data }
    const copy = paintCanvas(
      image,
      { xPx: 10, yPx: 5, widthPx: 20, heightPx: 10, scale: 1, largestFacePx: Infinity },
      32,
      16,
    )
    assert.equal(copy.data[0], data[(5 * 100 + 10) * 3])
    assert.equal(copy.data[31 * 3], 0)
    const flat: RgbImage = { width: 100, height: 60, data: data.fill(90) }
    const small = paintCanvas(
      flat,
      { xPx: 0, yPx: 0, widthPx: 100, heightPx: 60, scale: 0.31, largestFacePx: Infinity },
      40,
      30,
    )
    assert.equal(small.data[0], 90)
    assert.equal(small.data[(10 * 40 + 20) * 3], 90)
  })
})

describe('detectFaces', () => {
  /** Reports bright squares on black as faces. It replaces a model, so that tiles and coordinates can be checked. */
  const brightSquares: Detector = {
    ...canvas,
    detectOnCanvas: ({ width, height, data }) => {
      let [x1, y1, x2, y2] = [Infinity, Infinity, -1, -1]
      for (let y = 0; y < height; y++)
        for (let x = 0; x < width; x++)
          if ((data[(y * width + x) * 3] ?? 0) > 128) {
            ;[x1, y1] = [Math.min(x1, x), Math.min(y1, y)]
            ;[x2, y2] = [Math.max(x2, x + 1), Math.max(y2, y + 1)]
          }
      const face: DetectedFace = { boxXyxyPx: [x1, y1, x2, y2], detectionScore: 0.9, landmarksPx: undefined }
      return Promise.resolve(y2 - y1 >= canvas.minFacePx * 0.9 ? [face] : [])
    },
  }

  it('returns each face once, with a box in pixels of the whole image, wherever the face lies', async () => {
    for (const [left, top] of [
      [5, 5],
      [310, 200],
      [660, 380],
      [400, 210],
    ] as const) {
      const image: RgbImage = { width: 768, height: 432, data: new Uint8Array(768 * 432 * 3) }
      for (let y = top; y < top + 20; y++)
        image.data.fill(255, (y * 768 + left) * 3, (y * 768 + left + 20) * 3)
      const faces = await detectFaces(brightSquares, image, 16)
      assert.equal(faces.length, 1)
      const [x1 = 0, y1 = 0, x2 = 0, y2 = 0] = faces[0]?.boxXyxyPx ?? []
      for (const [actual, expected] of [
        [x1, left],
        [y1, top],
        [x2, left + 20],
        [y2, top + 20],
      ] as const)
        assert.ok(Math.abs(actual - expected) < 3, `${actual} is not ${expected}`)
    }
  })

  it('does not take parts of a large face from a tile', async () => {
    // A pass over the whole image of 768×432 pixels leaves the canvas black below its 180 rows; a tile fills it.
    const detector: Detector = {
      ...canvas,
      detectOnCanvas: ({ data }) => {
        const isTile = data.at(-1) !== 0
        const boxXyxyPx: BoxXyxyPx = isTile ? [50, 50, 110, 110] : [100, 20, 200, 145]
        return Promise.resolve([{ boxXyxyPx, detectionScore: 0.9, landmarksPx: undefined }])
      },
    }
    const image: RgbImage = { width: 768, height: 432, data: new Uint8Array(768 * 432 * 3).fill(1) }
    const faces = await detectFaces(detector, image, 16)
    assert.deepEqual(
      faces.map(({ boxXyxyPx }) => boxXyxyPx.map(Math.round)),
      [[240, 48, 480, 348]],
    )
  })
})

describe('non-maximum suppression', () => {
  const face = (boxXyxyPx: BoxXyxyPx, detectionScore: number): DetectedFace => ({
    boxXyxyPx,
    detectionScore,
    landmarksPx: undefined,
  })

  it('keeps the best of overlapping boxes, and all separate boxes', () => {
    const kept = suppressNonMaxima([
      face([0, 0, 10, 10], 0.6),
      face([1, 0, 11, 10], 0.9),
      face([50, 50, 60, 60], 0.5),
    ])
    assert.deepEqual(
      kept.map(({ detectionScore }) => detectionScore),
      [0.9, 0.5],
    )
  })

  it('drops a part of a face at any size, even if it scores better', () => {
    const whole = face([0, 0, 100, 100], 0.95)
    for (const [part, score] of [
      [[40, 40, 95, 95], 0.8],
      [[40, 40, 95, 95], 0.99],
      [[30, 60, 45, 75], 0.99],
    ] as const)
      assert.deepEqual(suppressNonMaxima([face(part, score), whole]), [whole])
  })

  it('keeps several confident faces that a weak box encloses, and drops the box', () => {
    const group = [face([5, 20, 45, 60], 0.99), face([60, 20, 100, 60], 0.98)]
    assert.deepEqual(suppressNonMaxima([...group, face([0, 0, 110, 70], 0.75)]), group)
  })

  it('keeps a weak large face and a much smaller one inside it that scores better', () => {
    const both = [face([40, 40, 60, 60], 0.9), face([0, 0, 100, 100], 0.8)]
    assert.deepEqual(suppressNonMaxima(both), both)
  })
})
