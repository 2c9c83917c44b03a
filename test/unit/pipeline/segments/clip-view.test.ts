import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { addTurns, placeInClip } from '../../../../pipeline/segments/clip-view.js'
import { turnFrame, turnImage, unturnBox, unturnPoint } from '../../../../pipeline/faces/quarter-turn.js'

const turns = [0, 1, 2, 3] as const
const size = { widthPx: 5, heightPx: 3 }
const image = {
  width: size.widthPx,
  height: size.heightPx,
  data: Uint8Array.from({ length: 45 }, (_, i) => i),
}

describe('a clip with turned frames', () => {
  it('maps every pixel of a turned image to its original place', () => {
    for (const by of turns) {
      const turned = turnImage(image, by)
      for (let y = 0; y < turned.height; y++)
        for (let x = 0; x < turned.width; x++) {
          // Pixel centres.
          const at = unturnPoint({ x: x + 0.5, y: y + 0.5 }, by, size)
          const from = (Math.floor(at.y) * image.width + Math.floor(at.x)) * 3
          assert.equal(turned.data[(y * turned.width + x) * 3], image.data[from])
        }
    }
  })

  it('has boxes with their corners in order, in pixels of the displayed clip', () => {
    assert.deepEqual(unturnBox([0, 1, 2, 4], 1, size), [1, 1, 4, 3])
    assert.deepEqual(unturnBox([0, 1, 2, 2], 2, size), [3, 1, 5, 2])
    const point = { x: 1, y: 2 }
    const face = { boxXyxyPx: [0, 1, 2, 4], landmarksPx: [point, point, point, point, point] } as const
    const { boxXyxyPx, landmarksPx } = placeInClip(face, { ...size, sourcePxPerPx: 2, turns: 1 })
    assert.deepEqual(boxXyxyPx, [2, 2, 8, 6])
    assert.deepEqual(landmarksPx[4], { x: 4, y: 4 })
  })

  it('adds up turns, and a full turn is none', () => {
    assert.deepEqual(
      turns.map((by) => addTurns(by, 3)),
      [3, 0, 1, 2],
    )
    const frame = { full: image, detection: image }
    assert.equal(turnFrame(frame, 0), frame)
    const { full, detection } = turnFrame(frame, 1)
    assert.equal(full, detection)
  })
})
