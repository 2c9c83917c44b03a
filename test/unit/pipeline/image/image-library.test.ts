import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { imageLibrary } from '../../../../pipeline/image/image-library.js'
import { nestedSvg, svgFiles } from '../../../support/field-photos.js'

const sharp = await imageLibrary()

describe('the image library', () => {
  it('draws nothing, whoever calls it and however the drawing begins', async () => {
    for (const [name, bytes] of Object.entries({ ...svgFiles(), 'small.svg': Buffer.from(nestedSvg(1)) }))
      await assert.rejects(sharp(bytes).metadata(), /unsupported image format/, name)
  })

  it('writes and reads formats that hold pixels', async () => {
    const pixel = sharp({ create: { width: 2, height: 2, channels: 3, background: 'red' } })
    for (const format of ['jpeg', 'png', 'webp', 'gif', 'tiff', 'avif'] as const) {
      const bytes = await pixel.clone().toFormat(format).toBuffer()
      assert.equal((await sharp(bytes).metadata()).width, 2, format)
    }
  })
})
