import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import sharp from 'sharp'
import { decodeFloat16 } from '../../pipeline/data/float16.js'
import { CameoError } from '../../pipeline/common/errors.js'
import { findPack } from '../../pipeline/models/packs/catalog.js'
import { defaultModelsDir } from '../../pipeline/models/packs/models-dir.js'
import { chooseFace, embedPhotoFace, isPhoto, readPhoto } from '../../pipeline/photos/process-photo.js'
import { defaultSettings } from '../../pipeline/recipe/recipe.js'
import { loadStages, type Stages } from '../../pipeline/stages/load-pipeline.js'
import { temporaryDir } from '../support/cameo.js'
import * as field from '../support/field-photos.js'

const dir = temporaryDir()
let stages: Stages
let intact: Buffer
let own: Float32Array

/** Writes a photo, reads it and embeds its only face. */
async function look(name: string, bytes: Buffer) {
  const path = join(dir, name)
  writeFileSync(path, bytes)
  const photo = await readPhoto(path, stages)
  const { embedding } = await embedPhotoFace(chooseFace(photo, path, undefined), stages)
  return { vector: decodeFloat16(embedding.float16), notices: photo.notices, photo }
}

const cosine = (a: Float32Array, b: Float32Array) => {
  const dot = (x: Float32Array, y: Float32Array) => x.reduce((sum, value, i) => sum + value * (y[i] ?? 0), 0)
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b))
}

const refused = (name: string, said: RegExp) => (error: unknown) => {
  assert.ok(error instanceof CameoError && error.code === 'IMAGE_UNREADABLE', `${name}: ${String(error)}`)
  assert.match(error.message, said)
  assert.ok(error.message.includes(name), error.message)
  return true
}

before(async () => {
  stages = await loadStages({
    ...{ pack: findPack('lite'), modelsDir: defaultModelsDir() },
    ...{ settings: defaultSettings, device: { kind: 'cpu' } },
  })
  intact = await field.intactJpeg(join(dir, 'intact.jpg'), 'costumes right')
  const { vector, notices } = await look('intact.jpg', intact)
  assert.deepEqual(notices, [])
  own = vector
})

after(() => stages.dispose())

