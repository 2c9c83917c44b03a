import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { loadEncoders } from '../../../../../pipeline/embed/load-encoders.js'
import { CameoError } from '../../../../../pipeline/common/errors.js'
import { findPack } from '../../../../../pipeline/models/packs/catalog.js'
import {
  noEncoders,
  readEncoderFile,
  type ContextFile,
  type EmbedderFile,
} from '../../../../../pipeline/models/packs/encoder-file.js'
import { loadBatched } from '../../../../../pipeline/models/inference-thread/load-batched.js'
import { withOneOutput } from '../../../../../pipeline/onnx/select-output.js'
import { loadModel, type ModelLoader } from '../../../../../pipeline/models/session.js'
import { createRecipe, defaultSettings } from '../../../../../pipeline/recipe/recipe.js'
import { temporaryDir } from '../../../../support/cameo.js'
import {
  tinyBias,
  tinyEncoder,
  tinyWeights,
  writeJson,
  writeTinyContext,
} from '../../../../support/encoders.js'
import { onnxFile } from '../../../../support/onnx.js'
import { seededRandom } from '../../../../support/random.js'

const device = { kind: 'cpu' } as const
const dir = temporaryDir()
const options = { mirror: false }

const loadHere: ModelLoader = (path, _dims, output) =>
  loadModel(path, {
    device,
    ...(output === undefined ? {} : { graph: withOneOutput(readFileSync(path), output) }),
  })

async function contextFile(changes: object = {}): Promise<ContextFile> {
  const file = await readEncoderFile(writeTinyContext(dir, changes))
  assert.equal(file.kind, 'context')
  return file
}

async function embedderFile(changes: object = {}): Promise<EmbedderFile> {
  writeFileSync(
    join(dir, 'flat.onnx'),
    onnxFile({
      inputDims: [1, 3, 8, 8],
      outputDims: [1, 192],
      nodes: [{ opType: 'Flatten', inputs: ['x'], output: 'flat' }],
      vectors: {},
      vectorsAs: 'initializers',
    }),
  )
  const input = { widthPx: 8, heightPx: 8, channelOrder: 'rgb', mean: 0, scale: 1 }
  const json = { kind: 'embedder', name: 'flat', file: 'flat.onnx', input, dimension: 192, ...changes }
  const file = await readEncoderFile(writeJson(join(dir, 'flat.json'), json))
  assert.equal(file.kind, 'embedder')
  return file
}

/** The error has the code, and its message contains each of the texts. */
const says =
  (code: string, ...texts: readonly string[]) =>
  (error: unknown) => {
    assert.ok(error instanceof CameoError)
    assert.equal(error.code, code)
    for (const text of texts) assert.ok(error.message.includes(text), `"${text}" in: ${error.message}`)
    return true
  }

/** Mean over the pixels of w · rgb + b, in float64. */
function tinyOracle(planes: Float32Array): number[] {
  return tinyWeights.map((row, channel) => {
    let sum = 0
    for (let pixel = 0; pixel < 64; pixel++)
      sum +=
        row.reduce((dot, weight, i) => dot + weight * (planes[i * 64 + pixel] ?? 0), 0) +
        (tinyBias[channel] ?? 0)
    return sum / 64
  })
}

const random = seededRandom(3)
const planes = Float32Array.from({ length: 192 }, random)

describe('encoder files', () => {
  it('are refused with both digests if the digest is wrong, and accepted if it is right', async () => {
    const sha256 = createHash('sha256').update(onnxFile(tinyEncoder())).digest('hex')
    assert.equal((await contextFile({ sha256 })).sha256, sha256)
    const wrong = 'f'.repeat(64)
    await assert.rejects(contextFile({ sha256: wrong }), says('MODEL_DIGEST_MISMATCH', sha256, wrong))
  })

  it('are checked in every field, and refused with unknown fields', async () => {
    for (const changes of [
      { dimension: 0 },
      { dimension: 1.5 },
      { kind: 'detector' },
      { output: '' },
      { pool: 'max' },
      { colour: 1 },
      { input: { widthPx: 8, heightPx: 8, channelOrder: 'rgb', mean: 0, scale: 1 } },
      { input: { widthPx: 8, heightPx: 8, channelOrder: 'rgb', mean: [0, 0], scale: 1, resize: 'crop' } },
    ])
      await assert.rejects(contextFile(changes), says('ENCODER_INVALID', 'tiny.json'))
    await assert.rejects(readEncoderFile(join(dir, 'none.json')), says('ENCODER_INVALID', 'none.json'))
    writeFileSync(join(dir, 'text.json'), '{"kind":')
    await assert.rejects(readEncoderFile(join(dir, 'text.json')), says('ENCODER_INVALID', 'text.json'))
    await assert.rejects(
      contextFile({ file: 'gone.onnx' }),
      says('MODEL_UNREADABLE', 'gone.onnx', 'tiny.json'),
    )
  })

  it('are refused if the model does not have the stated number type; the error names both types', async () => {
    const input = { widthPx: 8, heightPx: 8, channelOrder: 'rgb', mean: 0, scale: 1, resize: 'crop' }
    await contextFile({ input: { ...input, dtype: 'float32' } })
    await assert.rejects(
      contextFile({ input: { ...input, dtype: 'float16' } }),
      says('ENCODER_INVALID', 'float16', 'float32', 'tiny.onnx'),
    )
  })
})

