import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { arcfaceTemplate } from '../../../../pipeline/image/similarity-transform.js'
import {
  combineQuality,
  frontalness,
  laplacianVariance,
  measureQuality,
  normTerm,
} from '../../../../pipeline/align/quality.js'
import type { BoxXyxyPx, Landmarks5Px } from '../../../../pipeline/data/geometry.js'
import type { RgbImage } from '../../../../pipeline/data/image.js'
import { seededRandom } from '../../../support/random.js'

const frame = { width: 640, height: 360 }

function noise(amplitude: number): RgbImage {
  const random = seededRandom(3)
  const data = new Uint8Array(112 * 112 * 3)
  for (let i = 0; i < data.length; i += 3) data.fill(128 + (random() - 0.5) * amplitude, i, i + 3)
  return { width: 112, height: 112, data }
}

const face = (boxXyxyPx: BoxXyxyPx, detectionScore = 0.9) => ({ boxXyxyPx, detectionScore })

const withNoseAt = (dx: number, dy: number): Landmarks5Px => {
  const [leftEye, rightEye, nose, leftMouth, rightMouth] = arcfaceTemplate
  return [leftEye, rightEye, { x: nose.x + dx, y: nose.y + dy }, leftMouth, rightMouth]
}

describe('quality', () => {
  it('is 1 only if every term is 1, and 0 if one term is 0', () => {
    const perfect = { detection: 1, size: 1, inside: 1, sharpness: 1, pose: 1 }
    assert.equal(combineQuality(perfect), 1)
    for (const key of Object.keys(perfect)) assert.equal(combineQuality({ ...perfect, [key]: 0 }), 0)
  })

  it('falls if the frame cuts off a face', () => {
    const of = (...box: readonly [number, number, number, number]) =>
      combineQuality(
        measureQuality({ ...face(box), landmarksPx: arcfaceTemplate, alignedCrop: noise(120) }, frame),
      )
    const [whole, cut, half] = [of(0, 0, 80, 100), of(-30, 0, 50, 100), of(-40, 0, 40, 100)]
    assert.ok(whole > cut && cut > half)
    assert.equal(half, 0)
  })

  it('falls with blur: the Laplacian variance of noise grows with its amplitude squared', () => {
    const ratio = laplacianVariance(noise(80)) / laplacianVariance(noise(40))
    assert.ok(Math.abs(ratio - 4) < 0.3, `${ratio}`)
    assert.equal(laplacianVariance(noise(0)), 0)
  })

  it('is highest for a frontal face and falls when the head turns or nods, whatever the roll', () => {
    const front = frontalness(arcfaceTemplate)
    assert.ok(front > 0.9)
    assert.ok(
      front > frontalness(withNoseAt(6, 0)) && frontalness(withNoseAt(6, 0)) > frontalness(withNoseAt(12, 0)),
    )
    assert.ok(front > frontalness(withNoseAt(0, 8)))
    const turn = ({ x, y }: { x: number; y: number }) => ({ x: -y, y: x })
    const [a, b, c, d, e] = arcfaceTemplate
    assert.ok(Math.abs(frontalness([turn(a), turn(b), turn(c), turn(d), turn(e)]) - front) < 1e-9)
  })

  it("uses the norm between the pack's limits, and ignores it without them", () => {
    assert.equal(normTerm(1, undefined), 1)
    assert.equal(normTerm(3, { low: 2, high: 4 }), 0.5)
    assert.equal(normTerm(9, { low: 2, high: 4 }), 1)
    assert.ok(normTerm(1, { low: 2, high: 4 }) > 0)
  })
})