describe('a photo that is damaged or incomplete', () => {
  it('without its last bytes, or with zeros between its segments, is as good as the intact one', async () => {
    const { cutOff } = field
    for (const [name, bytes, said] of [
      ['without 2.jpg', cutOff(intact, 2), /"without 2\.jpg" is cut off/],
      ['without 20.jpg', cutOff(intact, 20), /"without 20\.jpg" is cut off/],
      ['zeros.jpg', field.zerosBetweenMarkers(intact), /"zeros\.jpg" is damaged \(.*extraneous bytes/],
      ['exif.jpg', field.damagedExif(intact), undefined],
      ['without 20.png', cutOff(await field.png(intact), 20), /is cut off/],
      ['without 20.webp', cutOff(await field.webp(intact), 20), /is cut off/],
      ['without 20, lossless.webp', cutOff(await field.losslessWebp(intact), 20), /is cut off/],
      ['without 20.tiff', cutOff(await field.tiffWithDirectoryFirst(intact), 20), /is (damaged|cut off)/],
      ['middle, progressive.jpg', half(await field.progressiveJpeg(intact)), /is cut off/],
    ] as const) {
      const { vector, notices } = await look(name, bytes)
      const similarity = cosine(vector, own)
      assert.ok(
        similarity >= (name.startsWith('middle') ? 0.9 : name.endsWith('webp') ? 0.98 : 0.99),
        `${name}: ${similarity}`,
      )
      if (said === undefined) assert.deepEqual(notices, [], name)
      else assert.match(notices.join(), said)
    }
  })

  it('after bytes that do not belong to it is found, and the bytes are reported', async () => {
    for (const [name, bytes] of [
      ['header.jpg', field.junkBefore(intact)],
      ['zeros before.jpg', field.junkBefore(intact, '\0'.repeat(600))],
      ['lines before.png', field.junkBefore(await field.png(intact), '\r\n\r\n')],
    ] as const) {
      const { vector, notices } = await look(name, bytes)
      assert.ok(cosine(vector, own) >= 0.99)
      assert.match(notices.join(), /begins with \d+ bytes that do not belong to the picture/)
      assert.ok(await isPhoto(join(dir, name)))
    }
  })

  it('without the face, because it is cut off, is reported as cut off', async () => {
    for (const [name, bytes] of [
      ['head.jpg', intact.subarray(0, Math.round(intact.length * 0.2))],
      ['head.webp', (await field.webp(intact)).subarray(0, 900)],
    ] as const)
      await assert.rejects(look(name, bytes), (error) => {
        assert.ok(error instanceof CameoError && error.code === 'IMAGE_NO_FACE', String(error))
        assert.match(error.message, /is cut off/)
        return true
      })
    for (const [name, bytes] of [
      ['head.tiff', half(await field.tiff(intact))],
      ['head.avif', half(await field.avif(intact))],
      ['only the beginning.jpg', intact.subarray(0, 40)],
    ] as const)
      await assert.rejects(look(name, bytes), refused(name, /is cut off/))
  })

  it('is read in every colour space and depth', async () => {
    for (const [name, make] of Object.entries({
      'cmyk.jpg': field.cmykJpeg,
      'grey.jpg': field.greyJpeg,
      '16 bits.png': field.png16,
      'alpha.png': field.transparentPng,
      'photo.gif': field.gif,
      'photo.avif': field.avif,
      'photo.tiff': field.tiff,
    })) {
      const { vector, notices } = await look(name, await make(intact))
      assert.ok(cosine(vector, own) >= 0.85, `${name}: ${cosine(vector, own)}`)
      assert.deepEqual(notices, [])
    }
  })
})

describe('a photo that is hard to see', () => {
  it('is turned if it lies on its side or is upside down, and the notice says so', async () => {
    // On its other side, this face is found and aligned without a turn.
    for (const angle of [90, 180]) {
      const turned = await sharp(intact).rotate(angle).jpeg({ quality: 90 }).toBuffer()
      const { vector, notices } = await look('turned.jpg', turned)
      assert.ok(cosine(vector, own) >= 0.9, `${angle}: ${cosine(vector, own)}`)
      assert.deepEqual(notices, [`"turned.jpg" is not upright: it was turned by ${360 - angle}° clockwise`])
    }
  })

  it('is brightened if it is dark', async () => {
    const dark = await sharp(intact).linear(0.07, 0).png().toBuffer()
    const { vector, notices } = await look('dark.png', dark)
    assert.ok(cosine(vector, own) >= 0.6, String(cosine(vector, own)))
    assert.deepEqual(notices, [])
  })
})

describe('an animation with a black first picture', () => {
  it('uses the picture that shows a face, and the notice says which one', async () => {
    for (const [name, bytes] of [
      ['animated.webp', await field.animatedWebp(intact)],
      ['animated.gif', await field.animatedGif(intact)],
      ['animated.png', await field.animatedPng(intact, join(dir, 'animated'))],
      ['animated.avif', await field.animatedAvif(intact, join(dir, 'animated'))],
    ] as const) {
      const { vector, notices } = await look(name, bytes)
      assert.ok(cosine(vector, own) >= 0.9, `${name}: ${cosine(vector, own)}`)
      assert.deepEqual(notices, [`"${name}" has 3 pictures; 3 of them were searched, and picture 2 was used`])
    }
  })

  it('uses the complete pictures if the file is cut off', async () => {
    const { notices } = await look('cut.webp', field.cutOff(await field.animatedWebp(intact), 60))
    assert.match(notices.join(), /is cut off.*picture 2 was used$/)
  })
})

describe('a file that is not a photo', () => {
  it('is refused with what it is', async () => {
    for (const [name, [bytes, said]] of Object.entries(field.noPhotos()))
      await assert.rejects(look(name, bytes), refused(name, said))
    mkdirSync(join(dir, 'folder.jpg'))
    await assert.rejects(readPhoto(join(dir, 'folder.jpg'), stages), refused('folder.jpg', /is a folder/))
  })

  it('is refused by its content if it is a drawing, and is not drawn', async () => {
    for (const [name, bytes] of Object.entries(field.svgFiles())) {
      await assert.rejects(look(name, bytes), refused(name, /is an SVG drawing/))
      assert.equal(await isPhoto(join(dir, name)), false)
    }
  })

  it('is refused with its pixels and the limit if it is too large', async () => {
    const said = /is too large: it has 20001×10000 pixels, 200,010,000 in all; the limit is 200,000,000/
    await assert.rejects(look('huge.jpg', field.hugeJpeg(intact)), refused('huge.jpg', said))
  })
})

function half(bytes: Buffer): Buffer {
  return bytes.subarray(0, bytes.length >> 1)
}
