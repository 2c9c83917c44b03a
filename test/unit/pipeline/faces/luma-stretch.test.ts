import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { RgbImage } from '../../../../pipeline/data/image.js'
import { stretchLuma, stretchOfDark } from '../../../../pipeline/faces/luma-stretch.js'

const width = 100
const height = 80

/** Grey pixels with these values 0..255. */
function painted(luma: (x: number, y: number) => number): RgbImage {
  const data = new Uint8Array(width * height * 3)
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) data.fill(luma(x, y), (y * width + x) * 3, (y * width + x) * 3 + 3)
  return { width, height, data }
}

/** From 0 on the left to `top` on the right. */
const ramp = (top: number) => painted((x) => Math.round((x * top) / (width - 1)))

describe('the stretch of a dark picture', () => {
  it('is undefined if the picture is bright, even if half of it is black', () => {
    assert.equal(stretchOfDark(ramp(200)), undefined)
    assert.equal(stretchOfDark(painted((x) => (x < 50 ? 0 : 120))), undefined)
  })

  it('is undefined if there is only black or noise', () => {
    assert.equal(stretchOfDark(painted(() => 0)), undefined)
    assert.equal(stretchOfDark(painted((x) => x % 4)), undefined)
  })

  it('turns a picture of 5 to 20 into one of 0 to 190', () => {
    const dark = painted((_, y) => (y < 40 ? 5 : 20))
    const stretch = stretchOfDark(dark)
    assert.deepEqual(stretch, { black: 5, gain: 190 / 15 })
    const { data } = stretchLuma(dark, stretch)
    assert.deepEqual([data[0], data.at(-1)], [0, 190])
  })

  it('ignores a bright logo', () => {
    const plain = stretchOfDark(ramp(20))
    const withLogo = painted((x, y) => (x >= 80 && y < 15 ? 255 : Math.round((x * 20) / 99)))
    assert.ok(plain)
    const gain = stretchOfDark(withLogo)?.gain ?? 0
    assert.ok(Math.abs(gain / plain.gain - 1) < 0.15, `${gain} is not ${plain.gain}`)
  })

  it('is the same with and without black bars', () => {
    const bars = painted((x, y) => (x < 30 || x >= 70 ? 0 : 6 + (y % 20)))
    const without = painted((_, y) => 6 + (y % 20))
    const [narrow, wide] = [stretchOfDark(bars), stretchOfDark(without)]
    assert.ok(narrow && wide)
    assert.equal(narrow.black, 0)
    assert.ok(Math.abs(narrow.black + 190 / narrow.gain - (wide.black + 190 / wide.gain)) <= 1)
  })

  it('uses only the given part, and returns only that part', () => {
    const image = painted((x) => (x < 50 ? 10 : 240))
    const part = { xPx: 0, yPx: 0, widthPx: 40, heightPx: 30 }
    assert.equal(stretchOfDark(image), undefined)
    assert.ok(stretchOfDark(image, part))
    const { width: columns, height: rows, data } = stretchLuma(image, { black: 4, gain: 10 }, part)
    assert.deepEqual([columns, rows, data.length], [40, 30, 40 * 30 * 3])
    assert.ok(data.every((value) => value === 60))
  })

  it('amplifies colours by a quarter of the gain for luma', () => {
    const image = painted(() => 0)
    for (let at = 0; at < image.data.length; at += 3) image.data.set([20, 3, 35], at)
    // Luma 0.299 · 20 + 0.587 · 3 + 0.114 · 35 = 11.731, stretched to 77.31; red is 8.269 above the luma: 77.31 + 2.5 ·
    // 8.269.
    assert.deepEqual([...stretchLuma(image, { black: 4, gain: 10 }).data.subarray(0, 3)], [98, 55, 135])
  })

  it('spreads a single step over its neighbours', () => {
    const image = painted((x, y) => (x === 10 && y === 10 ? 16 : 0))
    const { data } = stretchLuma(image, { black: 0, gain: 10 })
    const at = (x: number, y: number) => data[(y * width + x) * 3]
    assert.deepEqual([at(10, 10), at(11, 10), at(10, 9), at(11, 11), at(12, 10)], [40, 20, 20, 10, 0])
  })
})
