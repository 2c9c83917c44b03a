import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { arcfaceTemplate } from '../../../../pipeline/image/similarity-transform.js'
import type { DetectedFace } from '../../../../pipeline/detect/detector.js'
import type { BoxXyxyPx, Landmarks5Px } from '../../../../pipeline/data/geometry.js'
import type { RgbImage } from '../../../../pipeline/data/image.js'
import { embedFaces, facesUpright, type PhotoStages } from '../../../../pipeline/faces/upright-faces.js'
import { turnImage } from '../../../../pipeline/faces/quarter-turn.js'

const sidePx = 240

/** A grey picture; each box is painted with its brightness. */
function photo(boxes: readonly (readonly [BoxXyxyPx, brightness: number])[]): RgbImage {
  const data = new Uint8Array(sidePx * sidePx * 3).fill(70)
  for (const [[x1, y1, x2, y2], brightness] of boxes)
    for (let y = y1; y < y2; y++) data.fill(brightness, (y * sidePx + x1) * 3, (y * sidePx + x2) * 3)
  return { width: sidePx, height: sidePx, data }
}

const brightnessAt = ({ width, data }: RgbImage, x: number, y: number) => data[(y * width + x) * 3] ?? 0
const middle = ([x1, y1, x2, y2]: BoxXyxyPx) => [(x1 + x2) >> 1, (y1 + y2) >> 1] as const

/** Finds these boxes if they are painted. The norm of an embedding is a fiftieth of its crop's brightness. */
function stagesThatFind(boxes: readonly BoxXyxyPx[]): PhotoStages {
  const landmarksIn = ([x1, y1, x2, y2]: BoxXyxyPx): Landmarks5Px => {
    const at = (i: 0 | 1 | 2 | 3 | 4) => ({
      x: x1 + (arcfaceTemplate[i].x / 112) * (x2 - x1),
      y: y1 + (arcfaceTemplate[i].y / 112) * (y2 - y1),
    })
    return [at(0), at(1), at(2), at(3), at(4)]
  }
  return {
    detector: {
      ...{ canvasWidthPx: sidePx, canvasHeightPx: sidePx, minFacePx: 16, maxFacePx: sidePx * 2 },
      detectOnCanvas: (image) =>
        Promise.resolve(
          boxes
            .filter((box) => brightnessAt(image, ...middle(box)) > 80)
            .map((boxXyxyPx): DetectedFace => ({
              ...{ boxXyxyPx, detectionScore: 0.95, landmarksPx: landmarksIn(boxXyxyPx) },
            })),
        ),
    },
    landmarker: undefined,
    embedder: {
      dimension: 1,
      embed: (crop) =>
        Promise.resolve({ float16: new Uint16Array(1), norm: brightnessAt(crop, 56, 56) / 50 }),
    },
    normRange: { low: 2, high: 4 },
    highScore: 0.7,
  }
}

const left: BoxXyxyPx = [10, 20, 110, 120]
const right: BoxXyxyPx = [130, 20, 230, 120]

describe('the faces of a photo', () => {
  const stages = stagesThatFind([left, right])

  it('are embedded before they are listed: a detection with a low norm is not a face', async () => {
    const image = photo([
      [left, 150],
      [right, 95],
    ])
    const { faces, unusable } = await embedFaces({ full: image, detection: image }, stages)
    assert.deepEqual(
      faces.map(({ sample, embedding, plausibility }) => [sample.boxXyxyPx, embedding.norm, plausibility]),
      [[left, 3, 0.5]],
    )
    assert.deepEqual(
      unusable.map(({ boxXyxyPx }) => boxXyxyPx),
      [right],
    )
  })

  it('are listed alone if they are doubtful, but not next to a much better one', async () => {
    const alone = photo([[right, 103]])
    const beside = photo([
      [left, 200],
      [right, 103],
    ])
    const listed = async (image: RgbImage) =>
      (await embedFaces({ full: image, detection: image }, stages)).faces.map(
        ({ sample }) => sample.boxXyxyPx,
      )
    assert.deepEqual(await listed(alone), [right])
    assert.deepEqual(await listed(beside), [left])
  })
})

describe('a photo that may be turned', () => {
  const upright = photo([[left, 200]])
  const stages = stagesThatFind([left])

  it('is processed once if its face is clearly upright', async () => {
    const { turns, images } = await facesUpright({ full: upright, detection: upright }, stages)
    assert.deepEqual([turns, images.full], [0, upright])
  })

  it('is turned, with both of its images, so that its face is found', async () => {
    for (const [given, needed] of [
      [1, 3],
      [2, 2],
      [3, 1],
    ] as const) {
      const aside = turnImage(upright, given)
      const { turns, images, faces } = await facesUpright({ full: aside, detection: aside }, stages)
      assert.equal(turns, needed)
      assert.deepEqual([images.full, images.detection], [upright, upright])
      assert.deepEqual(faces[0]?.sample.boxXyxyPx, left)
    }
  })

  it('stays unchanged if no turn shows a face', async () => {
    const empty = photo([])
    const { turns, faces } = await facesUpright({ full: empty, detection: empty }, stages)
    assert.deepEqual([turns, faces], [0, []])
  })
})
