import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { chooseFilm, filmCandidates } from '../../../../pipeline/decode/film-stream.js'
import { parseStream, type StreamInfo } from '../../../../pipeline/decode/stream-info.js'

interface Shown {
  readonly size?: string
  readonly isDefault?: boolean
  readonly pictures?: number
  readonly lengthS?: number
}

/** The number of the chosen stream. */
function chosen(...shown: readonly Shown[]): number | undefined {
  const streams = shown.flatMap(({ size = '640x360', isDefault = false }, index) => {
    const stream = parseStream(`  Stream #0:${index}: Video: h264, yuv420p, ${size}, 25 fps${isDefault ? ' (default)' : ''}`) // prettier-ignore
    return stream === undefined ? [] : [stream]
  })
  const extents = shown.map(
    ({ lengthS = 60, pictures = 25 * lengthS }, index) => [index, { pictures, lengthS }] as const,
  )
  return chooseFilm(streams, new Map(extents))?.stream
}

describe('the film among several streams', () => {
  it('is the one flagged as default, however large the others are', () => {
    assert.equal(chosen({ size: '1920x1080' }, { isDefault: true }), 1)
    assert.equal(chosen({}, { size: '1280x720', isDefault: true }, { isDefault: true }), 1)
  })

  it('is not a preview, a trailer or a still with that flag', () => {
    assert.equal(chosen({ size: '48x36', isDefault: true }, {}), 1)
    assert.equal(chosen({ lengthS: 3, isDefault: true }, {}), 1)
    assert.equal(chosen({ pictures: 1, isDefault: true }, {}), 1)
  })

  it('without a flag is the one with the most pixels and seconds; of equal ones the first', () => {
    assert.equal(chosen({}, { size: '1280x720' }), 1)
    assert.equal(chosen({ lengthS: 20 }, { lengthS: 60 }), 1)
    assert.equal(chosen({ lengthS: 60 }, { lengthS: 61 }, {}), 0)
  })

  it('is never a cover, data, or a stream that ffmpeg has no codec for', () => {
    const lines = [
      '  Stream #0:0: Video: mjpeg (Baseline), yuvj420p, 600x600, 90k tbn (attached pic)',
      '  Stream #0:1: Video: png, rgba, 600x600, 90k tbn (timed thumbnails)',
      '  Stream #0:2: Video: none (xvvc / 0x1), 640x360, 25 fps',
      '  Stream #0:3: Data: bin_data',
      '  Stream #0:4: Video: h264 (High), yuv420p, 640x360, 25 fps (default)',
    ]
    const streams = lines.map((line) => parseStream(line)).filter((stream): stream is StreamInfo => stream !== undefined) // prettier-ignore
    assert.deepEqual(filmCandidates(streams).map(({ index }) => index), [4]) // prettier-ignore
  })
})
