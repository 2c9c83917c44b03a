import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  displaySize,
  frameSizes,
  maxFullAreaPx,
  sharesFullImage,
} from '../../../../pipeline/decode/image-sizes.js'

const rule = { canvasWidthPx: 320, canvasHeightPx: 240, neededScale: 0.35 }

describe('sizes of a frame’s two images', () => {
  it('1080p: the smallest face determines the size, not the canvas', () => {
    const sizes = frameSizes({ width: 1920, height: 1080 }, rule)
    assert.deepEqual(sizes, { full: { width: 1920, height: 1080 }, detection: { width: 672, height: 378 } })
    assert.equal(sharesFullImage(sizes), false)
  })

  it('a small clip fills the canvas: extra pixels cost nothing', () => {
    assert.deepEqual(frameSizes({ width: 640, height: 480 }, rule).detection, { width: 320, height: 240 })
  })

  it('a clip smaller than the canvas is not enlarged, and one image is used for both', () => {
    const sizes = frameSizes({ width: 160, height: 120 }, rule)
    assert.ok(sharesFullImage(sizes))
    assert.deepEqual(sizes.detection, { width: 160, height: 120 })
  })

  it('a needed scale above 1 uses the full image', () => {
    assert.ok(sharesFullImage(frameSizes({ width: 1920, height: 1080 }, { ...rule, neededScale: 1.4 })))
  })

  it('above 4K both scales refer to the source, and neither image exceeds the cap', () => {
    const sizes = frameSizes({ width: 7680, height: 4320 }, rule)
    assert.deepEqual(sizes, { full: { width: 3840, height: 2160 }, detection: { width: 2688, height: 1512 } })
    assert.ok(sharesFullImage(frameSizes({ width: 7680, height: 4320 }, { ...rule, neededScale: 0.7 })))
    for (const [width, height] of [
      [8191, 8192],
      [16000, 900],
      [3841, 2160],
    ] as const) {
      const { full } = frameSizes({ width, height }, rule)
      assert.ok(full.width * full.height <= maxFullAreaPx)
      assert.ok(Math.abs(full.width / full.height / (width / height) - 1) < 0.01)
    }
  })

  it('no side becomes zero', () => {
    assert.deepEqual(frameSizes({ width: 4000, height: 2 }, { ...rule, neededScale: 0.01 }).detection, {
      width: 320,
      height: 1,
    })
  })

  it('the width makes pixels square', () => {
    assert.deepEqual(displaySize({ width: 720, height: 576 }, 64 / 45), { width: 1024, height: 576 })
    assert.deepEqual(displaySize({ width: 1, height: 100 }, 1 / 100), { width: 1, height: 100 })
  })
})
