import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { alignFace } from '../../../../pipeline/align/align-face.js'
import {
  cropFace,
  decodeFacePicture,
  encodeFacePicture,
  facePicturePx,
  maxFacePictureBytes,
} from '../../../../pipeline/align/face-picture.js'
import type { Landmarks5Px } from '../../../../pipeline/data/geometry.js'
import { imageLibrary } from '../../../../pipeline/image/image-library.js'
import { seededRandom } from '../../../support/random.js'
import { refusedWith } from '../../../support/refused-with.js'

const sharp = await imageLibrary()

const [width, height] = [640, 480]

/** Soft waves: a picture whose crops can be compared pixel by pixel. */
const waves = {
  ...{ width, height },
  data: Uint8Array.from({ length: width * height * 3 }, (_, i) => {
    const [x, y] = [Math.floor(i / 3) % width, Math.floor(i / 3 / width)]
    return 128 + 60 * Math.sin(x / 17 + (i % 3)) + 60 * Math.cos(y / 23 + (i % 3))
  }),
}

/** A face of 100 px, leaning by 20°. */
const landmarksPx = leaning(20)
const boxXyxyPx = [250, 150, 350, 270] as const

function leaning(degrees: number): Landmarks5Px {
  const [cos, sin] = [Math.cos((degrees * Math.PI) / 180), Math.sin((degrees * Math.PI) / 180)]
  const at = (x: number, y: number) => ({ x: 300 + cos * x - sin * y, y: 210 + sin * x + cos * y })
  return [at(-20, -18), at(20, -18), at(0, 4), at(-16, 24), at(16, 24)]
}

const meanDifference = (a: Uint8Array, b: Uint8Array) =>
  a.reduce((sum, value, i) => sum + Math.abs(value - (b[i] ?? 0)), 0) / a.length

describe('the kept picture of a face', () => {
  it('gives the same aligned crop as the photo, and shows what is around it', async () => {
    const picture = await encodeFacePicture(cropFace(waves, { boxXyxyPx, landmarksPx }))
    const image = await decodeFacePicture(picture)
    assert.deepEqual([image.width, image.height], [facePicturePx, facePicturePx])
    const [direct, again] = [alignFace(waves, landmarksPx), alignFace(image, picture.landmarksPx)]
    assert.ok(meanDifference(direct.data, again.data) < 3, `${meanDifference(direct.data, again.data)}`)
    const other = alignFace(waves, leaning(-20))
    assert.ok(meanDifference(direct.data, other.data) > 20, 'the measure tells crops apart')
    // A pixel beside the aligned crop has the photo's colour, not black.
    const [nose] = [picture.landmarksPx[2]]
    assert.ok(Math.abs(nose.x - facePicturePx / 2) < 20 && Math.abs(nose.y - facePicturePx / 2) < 50)
    assert.ok(image.data.subarray(0, 300).some((value) => value > 20))
  })

  it('keeps the box around the face', () => {
    const { boxXyxyPx: box, landmarksPx: points } = cropFace(waves, { boxXyxyPx, landmarksPx })
    for (const { x, y } of points) assert.ok(x > box[0] && x < box[2] && y > box[1] && y < box[3])
  })

  it('keeps within its bytes, whatever it shows', async () => {
    const random = seededRandom(3)
    const data = Uint8Array.from({ length: width * height * 3 }, () => 256 * random())
    const { jpeg } = await encodeFacePicture(cropFace({ width, height, data }, { boxXyxyPx, landmarksPx }))
    assert.ok(jpeg.byteLength <= maxFacePictureBytes, `${jpeg.byteLength}`)
  })

  it('is refused if it is something else', async () => {
    const { jpeg } = await encodeFacePicture(cropFace(waves, { boxXyxyPx, landmarksPx }))
    const png = await sharp(jpeg).png().toBuffer()
    const small = await sharp(jpeg).resize(100, 100).jpeg().toBuffer()
    for (const bytes of [png, small, jpeg.subarray(0, 900), Uint8Array.of(1, 2, 3)])
      await assert.rejects(
        decodeFacePicture({ jpeg: bytes }),
        refusedWith('IMAGE_UNREADABLE', /kept picture/),
      )
  })
})
