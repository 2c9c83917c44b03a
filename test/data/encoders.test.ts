import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { before, describe, it } from 'node:test'
import sharp from 'sharp'
import { alignFace } from '../../pipeline/align/align-face.js'
import { createDetector } from '../../pipeline/detect/create-detector.js'
import { detectFaces } from '../../pipeline/detect/detect-faces.js'
import { decodeFloat16 } from '../../pipeline/data/float16.js'
import { loadEncoders, type LoadedEncoders } from '../../pipeline/embed/load-encoders.js'
import type { RgbImage } from '../../pipeline/data/image.js'
import { findPack } from '../../pipeline/models/packs/catalog.js'
import { readEncoderFile } from '../../pipeline/models/packs/encoder-file.js'
import { withOneOutput } from '../../pipeline/onnx/select-output.js'
import { readModel } from '../../pipeline/onnx/onnx-model.js'
import { loadModel } from '../../pipeline/models/session.js'
import { temporaryDir } from '../support/cameo.js'
import { testDataDir } from '../support/data.js'
import { writeJson } from '../support/encoders.js'
import type { Tensor } from '../../pipeline/data/tensor.js'
import { dotProduct, l2Normalise } from '../../pipeline/data/vector-math.js'

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

  it('SqueezeNet’s inner features lead to its own answer, and their average is the context feature', async () => {
    const [context] = encoders.contexts
    assert.ok(context)
    const image = await readRgb(photo(names[0] ?? '', 1))
    const fitted = context.fit(image)
    assert.deepEqual([fitted.width, fitted.height], [224, 224])
    const feature = await context.encode([fitted])
    const own = decodeFloat16(feature.float16)
    assert.equal(own.length, 512)
    assert.ok(Math.abs(Math.hypot(...own) - 1) < 2e-3)

    // What lies behind them, computed here from the file's weights, is what the whole model gives.
    const path = join(models, 'squeezenet_fp16.onnx')
    const input = bgrPlanes(fitted)
    const inner = await loadModel(path, {
      device,
      graph: withOneOutput(readFileSync(path), 'fire9/concat_2'),
    })
    const features = (await inner.run(input)).get('fire9/concat_2')
    assert.ok(features)
    const softmax = (await (await loadModel(path, { device })).run(input)).get('softmaxout_1')?.data
    const expected = classify(features, weightsOf(path, 'conv10_w_0'), weightsOf(path, 'conv10_b_0'))
    assert.equal(softmax?.length, 1000)
    const apart = Math.max(...expected.map((value, i) => Math.abs(value - (softmax[i] ?? NaN))))
    console.log(
      `SqueezeNet: probabilities ${apart.toExponential(1)} apart, largest ${Math.max(...expected).toFixed(3)}`,
    )
    assert.ok(apart < 0.01)

    const [, , height = 0, width = 0] = features.dims
    const cells = height * width
    const averages = Float32Array.from({ length: 512 }, (_, channel) => {
      const own = features.data.subarray(channel * cells, (channel + 1) * cells)
      return own.reduce((sum, value) => sum + value, 0) / cells
    })
    l2Normalise(averages).forEach((value, i) => assert.ok(Math.abs(value - (own[i] ?? NaN)) < 1e-3))
  })
})

/** [1, 3, 224, 224], 0..255. */
function bgrPlanes({ width, height, data }: RgbImage): Tensor {
  const plane = width * height
  const values = Float32Array.from(
    { length: 3 * plane },
    (_, i) => data[(i % plane) * 3 + 2 - Math.floor(i / plane)] ?? 0,
  )
  return { data: values, dims: [1, 3, height, width] }
}

/** The half floats of a weight, from the file's bytes. */
function weightsOf(path: string, name: string): Float32Array {
  const weight = readModel(readFileSync(path)).graph?.initializer.find((it) => it.name === name)
  assert.ok(weight)
  return decodeFloat16(new Uint16Array(new Uint8Array(weight.rawData).buffer))
}

/** softmax(mean over space of relu(W · f + b)). */
function classify({ data, dims }: Tensor, weights: Float32Array, bias: Float32Array): number[] {
  const [, channels = 0, height = 0, width = 0] = dims
  const cells = height * width
  const logits = Array.from(bias, (own, k) => {
    const at = new Float64Array(cells).fill(own)
    for (let channel = 0; channel < channels; channel++) {
      const weight = weights[k * channels + channel] ?? 0
      for (let cell = 0; cell < cells; cell++)
        at[cell] = (at[cell] ?? 0) + weight * (data[channel * cells + cell] ?? 0)
    }
    return at.reduce((sum, value) => sum + Math.max(0, value), 0) / cells
  })
  const exponentials = logits.map((logit) => Math.exp(logit - Math.max(...logits)))
  const sum = exponentials.reduce((total, value) => total + value, 0)
  return exponentials.map((value) => value / sum)
}
