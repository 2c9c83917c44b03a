import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { seededRandom } from '../../../support/random.js'
import type { RgbImage } from '../../../../pipeline/data/image.js'
import { createCutDetector } from '../../../../pipeline/track/shot-cut.js'

type Rgb = readonly [number, number, number]
type View = (x: number, y: number) => Rgb

/** A scene of soft coloured blobs on a backdrop, in coordinates in which the frame is 1 × 0.75. */
function createScene(seed: number): View {
  const random = seededRandom(seed)
  const shade = (): number => 20 + 140 * random()
  const colour = (): Rgb => [shade(), shade(), shade()]
  const backdrop = colour()
  const blobs = Array.from({ length: 12 }, () => ({
    x: random() * 1.4 - 0.2,
    y: random() * 1.1 - 0.2,
    radius: 0.08 + 0.2 * random(),
    colour: colour(),
  }))
  return (x, y) => {
    let [r, g, b] = backdrop
    for (const blob of blobs) {
      const weight = Math.exp(-(((x - blob.x) ** 2 + (y - blob.y) ** 2) / blob.radius ** 2) * 2)
      r += (blob.colour[0] - r) * weight
      g += (blob.colour[1] - g) * weight
      b += (blob.colour[2] - b) * weight
    }
    return [r, g, b]
  }
}

function render(view: View, width = 160, height = 120): RgbImage {
  const data = new Uint8Array(width * height * 3)
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const rgb = view(x / width, y / width)
      for (const [channel, value] of rgb.entries()) {
        data[(y * width + x) * 3 + channel] = Math.max(0, Math.min(255, Math.round(value)))
      }
    }
  }
  return { width, height, data }
}

const scenes = Array.from({ length: 40 }, (_, seed) => createScene(seed))

/** Number of scenes in which the step from `before` to `after` is reported as a cut. */
function cuts(
  before: (view: View, index: number) => View,
  after: (view: View, index: number) => View,
): number {
  return scenes.filter((view, index) => {
    const detector = createCutDetector()
    detector.isCut(render(before(view, index)))
    return detector.isCut(render(after(view, index)))
  }).length
}

const same = (view: View): View => view
const lit =
  (gain: number, offset: number) =>
  (view: View): View =>
  (x, y) => {
    const [r, g, b] = view(x, y)
    return [r * gain + offset, g * gain + offset, b * gain + offset]
  }

describe('the cut detector', () => {
  it('reports no cut for the first image and for a repeated one', () => {
    const detector = createCutDetector()
    const image = render(scenes[0]!)
    assert.equal(detector.isCut(image), false)
    assert.equal(detector.isCut(image), false)
  })

  it('finds nearly all cuts to another scene', () => {
    const found = cuts(same, (_view, index) => scenes[(index + 1) % scenes.length]!)
    assert.ok(found >= 37, `${found} of 40`)
  })

  it('does not report exposure steps as cuts', () => {
    for (const [gain, offset] of [
      [0.6, 0],
      [1.5, 0],
      [1, 40],
      [0.8, -30],
    ] as const) {
      assert.equal(cuts(same, lit(gain, offset)), 0, `gain ${gain}, offset ${offset}`)
    }
  })

  it('does not report flashes as cuts, at their beginning or end', () => {
    assert.ok(cuts(same, lit(1.4, 60)) <= 1)
    assert.ok(cuts(lit(1.4, 60), same) <= 1)
  })

  it('does not report a pan by a tenth of the width as a cut', () => {
    assert.equal(
      cuts(same, (view) => (x, y) => view(x + 0.1, y + 0.02)),
      0,
    )
  })

  it('does not report a large object that moves through a still scene as a cut', () => {
    const withObject =
      (at: number) =>
      (view: View): View =>
      (x, y) =>
        Math.abs(x - at) < 0.15 && Math.abs(y - 0.4) < 0.2 ? [180, 140, 120] : view(x, y)
    assert.ok(cuts(withObject(0.35), withObject(0.6)) <= 1)
  })

  it('finds a cut to and from black, and none within black', () => {
    const black: View = () => [0, 0, 0]
    const detector = createCutDetector()
    detector.isCut(render(scenes[1]!))
    assert.equal(detector.isCut(render(black)), true)
    assert.equal(detector.isCut(render(black)), false)
    assert.equal(detector.isCut(render(scenes[2]!)), true)
  })

  it('compares images of different sizes', () => {
    const detector = createCutDetector()
    detector.isCut(render(scenes[3]!, 320, 240))
    assert.equal(detector.isCut(render(scenes[3]!, 40, 30)), false)
  })
})
