import assert from 'node:assert/strict'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { readAlignedFace } from '../../pipeline/decode/still/read-aligned-photo.js'
import { scaleImage } from '../../pipeline/image/image-scale.js'
import { createToTensor } from '../../pipeline/image/image-tensor.js'
import { prepareForCpu } from '../../pipeline/stages/load-pack.js'
import { defaultPackName, findPack } from '../../pipeline/models/packs/catalog.js'
import { defaultModelsDir, packDir } from '../../pipeline/models/packs/models-dir.js'
import { modelsOf } from '../../pipeline/models/packs/pack.js'
import { loadModel } from '../../pipeline/models/session.js'
import { cameo, temporaryDir } from '../support/cameo.js'
import { faceNames, makeFacePhoto } from '../support/faces.js'

describe('models with their smallest weights set to 0', () => {
  it('give bit-identical outputs for the faces of the demo photos', async () => {
    const pack = findPack(defaultPackName)
    const prepared = await prepareForCpu(pack, defaultModelsDir())
    assert.deepEqual(
      prepared.map(({ name, tiny, subnormal, weights }) => [name, tiny, subnormal, weights]),
      [
        ['fr_detect.onnx', 0, 0, 'none'],
        ['fr_landmark.onnx', 26_567, 26_567, 'flushed'],
        ['fr_feature.onnx', 176_911, 8938, 'flushed'],
      ],
    )
    const dir = temporaryDir()
    const crops = await Promise.all(
      faceNames.map(async (name, i) => {
        const path = await makeFacePhoto(join(dir, `${i}.jpg`), name)
        return readAlignedFace(path, path)
      }),
    )
    for (const { file, input } of modelsOf(pack)) {
      const device = { kind: 'cpu' } as const
      const source = await loadModel(join(packDir(pack, defaultModelsDir()), file.name), { device })
      const path = prepared.find(({ name }) => name === file.name)?.path ?? ''
      const changed = await loadModel(path, { device })
      const toTensor = createToTensor(input)
      const { widthPx, heightPx } = input
      for (const crop of crops) {
        const whole = { xPx: 0, yPx: 0, widthPx: crop.width, heightPx: crop.height }
        const image = scaleImage(crop, whole, widthPx, heightPx)
        assert.deepEqual(await changed.run(toTensor(image)), await source.run(toTensor(image)), file.name)
      }
      await source.dispose()
      await changed.dispose()
    }
  })

  it('are reported by doctor, with the time of one embedding', async () => {
    const { stdout, code } = await cameo(['doctor', '--archive', join(temporaryDir(), 'none')])
    assert.equal(code, 0)
    assert.match(stdout, /one embedding \d+\.\d ms, one detection pass \d+\.\d ms/)
    assert.match(stdout, /fr_feature\.onnx runs with 176,911 weights below 1e-20 set to 0/)
  })
})