describe('loading encoders', () => {
  const load = async (spec: ContextFile, loader = loadHere) =>
    (await loadEncoders({ ...noEncoders, contexts: [spec] }, options, loader)).contexts[0]

  it('names the unknown tensor and the existing ones', async () => {
    await assert.rejects(
      load(await contextFile({ output: 'fire9' })),
      says('ENCODER_INVALID', 'tiny.json', 'tiny.onnx', '"fire9"', 'logits', 'features'),
    )
  })

  it('names both dimensions if one is wrong', async () => {
    await assert.rejects(
      load(await contextFile({ dimension: 512 })),
      says('ENCODER_INVALID', 'tiny.json', '512 values', 'returns 2'),
    )
    // All 2×8×8 values.
    await assert.rejects(load(await contextFile({ pool: 'none' })), says('ENCODER_INVALID', 'returns 128'))
    const embedders = [await embedderFile({ dimension: 100 })]
    await assert.rejects(
      loadEncoders({ embedders, contexts: [] }, options, loadHere),
      says('ENCODER_INVALID', 'flat.json', '100 values', 'returns 192'),
    )
  })

  it('names both files if the model does not take the input size', async () => {
    const input = { widthPx: 9, heightPx: 8, channelOrder: 'rgb', mean: 0, scale: 1, resize: 'crop' }
    await assert.rejects(
      load(await contextFile({ input })),
      says('ENCODER_INVALID', 'tiny.json', 'tiny.onnx'),
    )
  })

  it('fails with MODEL_UNREADABLE if a file is not a model', async () => {
    const spec = await contextFile()
    writeFileSync(spec.file, 'no model at all')
    await assert.rejects(load(spec), says('MODEL_UNREADABLE'))
  })
})

describe('one tensor of a model', () => {
  const dims = [1, 3, 8, 8]

  for (const [sentence, elementType, tolerance] of [
    ['float32', 'float32', 1e-6],
    ['float16, with inputs and outputs as float32', 'float16', 2e-3],
  ] as const)
    it(`has the values that follow from the weights, whether inner or an output: ${sentence}`, async () => {
      const path = join(dir, `${elementType}.onnx`)
      writeFileSync(path, onnxFile(tinyEncoder(elementType)))
      const expected = tinyOracle(planes)
      const whole = (await (await loadHere(path, dims, 'logits')).run({ data: planes, dims })).get('logits')
      whole?.data.forEach((value, i) => assert.ok(Math.abs(value - (expected[i] ?? NaN)) < tolerance))
      assert.equal(whole?.data.length, 2)
      const inner = await loadHere(path, dims, 'features')
      assert.deepEqual(inner.outputNames, ['features'])
      const features = (await inner.run({ data: planes, dims })).get('features')
      assert.deepEqual(features?.dims, [1, 2, 8, 8])
      assert.ok(
        Math.abs((features.data[0] ?? NaN) - (planes[0] ?? NaN)) < tolerance,
        'the first channel is red',
      )
    })

  it('is the same in batches', async () => {
    const path = join(dir, 'batched.onnx')
    writeFileSync(path, onnxFile(tinyEncoder()))
    const notices: string[] = []
    const onNotice = (text: string) => notices.push(text)
    const batched = await loadBatched(path, dims, { device, output: 'features', onNotice })
    const single = await loadHere(path, dims, 'features')
    const items = [planes, planes.map((value) => 1 - value), planes.map((value) => value / 3)]
    const together = await Promise.all(items.map((data) => batched.run({ data, dims })))
    for (const [i, data] of items.entries()) {
      const alone = (await single.run({ data, dims })).get('features')
      assert.deepEqual(together[i]?.get('features'), alone)
    }
    assert.deepEqual(notices, [])
  })
})

describe('the recipe', () => {
  const pack = findPack('lite')

  it('without encoders is the one that archives have', () => {
    // For version 2 of the pipeline. If this changes, every archive has to be processed again.
    assert.equal(
      createRecipe(pack, defaultSettings).digest,
      '4749d038888954eca353e939d34edc4efbec11efb2f910aaa013a55253063bff',
    )
    assert.equal(createRecipe(pack, defaultSettings, undefined, noEncoders).features, undefined)
  })

  it('changes with each encoder, but not with the order or the location of the files', async () => {
    const contexts = [await contextFile()]
    const embedders = [await embedderFile(), await embedderFile({ output: 'flat' })]
    const of = (...args: Parameters<typeof createRecipe>[3][]) =>
      createRecipe(pack, defaultSettings, undefined, ...args)
    const digests = [
      of(),
      of({ embedders, contexts: [] }),
      of({ embedders, contexts }),
      of({ embedders: embedders.slice(1), contexts }),
    ].map(({ digest }) => digest)
    assert.equal(new Set(digests).size, digests.length)
    const moved = embedders.toReversed().map((spec) => ({ ...spec, file: '/elsewhere', source: '/x.json' }))
    assert.equal(of({ embedders: moved, contexts }).digest, digests[2])
    const { embedderDigest, spaceDigest, features } = of({ embedders, contexts })
    assert.deepEqual([embedderDigest, spaceDigest], [of().embedderDigest, of().spaceDigest])
    assert.deepEqual(
      features?.map(({ kind, name, dimension }) => [kind, name, dimension]),
      [
        ['embedder', 'flat', 192],
        ['embedder', 'flat', 192],
        ['context', 'tiny', 2],
      ],
    )
  })

  it("is refused if an encoder is given twice or is the pack's own", async () => {
    const spec = await embedderFile()
    const { file, input, dimension } = pack.embedder
    const own: EmbedderFile = { ...spec, sha256: file.sha256, input, dimension }
    for (const embedders of [[spec, { ...spec, name: 'again' }], [own]])
      assert.throws(
        () => createRecipe(pack, defaultSettings, undefined, { embedders, contexts: [] }),
        says('USAGE', 'the same'),
      )
  })
})
