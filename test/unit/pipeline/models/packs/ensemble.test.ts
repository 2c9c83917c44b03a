import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { createEnsembleEmbedder } from '../../../../../pipeline/embed/embed-faces.js'
import { decodeFloat16 } from '../../../../../pipeline/data/float16.js'
import { hiddenProbability } from '../../../../../pipeline/embed/hidden-face.js'
import { findPack, keepablePackName } from '../../../../../pipeline/models/packs/catalog.js'
import { ensembleOf } from '../../../../../pipeline/models/packs/ensemble.js'
import { modelsOf } from '../../../../../pipeline/models/packs/pack.js'
import type { Model } from '../../../../../pipeline/models/session.js'
import { createRecipe, defaultSettings } from '../../../../../pipeline/recipe/recipe.js'
import { refusedWith } from '../../../../support/refused-with.js'
import { temporaryDir } from '../../../../support/cameo.js'
import { unitOf } from '../../../../../pipeline/data/embedding.js'

const [lite, sface] = [findPack('lite'), findPack('sface')]
const dir = temporaryDir()

describe('an ensemble of packs', () => {
  it("has the detector of the first pack and the embedders of all, each in its pack's folder", () => {
    const pack = findPack('lite+sface')
    assert.equal(pack.name, 'lite+sface')
    assert.equal(pack.embedder.dimension, 512 + 128)
    assert.deepEqual(pack.detector, lite.detector)
    assert.deepEqual(
      modelsOf(pack).map(({ file, folder }) => `${folder}/${file.name}`),
      [
        ...['lite/fr_detect.onnx', 'lite/fr_landmark.onnx', 'lite/fr_feature.onnx'],
        'sface/face_recognition_sface_2021dec_int8bq.onnx',
      ],
    )
    assert.match(pack.licence, /MIT \(lite\).*Apache-2\.0.*\(sface\)/)
  })

  it('is a separate space, and the order of its embedders changes it', () => {
    const spaces = ['lite', 'sface', 'lite+sface', 'sface+lite'].map(
      (name) => createRecipe(findPack(name), defaultSettings).embedderDigest,
    )
    assert.equal(new Set(spaces).size, spaces.length)
  })

  it('recognises hidden faces by the embedding of the first pack', () => {
    const first = Float32Array.from({ length: 512 }, (_, i) => Math.sin(i) / 16)
    const unit = new Float32Array(640).fill(0.03)
    unit.set(first.map((value) => value / Math.SQRT2))
    const { hiddenFaces } = findPack('lite+sface')
    assert.ok(lite.hiddenFaces !== undefined && hiddenFaces !== undefined)
    const [own, together] = [hiddenProbability(first, lite.hiddenFaces), hiddenProbability(unit, hiddenFaces)]
    assert.ok(own > 0 && own < 1)
    assert.ok(Math.abs(own - together) < 1e-4, `${own} and ${together}`)
  })

  it('is refused if it has one pack twice, an ensemble, or an unknown pack', () => {
    assert.throws(() => findPack('lite+lite'), refusedWith('PACK_INVALID', /same embedder twice/))
    assert.throws(
      () => ensembleOf([findPack('lite+sface'), lite]),
      refusedWith('PACK_INVALID', /another ensemble/),
    )
    assert.throws(() => findPack('lite+nothing'), refusedWith('PACK_UNKNOWN', /"nothing"/))
  })

  it('takes pack files, even with a plus in their paths, and is stored with full paths', () => {
    const folder = join(dir, 'a+b')
    mkdirSync(folder)
    const file = join(folder, 'mine.json')
    writeFileSync(file, JSON.stringify({ ...sface, name: 'mine', source: { kind: 'folder', folder: '.' } }))
    assert.equal(findPack(file).name, 'mine')
    const plain = join(dir, 'mine.json')
    writeFileSync(plain, JSON.stringify({ ...sface, name: 'mine', source: { kind: 'folder', folder: '.' } }))
    assert.equal(findPack(`lite+${plain}`).name, 'lite+mine')
    assert.equal(keepablePackName('lite+sface'), 'lite+sface')
    assert.equal(keepablePackName('lite+mine.json'), `lite+${join(process.cwd(), 'mine.json')}`)
  })
})

describe('the embedder of an ensemble', () => {
  const input = { ...lite.embedder.input }
  const gives = (...values: readonly number[]): Model => ({
    provider: 'cpu',
    outputNames: ['out'],
    run: () =>
      Promise.resolve(new Map([['out', { data: Float32Array.from(values), dims: [1, values.length] }]])),
    dispose: () => Promise.resolve(),
  })
  const crop = { width: 112, height: 112, data: new Uint8Array(112 * 112 * 3) }
  const embed = (a: readonly number[], b: readonly number[]) =>
    createEnsembleEmbedder(
      [a, b].map((values) => ({ spec: { input, dimension: values.length }, model: gives(...values) })),
      { mirror: false },
    ).embed(crop)

  it('gives each part the same length, and the whole the norm of the first part', async () => {
    const { float16, norm } = await embed([3, 4], [0, 0, 100])
    assert.ok(Math.abs(norm - 5) < 1e-5)
    const each = 5 / Math.SQRT2
    const wanted = [0.6 * each, 0.8 * each, 0, 0, each]
    for (const [i, value] of decodeFloat16(float16).entries())
      assert.ok(Math.abs(value - (wanted[i] ?? 0)) < 2e-3, `${value} at ${i}`)
  })

  it('gives two faces the mean of both similarities', async () => {
    // cos 60° and cos 90°: .5 and 0.
    const [a, b] = [await embed([1, 0], [7, 0]), await embed([0.5, Math.sqrt(0.75)], [0, 2])]
    const [x, y] = [unitOf(a), unitOf(b)]
    const similarity = x.reduce((sum, value, i) => sum + value * (y[i] ?? 0), 0)
    assert.ok(Math.abs(similarity - 0.25) < 1e-3, `${similarity}`)
  })

  it('refuses a model of another dimension, as any embedder does', async () => {
    const embedder = createEnsembleEmbedder(
      [
        { spec: { input, dimension: 2 }, model: gives(1, 2) },
        { spec: { input, dimension: 2 }, model: gives(1, 2, 3) },
      ],
      { mirror: false },
    )
    await assert.rejects(embedder.embed(crop), /returns 3 values, but its pack states 2/)
  })
})
