import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { alignFace, mirror } from '../../../../pipeline/align/align-face.js'
import {
  applySimilarity,
  arcfaceTemplate,
  invertSimilarity,
} from '../../../../pipeline/image/similarity-transform.js'
import { cropScaled, warp } from '../../../../pipeline/image/warp.js'
import type { RgbImage } from '../../../../pipeline/data/image.js'

/** red = x, green = y, blue = 7: bilinear sampling has a known result everywhere. */
function ramp(width: number, height: number): RgbImage {
  const data = new Uint8Array(width * height * 3)
  for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) data.set([x, y, 7], (y * width + x) * 3)
  return { width, height, data }
}

const pixel = ({ width, data }: RgbImage, x: number, y: number) => [
  ...data.subarray((y * width + x) * 3, (y * width + x) * 3 + 3),
]

describe('warp', () => {
  it('copies pixels for a shift by whole pixels', () => {
    const shifted = warp(ramp(40, 30), { a: 1, b: 0, tx: 5, ty: 3 }, 8, 8)
    assert.deepEqual(pixel(shifted, 2, 4), [7, 7, 7])
  })

  it('gives the mean of the neighbours for a shift by half a pixel', () => {
    const image = { width: 2, height: 1, data: Uint8Array.of(10, 20, 30, 20, 40, 60) }
    assert.deepEqual(pixel(warp(image, { a: 1, b: 0, tx: 0.5, ty: 0 }, 1, 1), 0, 0), [15, 30, 45])
  })

  it('maps columns to rows for a quarter turn', () => {
    const turned = warp(ramp(10, 10), { a: 0, b: 1, tx: 9, ty: 0 }, 10, 10)
    assert.deepEqual(pixel(turned, 3, 2), [7, 3, 7])
  })

  it('is black outside the source', () => {
    assert.deepEqual(pixel(warp(ramp(4, 4), { a: 1, b: 0, tx: 100, ty: 0 }, 1, 1), 0, 0), [0, 0, 0])
  })

  it('averages when it shrinks: a fine checkerboard becomes grey, not black or white', () => {
    const data = new Uint8Array(64 * 64 * 3)
    for (let y = 0; y < 64; y++)
      for (let x = 0; x < 64; x++)
        data.fill((x + y) % 2 === 0 ? 255 : 0, (y * 64 + x) * 3, (y * 64 + x) * 3 + 3)
    const small = cropScaled({ width: 64, height: 64, data }, 0, 0, 64, 8)
    for (let i = 1; i < 7; i++) {
      const [red = 0] = pixel(small, i, i)
      assert.ok(Math.abs(red - 127.5) < 20, `${red} is not grey`)
    }
  })
})

describe('alignFace', () => {
  it('puts the five points where ArcFace expects them', () => {
    const toFrame = invertSimilarity({ a: 0.6, b: 0.15, tx: -20, ty: 4 })
    const [a, b, c, d, e] = arcfaceTemplate.map((point) => applySimilarity(toFrame, point))
    assert.ok(a && b && c && d && e)
    const crop = alignFace(ramp(250, 250), [a, b, c, d, e])
    assert.equal(crop.width, 112)
    for (const [index, point] of [a, b, c, d, e].entries()) {
      const target = arcfaceTemplate[index]
      assert.ok(target)
      const [red = 0, green = 0] = pixel(crop, Math.round(target.x), Math.round(target.y))
      assert.ok(Math.hypot(red - point.x, green - point.y) < 2, `point ${index} shows (${red}, ${green})`)
    }
  })

  it('returns the original image after mirroring twice', () => {
    const image = ramp(5, 3)
    assert.deepEqual(mirror(mirror(image)).data, image.data)
    assert.deepEqual(pixel(mirror(image), 0, 1), [4, 1, 7])
  })
})
