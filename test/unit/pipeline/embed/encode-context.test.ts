import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { contextVector, createContextEncoder } from '../../../../pipeline/embed/encode-context.js'
import { decodeFloat16 } from '../../../../pipeline/data/float16.js'
import type { RgbImage } from '../../../../pipeline/data/image.js'
import type { ContextFile } from '../../../../pipeline/models/packs/encoder-file.js'
import type { Model } from '../../../../pipeline/models/session.js'
import type { Tensor } from '../../../../pipeline/data/tensor.js'

const spec: ContextFile = {
  ...{ kind: 'context', name: 'c', file: '/c.onnx', source: '/c.json', sha256: 'a'.repeat(64) },
  input: {
    ...{
      widthPx: 2,
      heightPx: 2,
      channelOrder: 'bgr',
      mean: [1, 2, 3],
      scale: [1, 10, 100],
      resize: 'stretch',
    },
  },
  ...{ output: 'o', pool: 'average', dimension: 2 },
}

/** Returns the next vector in each run, as [1, 2, 1, 1]; stores its inputs. */
function fakeModel(vectors: readonly (readonly number[])[]): Model & { readonly fed: number[][] } {
  const fed: number[][] = []
  return {
    fed,
    ...{ provider: 'cpu', outputNames: ['o'] },
    run({ data }) {
      const vector = vectors[fed.length] ?? []
      fed.push([...data])
      return Promise.resolve(new Map([['o', { data: Float32Array.from(vector), dims: [1, 2, 1, 1] }]]))
    },
    dispose: () => Promise.resolve(),
  }
}

/** Columns with one grey value each. */
function columns(greys: readonly number[], height: number): RgbImage {
  const row = greys.flatMap((grey) => [grey, grey, grey])
  return {
    width: greys.length,
    height,
    data: Uint8Array.from(Array.from({ length: height }, () => row).flat()),
  }
}

describe('context features', () => {
  it('are the mean of the L2-normalised vectors, not normalised again', async () => {
    const encoder = createContextEncoder(
      spec,
      fakeModel([
        [3, 4],
        [0, 10],
        [0, 0],
      ]),
    )
    const frame = encoder.fit(columns([1, 2], 2))
    const feature = await encoder.encode([frame, frame, frame])
    assert.equal(feature.frames, 3)
    const [x = NaN, y = NaN] = decodeFloat16(feature.float16)
    assert.ok(Math.abs(x - 0.2) < 1e-4 && Math.abs(y - 0.6) < 4e-4, `${x}, ${y}`)
  })

  it('average each channel over space; `none` takes the values unchanged', () => {
    const tensor: Tensor = { data: Float32Array.of(1, 2, 3, 6, 10, 20, 30, 40), dims: [1, 2, 2, 2] }
    const outputs = new Map([['o', tensor]])
    assert.deepEqual([...contextVector(spec, outputs)], [3, 25])
    assert.deepEqual([...contextVector({ output: 'o', pool: 'none' }, outputs)], [...tensor.data])
    const flat = new Map([['o', { data: Float32Array.of(7, 8), dims: [1, 2] }]])
    assert.deepEqual([...contextVector(spec, flat)], [7, 8])
  })

  it("use the model's own channel order, means and scales", async () => {
    const model = fakeModel([[1, 0]])
    const encoder = createContextEncoder(spec, model)
    const pixels = [11, 22, 33]
    const image = { width: 2, height: 2, data: Uint8Array.from([pixels, pixels, pixels, pixels].flat()) }
    await encoder.encode([encoder.fit(image)])
    const expected = [(33 - 1) / 1, (22 - 2) / 10, (11 - 3) / 100].flatMap((value) =>
      Array<number>(4).fill(value),
    )
    model.fed[0]?.forEach((value, i) => assert.ok(Math.abs(value - (expected[i] ?? NaN)) < 1e-5))
    assert.equal(model.fed[0]?.length, 12)
  })

  it('crop to the middle in proportion, or stretch the whole; both copy the pixels', () => {
    const wide = columns([0, 10, 100, 200, 50, 60], 2)
    const fitted = (resize: 'crop' | 'stretch') =>
      createContextEncoder({ ...spec, input: { ...spec.input, resize } }, fakeModel([])).fit(wide)
    assert.deepEqual([...fitted('crop').data], [...columns([100, 200], 2).data])
    const stretched = fitted('stretch')
    assert.deepEqual([stretched.width, stretched.height], [2, 2])
    // A triangle filter over the three columns of each half and their neighbours.
    assert.ok((stretched.data[0] ?? 0) > 20 && (stretched.data[0] ?? 0) < 80)
    const same = columns([5, 6], 2)
    const copy = createContextEncoder(spec, fakeModel([])).fit(same)
    same.data.fill(0)
    assert.deepEqual([...copy.data], [...columns([5, 6], 2).data])
  })
})
