import assert from 'node:assert/strict'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { before, describe, it } from 'node:test'
import sharp from 'sharp'
import type { DetectedFace } from '../../../../pipeline/detect/detector.js'
import type { BoxXyxyPx } from '../../../../pipeline/data/geometry.js'
import { compareDetector, makeFrames } from '../../../../scripts/bench/model-frames.js'
import { temporaryDir } from '../../../support/cameo.js'

const images = temporaryDir()

/** A detector that takes a whole frame at once and finds these boxes. */
const finding = (boxes: readonly BoxXyxyPx[]) => ({
  detector: {
    ...{ canvasWidthPx: 1920, canvasHeightPx: 1080, minFacePx: 40, maxFacePx: 2000 },
    detectOnCanvas: () =>
      Promise.resolve(
        boxes.map((boxXyxyPx): DetectedFace => ({ boxXyxyPx, detectionScore: 0.9, landmarksPx: undefined })),
      ),
  },
  highScore: 0.7,
})

const around = (x: number, y: number, heightPx: number): BoxXyxyPx => [
  x - heightPx * 0.4,
  y - heightPx / 2,
  x + heightPx * 0.4,
  y + heightPx / 2,
]

describe('frames for comparing detectors', () => {
  before(async () => {
    for (const [name, background] of [
      ['ada', '#ff0000'],
      ['ben', '#0000ff'],
    ] as const) {
      mkdirSync(join(images, name))
      const photo = sharp({ create: { width: 250, height: 250, channels: 3, background } })
      await photo.jpeg().toFile(join(images, name, `${name}_0001.jpg`))
    }
  })

  it('show eight photos with a face of 40 to 200 px in the middle of each', async () => {
    const frames = await makeFrames(images, 3)
    assert.equal(frames.length, 3)
    for (const { image, faces } of frames) {
      assert.deepEqual([image.width, image.height, image.data.length], [1920, 1080, 1920 * 1080 * 3])
      assert.equal(faces.length, 8)
      for (const { x, y, heightPx } of faces) {
        assert.ok(heightPx > 39 && heightPx < 201, `${heightPx}`)
        const at = (Math.round(y) * image.width + Math.round(x)) * 3
        const [red = 0, green = 0, blue = 0] = image.data.subarray(at, at + 3)
        assert.ok(green < 10 && Math.max(red, blue) > 240, `${red} ${green} ${blue}`)
      }
    }
  })

  it('count a face once, and a box without a face as wrong', async () => {
    const frames = (await makeFrames(images, 1)).slice(0, 1)
    const faces = frames[0]?.faces ?? []
    const boxes = faces.map(({ x, y, heightPx }) => around(x, y, heightPx))
    const figures = async (found: readonly BoxXyxyPx[]) => {
      const { recall, precision, passes } = await compareDetector('own', frames, finding(found))
      return [recall, precision, passes]
    }
    assert.deepEqual(await figures(boxes), [1, 1, 1])
    assert.deepEqual(await figures(boxes.slice(2)), [0.75, 1, 1])
    // Between the photos, where there is nothing.
    assert.deepEqual(await figures([...boxes, around(960, 540, 50)]), [1, 8 / 9, 1])
  })
})
