import assert from 'node:assert/strict'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import type { FeatureColumn, FeatureSet } from '../../../../../index/evaluate/data/feature-set.js'
import { readImageBin } from '../../../../../index/evaluate/formats/image-bin.js'
import { faceWeight, readFeatureSet } from '../../../../../index/evaluate/formats/read-feature-set.js'
import { decodeFloat16, encodeFloat16 } from '../../../../../pipeline/data/float16.js'
import { CameoError } from '../../../../../pipeline/common/errors.js'
import { temporaryDir } from '../../../../support/cameo.js'
import { floatNpy, npy, numberNpy, objectNpy, textNpy } from '../../../../support/npy.js'
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

/** NumPy 2.4: pickle.dumps(np.array(['a.mp4', 'Zoë.mp4'], dtype=object), protocol=…), what numpy.save puts behind its header. */
const realObjects = {
  'protocol 2':
    'gAJjbnVtcHkuX2NvcmUubXVsdGlhcnJheQpfcmVjb25zdHJ1Y3QKcQBjbnVtcHkKbmRhcnJheQpxAUsAhXECY19jb2RlY3MKZW5jb2RlCnEDWAEAAABicQRYBgAAAGxhdGluMXEFhnEGUnEHh3EIUnEJKEsBSwKFcQpjbnVtcHkKZHR5cGUKcQtYAgAAAE84cQyJiIdxDVJxDihLA1gBAAAAfHEPTk5OSv////9K/////0s/dHEQYoldcREoWAUAAABhLm1wNHESWAgAAABab8OrLm1wNHETZXRxFGIu',
  'protocol 4':
    'gASVnQAAAAAAAACMFm51bXB5Ll9jb3JlLm11bHRpYXJyYXmUjAxfcmVjb25zdHJ1Y3SUk5SMBW51bXB5lIwHbmRhcnJheZSTlEsAhZRDAWKUh5RSlChLAUsChZRoA4wFZHR5cGWUk5SMAk84lImIh5RSlChLA4wBfJROTk5K/////0r/////Sz90lGKJXZQojAVhLm1wNJSMCFpvw6subXA0lGV0lGIu',
}

/** The same: {np.str_('a'): [[1, >f4 [1, 2, 3, 4], np.float32(.5), np.int64(50), >f8 [1, 2]]]}, protocol 4. */
const realPickle =
  'gASVkwEAAAAAAAB9lIwWbnVtcHkuX2NvcmUubXVsdGlhcnJheZSMBnNjYWxhcpSTlIwFbnVtcHmUjAVkdHlwZZSTlIwCVTGUiYiHlFKUKEsDjAE8lE5OTksESwRLCHSUYkMEYQAAAJSGlFKUXZRdlChLAWgBjAxfcmVjb25zdHJ1Y3SUk5RoBIwHbmRhcnJheZSTlEsAhZRDAWKUh5RSlChLAUsEhZRoBowCZjSUiYiHlFKUKEsDjAE+lE5OTkr/////Sv////9LAHSUYolDED+AAABAAAAAQEAAAECAAACUdJRiaANoBowCZjSUiYiHlFKUKEsDaApOTk5K/////0r/////SwB0lGJDBAAAAD+UhpRSlGgDaAaMAmk4lImIh5RSlChLA2gKTk5OSv////9K/////0sAdJRiQwgyAAAAAAAAAJSGlFKUaBJoFEsAhZRoFoeUUpQoSwFLAoWUaAaMAmY4lImIh5RSlChLA2gdTk5OSv////9K/////0sAdJRiiUMQP/AAAAAAAABAAAAAAAAAAJR0lGJlYXMu'

