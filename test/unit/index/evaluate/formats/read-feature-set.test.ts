import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import type { FeatureColumn, FeatureSet } from '../../../../../index/evaluate/feature-set.js'
import { readImageBin } from '../../../../../index/evaluate/formats/image-bin.js'
import { faceWeight, readFeatureSet } from '../../../../../index/evaluate/formats/read-feature-set.js'
import { decodeFloat16, encodeFloat16 } from '../../../../../pipeline/embed/float16.js'
import { CameoError } from '../../../../../pipeline/errors.js'
import { temporaryDir } from '../../../../support/cameo.js'
import { floatNpy, npy, textNpy } from '../../../../support/npy.js'
import { writePickle, writePickledValue } from '../../../../support/pickle.js'
import { zipOf } from '../../../../support/zip.js'

const dir = temporaryDir()
let files = 0

function file(extension: string, bytes: Uint8Array | string): string {
  const path = join(dir, `${files++}.${extension}`)
  writeFileSync(path, bytes)
  return path
}

function columnOf({ columns }: FeatureSet): FeatureColumn {
  const [column, ...others] = columns
  assert.ok(column !== undefined && others.length === 0)
  return column
}

const refuses = (path: string, message: RegExp) =>
  assert.rejects(
    readFeatureSet([path]),
    (error) =>
      error instanceof CameoError && error.code === 'FEATURES_INVALID' && message.test(error.message),
  )

const npz = (arrays: Readonly<Record<string, Uint8Array>>) =>
  file('npz', zipOf(Object.fromEntries(Object.entries(arrays).map(([name, data]) => [`${name}.npy`, data]))))

/** numpy.savez_compressed of NumPy 2.4: names U10, features float64 [[1, 2], [3, 4], [-.5, 0]], quality float16. */
const realNpz =
  'UEsDBC0AAAAIAAAAIQDNY1jk//////////8JABQAbmFtZXMubnB5AQAQAPgAAAAAAAAAZQAAAAAAAACb7BfqGxDJyFDGUK2eklqcXKRupaBuE2pooK6joJ6WX1RSlJgXn1+UkgqScEvMKU4FihdnJBakAvkaxjqaOgq1CuQDrmQGBoYcIM4E4gIgjgfiRCDWA+JcqJgJEL/EIoYNEGseAFBLAwQtAAAACAAAACEAJlbJDP//////////DAAUAGZlYXR1cmVzLm5weQEAEACwAAAAAAAAAFoAAAAAAAAAm+wX6hsQychQxlCtnpJanFykbqWgbpNmoa6joJ6WX1RSlJgXn1+UkgoSd0vMKU4FihdnJBakAvkaxjoKRpo6CrUKZAMuBjD4YA+hGRwgFAeUFoDSD/ZD5RkAUEsDBC0AAAAIAAAAIQClZ/JL//////////8LABQAcXVhbGl0eS5ucHkBABAAhgAAAAAAAABKAAAAAAAAAJvsF+obEMnIUMZQrZ6SWpxcpG6loG6TZqSuo6Cell9UUpSYF59flJIKEndLzClOBYoXZyQWpAL5GsY6mjoKtQoUAC4GEwYbBgsAUEsBAi0DLQAAAAgAAAAhAM1jWORlAAAA+AAAAAkAAAAAAAAAAAAAAIABAAAAAG5hbWVzLm5weVBLAQItAy0AAAAIAAAAIQAmVskMWgAAALAAAAAMAAAAAAAAAAAAAACAAaAAAABmZWF0dXJlcy5ucHlQSwECLQMtAAAACAAAACEApWfyS0oAAACGAAAACwAAAAAAAAAAAAAAgAE4AQAAcXVhbGl0eS5ucHlQSwUGAAAAAAMAAwCqAAAAvwEAAAAA'

/** Python 3.11: ([b'\xff\xd8one', uint8 array of b'two', b'three', b'four'], [True, False]). */
const realBin =
  'gASVrwAAAAAAAABdlChDBf/Yb25llIwWbnVtcHkuX2NvcmUubXVsdGlhcnJheZSMDF9yZWNvbnN0cnVjdJSTlIwFbnVtcHmUjAduZGFycmF5lJOUSwCFlEMBYpSHlFKUKEsBSwOFlGgFjAVkdHlwZZSTlIwCdTGUiYiHlFKUKEsDjAF8lE5OTkr/////Sv////9LAHSUYolDA3R3b5R0lGJDBXRocmVllEMEZm91cpRlXZQoiIllhpQu'

