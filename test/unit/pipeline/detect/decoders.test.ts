import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { decodeScrfd } from '../../../../pipeline/detect/scrfd.js'
import { decodeUltraface } from '../../../../pipeline/detect/ultraface.js'
import { decodeYunet } from '../../../../pipeline/detect/yunet.js'
import type { Tensor } from '../../../../pipeline/data/tensor.js'

const tensor = (data: Float32Array, columns: number): Tensor => ({
  data,
  dims: [1, data.length / columns, columns],
})

describe('detector outputs', () => {
  it('UltraFace: relative corners times the canvas, background scores ignored', () => {
    const outputs = new Map([
      ['scores', tensor(Float32Array.of(0.1, 0.9, 0.8, 0.2), 2)],
      ['boxes', tensor(Float32Array.of(0.25, 0.5, 0.5, 1, 0, 0, 1, 1), 4)],
    ])
    const faces = decodeUltraface(outputs, { widthPx: 320, heightPx: 240 }, 0.5)
    assert.equal(faces.length, 1)
    assert.deepEqual(faces[0]?.boxXyxyPx, [80, 120, 160, 240])
  })

  /** A canvas of 64×64: 8×8, 4×4 and 2×2 cells. */
  const cells = (stride: number) => (64 / stride) ** 2

  it('SCRFD: distances times the stride from the cell corner, two anchors per cell', () => {
    const outputs = new Map<string, Tensor>()
    for (const stride of [8, 16, 32]) {
      const rows = cells(stride) * 2
      outputs.set(`score_${stride}`, tensor(new Float32Array(rows), 1))
      outputs.set(`bbox_${stride}`, tensor(new Float32Array(rows * 4), 4))
      outputs.set(`kps_${stride}`, tensor(new Float32Array(rows * 10), 10))
    }
    // Stride 16, cell (column 2, row 1), second anchor.
    const row = (1 * 4 + 2) * 2 + 1
    outputs.get('score_16')?.data.set([0.75], row)
    outputs.get('bbox_16')?.data.set([1, 0.5, 2, 1.5], row * 4)
    outputs.get('kps_16')?.data.set([0.25, -0.5], row * 10)
    const faces = decodeScrfd(outputs, { widthPx: 64, heightPx: 64 }, 0.5)
    assert.equal(faces.length, 1)
    assert.deepEqual(faces[0]?.boxXyxyPx, [32 - 16, 16 - 8, 32 + 32, 16 + 24])
    assert.deepEqual(faces.at(0)?.landmarksPx?.at(0), { x: 32 + 4, y: 16 - 8 })
  })

  it('SCRFD: outputs are recognised by their shapes if the exporter numbered them', () => {
    const outputs = new Map<string, Tensor>()
    for (const [index, stride] of [8, 16, 32].entries()) {
      const rows = cells(stride) * 2
      outputs.set(`${440 + index}`, tensor(new Float32Array(rows * 10), 10))
      outputs.set(`${450 + index}`, tensor(new Float32Array(rows * 4).fill(1), 4))
      outputs.set(`${460 + index}`, tensor(new Float32Array(rows), 1))
    }
    outputs.get('462')?.data.set([0.9], 0)
    const faces = decodeScrfd(outputs, { widthPx: 64, heightPx: 64 }, 0.5)
    assert.deepEqual(
      faces.map(({ boxXyxyPx }) => boxXyxyPx),
      [[-32, -32, 32, 32]],
    )
  })

  it('YuNet: the score is the root of cls · obj, the centre an offset, the size a logarithm', () => {
    const outputs = new Map<string, Tensor>()
    for (const stride of [8, 16, 32]) {
      for (const [name, columns] of [
        ['cls', 1],
        ['obj', 1],
        ['bbox', 4],
        ['kps', 10],
      ] as const)
        outputs.set(`${name}_${stride}`, tensor(new Float32Array(cells(stride) * columns), columns))
    }
    const cell = 2 * 8 + 3
    outputs.get('cls_8')?.data.set([0.81], cell)
    outputs.get('obj_8')?.data.set([1], cell)
    outputs.get('bbox_8')?.data.set([0.5, 0.5, Math.log(2), Math.log(4)], cell * 4)
    const faces = decodeYunet(outputs, { widthPx: 64, heightPx: 64 }, 0.5)
    assert.equal(faces.length, 1)
    assert.ok(Math.abs((faces[0]?.detectionScore ?? 0) - 0.9) < 1e-6)
    const box = faces[0]?.boxXyxyPx.map((value) => Math.round(value * 1000) / 1000)
    assert.deepEqual(box, [28 - 8, 20 - 16, 28 + 8, 20 + 16])
  })

  it('lists the outputs of a model of another kind', () => {
    assert.throws(
      () => decodeYunet(new Map([['x', tensor(new Float32Array(1), 1)]]), { widthPx: 64, heightPx: 64 }, 0.5),
      /cls_8.*x/,
    )
  })
})
