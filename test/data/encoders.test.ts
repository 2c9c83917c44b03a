import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { before, describe, it } from 'node:test'
import ort from 'onnxruntime-node'
import sharp from 'sharp'
import { alignFace } from '../../pipeline/align/align-face.js'
import { createDetector } from '../../pipeline/detect/create-detector.js'
import { detectFaces } from '../../pipeline/detect/detect-faces.js'
import { dotProduct, l2Normalise } from '../../pipeline/embed/embed-faces.js'
import { decodeFloat16, encodeFloat16 } from '../../pipeline/embed/float16.js'
import { loadEncoders, type LoadedEncoders } from '../../pipeline/embed/load-encoders.js'
import type { RgbImage } from '../../pipeline/image.js'
import { findPack } from '../../pipeline/models/catalog.js'
import { readEncoderFile } from '../../pipeline/models/encoder-file.js'
import { withOneOutput } from '../../pipeline/models/one-output.js'
import { loadModel } from '../../pipeline/models/session.js'
import { temporaryDir } from '../support/cameo.js'
import { testDataDir } from '../support/data.js'
import { writeJson } from '../support/encoders.js'

const dir = testDataDir()
const people = join(dir, 'data/people')
const models = join(dir, 'models')
const device = { kind: 'cpu' } as const
const jsonDir = temporaryDir()

async function readRgb(file: string): Promise<RgbImage> {
  const { data, info } = await sharp(file)
    .removeAlpha()
    .toColourspace('srgb')
    .raw()
    .toBuffer({ resolveWithObject: true })
  return { width: info.width, height: info.height, data }
}

const photo = (name: string, number: number) =>
  join(people, name, `${name}_${String(number).padStart(4, '0')}.jpg`)

/** People with at least two photos. */
const names = readdirSync(people)
  .sort()
  .filter((name) => readdirSync(join(people, name)).length > 1)
  .slice(0, 20)

describe('encoders of the development models', () => {
  let encoders: LoadedEncoders

  before(async () => {
    const embedder = await readEncoderFile(
      writeJson(join(jsonDir, 'mobilefacenet.json'), {
        ...{
          kind: 'embedder',
          name: 'mobilefacenet',
          file: join(models, 'mobilefacenet.onnx'),
          dimension: 128,
        },
        input: { widthPx: 112, heightPx: 112, channelOrder: 'rgb', mean: 127.5, scale: 127.5 },
      }),
    )
    const context = await readEncoderFile(
      writeJson(join(jsonDir, 'squeezenet.json'), {
        ...{
          kind: 'context',
          name: 'squeezenet',
          file: join(models, 'squeezenet_fp16.onnx'),
          dimension: 512,
        },
        input: {
          ...{ widthPx: 224, heightPx: 224, channelOrder: 'bgr', mean: 0, scale: 1 },
          ...{ dtype: 'float16', resize: 'crop' },
        },
        ...{ output: 'fire9/concat_2', pool: 'average' },
      }),
    )
    assert.ok(embedder.kind === 'embedder' && context.kind === 'context')
    encoders = await loadEncoders(
      { embedders: [embedder], contexts: [context] },
      { mirror: false },
      async (path, _dims, output) =>
        loadModel(path, {
          device,
          ...(output === undefined ? {} : { graph: withOneOutput(readFileSync(path), output) }),
        }),
    )
  })

  it('MobileFaceNet knows the same person from others on aligned photos', async () => {
    const { detector: spec } = findPack('buffalo_sc')
    const detector = createDetector(spec, await loadModel(join(models, 'scrfd_500m_bnkps.onnx'), { device }))
    const embed = async (file: string) => {
      const image = await readRgb(file)
      const [face] = await detectFaces(detector, image, 40)
      if (face?.landmarksPx === undefined) return undefined
      const embedding = await encoders.embedders[0]?.embed(alignFace(image, face.landmarksPx))
      return embedding === undefined ? undefined : l2Normalise(decodeFloat16(embedding.float16))
    }
    const pairs: (readonly [Float32Array, Float32Array])[] = []
    for (const name of names) {
      const [a, b] = [await embed(photo(name, 1)), await embed(photo(name, 2))]
      if (a !== undefined && b !== undefined) pairs.push([a, b])
    }
    assert.ok(pairs.length >= 18)
    assert.equal(pairs[0]?.[0].length, 128)
    const first = pairs.filter(([a], i) =>
      pairs.every(([, b], j) => i === j || dotProduct(a, b) < dotProduct(a, pairs[i]?.[1] ?? b)),
    )
    console.log(`MobileFaceNet: ${first.length} of ${pairs.length} people are most like themselves`)
    assert.ok(first.length >= pairs.length - 2)
  })

  it('SqueezeNet’s inner features are what the runtime gives of its classifier’s input', async () => {
    const [context] = encoders.contexts
    assert.ok(context)
    const image = await readRgb(photo(names[0] ?? '', 1))
    const fitted = context.fit(image)
    assert.deepEqual([fitted.width, fitted.height], [224, 224])
    const feature = await context.encode([fitted])
    const own = decodeFloat16(feature.float16)
    assert.equal(own.length, 512)
    assert.ok(Math.abs(Math.hypot(...own) - 1) < 2e-3)

    // The whole model, fed by hand: softmax of the spatial mean of relu(W · features + b) is not linear in the features, so
    // the classifier's own answer is compared between photos instead: alike features, alike classes.
    const session = await ort.InferenceSession.create(join(models, 'squeezenet_fp16.onnx'))
    const bgr = new Float32Array(3 * 224 * 224)
    for (let pixel = 0; pixel < 224 * 224; pixel++)
      for (let channel = 0; channel < 3; channel++)
        bgr[channel * 224 * 224 + pixel] = fitted.data[pixel * 3 + 2 - channel] ?? 0
    const outputs = await session.run({
      data_0: new ort.Tensor('float16', encodeFloat16(bgr), [1, 3, 224, 224]),
    })
    assert.deepEqual(Object.keys(outputs), ['softmaxout_1'])
  })
})