describe('feature files', () => {
  it('weighs a face by the steps of its quality, times the detection score', () => {
    const steps = [-30, -0.1, 0, 19.9, 20, 29.9, 30, 39.9, 40, 200].map((quality) => faceWeight(quality, 1))
    assert.deepEqual(steps, [0, 0, 0.2, 0.2, 0.3, 0.3, 0.6, 0.6, 1, 1])
    assert.equal(faceWeight(35, 0.5), 0.3)
  })

  it("keeps a clip's best faces out of a pickle, and names clips without faces", async () => {
    const row = (frame: number, quality: number, score: number) => [
      frame,
      [0, 0, 9, 9],
      score,
      quality,
      { halves: encodeFloat16(Float32Array.of(frame, 1)) },
    ]
    const path = file(
      'pickle',
      writePickle(3, [
        [Buffer.from('a'), [row(1, -5, 1), row(2, 45, 0.5), row(3, 25, 1), row(4, 90, 0.5)]],
        [Buffer.from('empty'), []],
        [Buffer.from('c.mp4'), [row(5, 10, 1)]],
      ]),
    )
    const set = await readFeatureSet([path], { maxFaces: 3 })
    assert.deepEqual(set.clipNames, ['a.mp4', 'empty.mp4', 'c.mp4'])
    assert.deepEqual([...set.trackClips], [0, 2])
    assert.deepEqual([...set.firstFace], [0, 3, 4])
    assert.deepEqual([...decodeFloat16(columnOf(set).embeddings)], [4, 1, 2, 1, 3, 1, 5, 1])
    assert.deepEqual([...set.qualities], [0.5, 0.5, Math.fround(0.3), Math.fround(0.2)])
  })

  it('refuses a clip that two files name', async () => {
    const path = file('pickle', writePickle(3, [[Buffer.from('a'), []]]))
    await assert.rejects(readFeatureSet([path, path]), /names the clip a\.mp4, which was read already/)
  })

  it('reads what numpy.savez_compressed wrote; rows of one name are one clip', async () => {
    const set = await readFeatureSet([file('npz', Buffer.from(realNpz, 'base64'))])
    assert.deepEqual(set.clipNames, ['clip_a.mp4', 'é.mp4'])
    assert.deepEqual([...set.firstFace], [0, 2, 3])
    assert.deepEqual([...decodeFloat16(columnOf(set).embeddings)], [1, 2, -0.5, 0, 3, 4])
    assert.deepEqual([...set.qualities], [0.25, 0.5, 1])
  })

  it('reads a .npy of half precision bit by bit, with its names beside it and Windows line ends', async () => {
    const bits = Uint16Array.of(0x3c00, 0x0001, 0xbc00, 0x7bff)
    const path = file('npy', npy('<f2', [2, 2], new Uint8Array(bits.buffer)))
    writeFileSync(path.replace('.npy', '.names.txt'), 'one\r\ntwo')
    const set = await readFeatureSet([path])
    assert.deepEqual(set.clipNames, ['one', 'two'])
    assert.deepEqual([...columnOf(set).embeddings], [...bits])
    assert.equal(columnOf(set).dimension, 2)
  })

  it('joins the pieces of a large array in which items lie across them', async () => {
    const rows = 70_001
    const values = Array.from({ length: rows * 5 }, (_, i) => i % 2048)
    const names = Array.from({ length: rows }, (_, i) => `n${i}`)
    const path = file('npy', floatNpy([rows, 5], values))
    writeFileSync(path.replace('.npy', '.names.txt'), names.join('\n'))
    const { embeddings } = columnOf(await readFeatureSet([path]))
    assert.deepEqual([...decodeFloat16(embeddings)], values)
  })

  it('says what is wrong with an array', async () => {
    const names = textNpy(['a', 'b'])
    const features = floatNpy([2, 2], [1, 2, 3, 4])
    await refuses(npz({ names }), /needs an array "features"/)
    await refuses(npz({ features }), /needs an array "names"/)
    await refuses(npz({ features, names: textNpy(['a']) }), /1 names for 2 rows/)
    await refuses(npz({ names, features: floatNpy([4], [1, 2, 3, 4]) }), /two dimensions/)
    await refuses(
      npz({ names, features: npy('>f4', [2, 2], new Uint8Array(16)) }),
      /"features", .*big-endian/,
    )
    await refuses(npz({ names, features: npy('<f4', [2, 2], new Uint8Array(16), true) }), /Fortran order/)
    await refuses(npz({ names, features: npy('<i8', [2, 2], new Uint8Array(32)) }), /type <i8/)
    await refuses(npz({ features, names: npy('|O', [2], new Uint8Array(9)) }), /Python objects/)
    await refuses(npz({ names, features: features.subarray(0, -3) }), /ends after 13 of 16 bytes/)
    await refuses(npz({ names, features, quality: floatNpy([2], [0.5, 1.5]) }), /quality 1\.5 in row 2 \(b\)/)
    await refuses(npz({ names, features: floatNpy([2, 2], [1, 2, NaN, 4]) }), /clip b \(row 2\)/)
    await refuses(
      npz({ names, features: floatNpy([2, 2], [1, 2, 70_000, 4]) }),
      /not finite in half precision/,
    )
    await refuses(file('npz', 'no zip at all'), /cannot be read as \.npz/)
    await refuses(file('npy', features), /needs its names beside it/)
    await refuses(join(dir, 'missing.pickle'), /missing\.pickle cannot be read/)
  })
})

describe("InsightFace's .bin", () => {
  it('reads what Python wrote, images as bytes or as arrays of bytes', () => {
    const { images, isSame } = readImageBin(file('bin', Buffer.from(realBin, 'base64')))
    assert.deepEqual(images.map((image) => Buffer.from(image).toString('latin1')), ['\xff\xd8one', 'two', 'three', 'four']) // prettier-ignore
    assert.deepEqual(isSame, [true, false])
  })

  it('refuses other values, and a number of images that does not fit', () => {
    const bin = (value: Parameters<typeof writePickledValue>[1]) =>
      readImageBin(file('bin', writePickledValue(3, value)))
    const image = Buffer.from('x')
    assert.throws(() => bin({ tuple: [[image, image, image], [true]] }), /3 images and 1 pairs/)
    assert.throws(() => bin({ tuple: [[image, 5], [true]] }), /image 2 is no encoded image/)
    assert.throws(() => bin({ tuple: [[image, image], [7]] }), /flag 1 is neither/)
    const evil = Buffer.from('cos\nsystem\n', 'latin1')
    assert.throws(() => bin({ tuple: [[image, { raw: evil }], [true]] }), /os\.system/)
  })
})