describe('feature files', () => {
  it('weighs a face by the steps of its quality, times the detection score', () => {
    const steps = [-30, -0.1, 0, 19.9, 20, 29.9, 30, 39.9, 40, 200].map((quality) => faceWeight(quality, 1))
    assert.deepEqual(steps, [0, 0, 0.2, 0.2, 0.3, 0.3, 0.6, 0.6, 1, 1])
    assert.equal(faceWeight(35, 0.5), 0.3)
  })

  it("keeps a clip's best faces from a pickle, and names clips without faces", async () => {
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

  it('reads a file of numpy.savez_compressed; rows with the same name are one clip', async () => {
    const set = await readFeatureSet([file('npz', Buffer.from(realNpz, 'base64'))])
    assert.deepEqual(set.clipNames, ['clip_a.mp4', 'é.mp4'])
    assert.deepEqual([...set.firstFace], [0, 2, 3])
    assert.deepEqual([...decodeFloat16(columnOf(set).embeddings)], [1, 2, -0.5, 0, 3, 4])
    assert.deepEqual([...set.qualities], [0.25, 0.5, 1])
  })

  it('reads a .npy of half precision without loss, with its file of names and Windows line ends', async () => {
    const bits = Uint16Array.of(0x3c00, 0x0001, 0xbc00, 0x7bff)
    const path = file('npy', npy('<f2', [2, 2], new Uint8Array(bits.buffer)))
    writeFileSync(path.replace('.npy', '.names.txt'), 'one\r\ntwo')
    const set = await readFeatureSet([path])
    assert.deepEqual(set.clipNames, ['one', 'two'])
    assert.deepEqual([...columnOf(set).embeddings], [...bits])
    assert.equal(columnOf(set).dimension, 2)
  })

  it('joins the pieces of a large array with items that cross piece borders', async () => {
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
    await refuses(npz({ features, names: textNpy(['a']) }), /1 name for 2 rows/)
    await refuses(npz({ names, features: floatNpy([4], [1, 2, 3, 4]) }), /two dimensions/)
    await refuses(npz({ features, names: npy('|O', [2], new Uint8Array(9)) }), /not a Python pickle/)
    await refuses(npz({ names, features: features.subarray(0, -3) }), /ends after 13 of 16 bytes/)
    await refuses(npz({ names, features, quality: floatNpy([2], [0.5, 1.5]) }), /quality 1\.5 in row 2 \(b\)/)
    await refuses(npz({ names, features: floatNpy([2, 2], [1, 2, NaN, 4]) }), /clip b \(row 2\)/)
    await refuses(
      npz({ names, features: floatNpy([2, 2], [1, 2, 70_000, 4]) }),
      /not finite in half precision/,
    )
    await refuses(file('npz', 'no zip at all'), /cannot be read as \.npz/)
    await refuses(file('npy', features), /needs a file with its names next to it/)
    await refuses(join(dir, 'missing.pickle'), /missing\.pickle cannot be read/)
  })
})

describe('NumPy arrays of other kinds', () => {
  const names = textNpy(['a', 'b'])
  const valuesOf = async (features: Buffer) => [
    ...decodeFloat16(columnOf(await readFeatureSet([npz({ names, features })])).embeddings),
  ]

  for (const type of ['f2', 'f4', 'f8', 'i1', 'i2', 'i4', 'i8', 'u1', 'u2', 'u4', 'u8'])
    it(`${type}: either byte order, C and Fortran order`, async () => {
      const [a, b, c, d] = type.startsWith('u') ? [1, 2, 3, 100] : [1, -2, 3, -100]
      for (const order of ['<', '>', '=', '|']) {
        const inC = numberNpy(order + type, [2, 2], [a, b, c, d])
        const inFortran = numberNpy(order + type, [2, 2], [a, c, b, d], true)
        assert.deepEqual(await valuesOf(inC), [a, b, c, d])
        assert.deepEqual(await valuesOf(inFortran), [a, b, c, d])
      }
    })

  it('versions 2 and 3 of the format, and the long integers of Python 2', async () => {
    const data = new Uint8Array(Float32Array.of(1, 2, 3, 4).buffer)
    for (const version of [2, 3] as const)
      assert.deepEqual(await valuesOf(npy('<f4', [2, 2], data, false, version)), [1, 2, 3, 4])
    const long = Buffer.from(npy('<f4', [2, 2], data).toString('latin1').replace('(2, 2), }  ', '(2L, 2L), }'), 'latin1') // prettier-ignore
    assert.deepEqual(await valuesOf(long), [1, 2, 3, 4])
  })

  it('names as a column and a single name without an axis', async () => {
    const column = npy('|S1', [2, 1], Buffer.from('ab'))
    const set = await readFeatureSet([npz({ names: column, features: floatNpy([2, 1], [1, 2]) })])
    assert.deepEqual(set.clipNames, ['a', 'b'])
    const one = await readFeatureSet([npz({ names: npy('|S1', [], Buffer.from('a')), features: floatNpy([1, 1], [1]), quality: npy('<f4', [], Buffer.alloc(4)) })]) // prettier-ignore
    assert.deepEqual([one.clipNames, [...one.qualities]], [['a'], [0]])
  })

  it('refuses other types than numbers and text, and names the type', async () => {
    const features = floatNpy([2, 2], [1, 2, 3, 4])
    const data = new Uint8Array(64)
    await refuses(npz({ names, features: npy("[('x', '<f4'), ('y', '<f4')]", [2], data) }), /structured, with named fields/) // prettier-ignore
    await refuses(npz({ names, features: npy('<c8', [2, 2], data) }), /complex numbers of type "<c8"/)
    await refuses(npz({ names, features: npy('<f16', [2, 2], data) }), /long doubles of type "<f16"/)
    await refuses(npz({ names, features: npy('<M8[s]', [2, 2], data) }), /dates of type/)
    await refuses(npz({ names, features: npy('|V8', [2, 2], data) }), /structured or raw bytes/)
    await refuses(npz({ names, features: numberNpy('|b1', [2, 2], [1, 0, 1, 0]) }), /of numbers with two/)
    await refuses(npz({ names, features: floatNpy([], [1]) }), /two dimensions/)
    await refuses(npz({ names: npy('<U1', [0], new Uint8Array()), features: floatNpy([0, 4], []) }), /has no features/) // prettier-ignore
    await refuses(npz({ features, names: npy('|S3', [2], Buffer.from('ab\0Zo\xeb', 'latin1')) }), /row 2 that is not UTF-8 text/) // prettier-ignore
    const array = Buffer.from(features)
    array[6] = 4
    await refuses(npz({ names, features: array }), /version 4 of the format/)
    await refuses(file('npz', zipOf({ 'arr_0.npy': features })), /needs an array "features".*it has "arr_0"/)
  })

  it('objects that would run code are refused, and nothing is run', async () => {
    const ran = join(dir, 'ran')
    const evil = Buffer.from(`cposix\nsystem\nX${String.fromCharCode(6 + ran.length)}\x00\x00\x00touch ${ran}\x85RK\x01`, 'latin1') // prettier-ignore
    const bad = npz({ names: objectNpy(['a', 'b'], evil), features: floatNpy([2, 1], [1, 2]) })
    await refuses(bad, /"names", .*posix\.system.*nothing in a pickle is run/)
    assert.equal(existsSync(ran), false)
    await refuses(
      npz({ names: objectNpy(['a', 'b'], Buffer.from('NN')), features: floatNpy([2, 1], [1, 2]) }),
      /object 1 is neither text nor a number/,
    )
  })

  it('objects that NumPy 2.4 pickled with protocols 2 and 4', async () => {
    for (const base64 of Object.values(realObjects)) {
      const objects = npy('|O', [2], Buffer.from(base64, 'base64'))
      const set = await readFeatureSet([npz({ names: objects, features: floatNpy([2, 1], [1, 2]) })])
      assert.deepEqual(set.clipNames, ['a.mp4', 'Zoë.mp4'])
    }
  })

  it('a pickle with big-endian arrays and a NumPy string for its key', async () => {
    const set = await readFeatureSet([file('pickle', Buffer.from(realPickle, 'base64'))])
    assert.deepEqual(set.clipNames, ['a.mp4'])
    assert.deepEqual([...decodeFloat16(columnOf(set).embeddings)], [1, 2])
    assert.deepEqual([...set.qualities], [0.5])
  })
})

describe("InsightFace's .bin", () => {
  it('reads a file from Python, with images as bytes or as arrays of bytes', () => {
    const { images, isSame } = readImageBin(file('bin', Buffer.from(realBin, 'base64')))
    assert.deepEqual(images.map((image) => Buffer.from(image).toString('latin1')), ['\xff\xd8one', 'two', 'three', 'four']) // prettier-ignore
    assert.deepEqual(isSame, [true, false])
  })

  it('refuses other values, and a wrong number of images', () => {
    const bin = (value: Parameters<typeof writePickledValue>[1]) =>
      readImageBin(file('bin', writePickledValue(3, value)))
    const image = Buffer.from('x')
    assert.throws(() => bin({ tuple: [[image, image, image], [true]] }), /3 images and 1 pair,/)
    assert.throws(() => bin({ tuple: [[image, 5], [true]] }), /image 2 is not an encoded image/)
    assert.throws(() => bin({ tuple: [[image, image], [7]] }), /flag 1 is neither/)
    const evil = Buffer.from('cos\nsystem\n', 'latin1')
    assert.throws(() => bin({ tuple: [[image, { raw: evil }], [true]] }), /os\.system/)
  })
})
