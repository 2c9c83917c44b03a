import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createDescriber } from '../../../../pipeline/describe/describe-track.js'
import { poolEmbeddings } from '../../../../pipeline/describe/pool.js'
import { decodeFloat16, encodeFloat16 } from '../../../../pipeline/data/float16.js'
import type { Model } from '../../../../pipeline/models/session.js'
import { l2Norm } from '../../../../pipeline/data/vector-math.js'

const near = (actual: Float32Array, expected: readonly number[], tolerance: number) =>
  expected.every((value, i) => Math.abs((actual[i] ?? NaN) - value) <= tolerance)

describe('float16', () => {
  it('rounds to the nearest half-precision number, keeps signs, overflows to infinity', () => {
    // 1 + 2^-11 lies between two half-precision numbers and is rounded to the even one.
    const values = Float32Array.of(0, -0.5, 1 + 2 ** -11, 1 + 3 * 2 ** -11, 65504, 70000, 2 ** -24, -3.14159)
    const decoded = decodeFloat16(encodeFloat16(values))
    assert.deepEqual([...decoded.subarray(0, 5)], [0, -0.5, 1, 1 + 2 ** -9, 65504])
    assert.equal(decoded[5], Infinity)
    assert.equal(decoded[6], 2 ** -24)
    assert.ok(Math.abs((decoded[7] ?? 0) + 3.14159) < 0.001)
  })
})

describe('pooling', () => {
  it('is the normalised mean of the normalised embeddings, weighted by quality', () => {
    const pooled = poolEmbeddings(
      [
        { float16: encodeFloat16(Float32Array.of(4, 0)), quality: 0.9 },
        { float16: encodeFloat16(Float32Array.of(0, 0.5)), quality: 0.3 },
      ],
      2,
    )
    const length = Math.hypot(0.9, 0.3)
    assert.ok(near(pooled, [0.9 / length, 0.3 / length], 1e-6))
    assert.ok(Math.abs(l2Norm(pooled) - 1) < 1e-6)
  })

  it('gives a track of hopeless faces a descriptor', () => {
    const pooled = poolEmbeddings([{ float16: encodeFloat16(Float32Array.of(0, 2)), quality: 0 }], 2)
    assert.ok(near(pooled, [0, 1], 1e-6))
  })

  it('is followed by a head that maps the pooled vector to a normalised descriptor of another length', async () => {
    const head: Model = {
      provider: 'cpu',
      outputNames: ['scores', 'descriptor'],
      run: ({ data }) =>
        Promise.resolve(
          new Map([
            ['scores', { data: Float32Array.of(9, 9), dims: [1, 2] }],
            [
              'descriptor',
              { data: Float32Array.of((data[0] ?? 0) * 3, 0, (data[1] ?? 0) * 3), dims: [1, 3] },
            ],
          ]),
        ),
      dispose: () => Promise.resolve(),
    }
    const describer = await createDescriber(
      { digest: 'own', dimension: 2 },
      { path: 'head.onnx', model: head },
    )
    assert.equal(describer.dimension, 3)
    const descriptor = await describer.describe([
      { float16: encodeFloat16(Float32Array.of(3, 4)), quality: 1 },
    ])
    assert.ok(near(descriptor, [0.6, 0, 0.8], 1e-3))
  })
})
