import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { decodedFrame } from '../../../../pipeline/decode/decoded-frame.js'

describe('the images of a raw frame', () => {
  it('are one if the full image is small enough for the detector', () => {
    const size = { width: 2, height: 1 }
    const data = Uint8Array.of(1, 2, 3, 4, 5, 6)
    const frame = decodedFrame({ timeS: 7, data, sizes: { full: size, detection: size }, isLost: false })
    assert.equal(frame.full, frame.detection)
    assert.deepEqual([frame.timeS, frame.full.data], [7, data])
  })

  it('are two if it is not; the smaller one has no gaps between its rows', () => {
    const [full, detection] = [{ width: 4, height: 2 }, { width: 2, height: 2 }] // prettier-ignore
    // Two rows of four pixels, then two rows of two pixels that are padded to four.
    const data = Uint8Array.from({ length: 48 }, (_, i) => i)
    const frame = decodedFrame({ timeS: 0, data, sizes: { full, detection }, isLost: false })
    assert.deepEqual(
      [...frame.full.data],
      Array.from({ length: 24 }, (_, i) => i),
    )
    assert.deepEqual([...frame.detection.data], [24, 25, 26, 27, 28, 29, 36, 37, 38, 39, 40, 41])
  })
})
