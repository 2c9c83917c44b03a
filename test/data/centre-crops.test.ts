import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import sharp from 'sharp'
import { CameoError } from '../../pipeline/common/errors.js'
import { defaultPackName, findPack } from '../../pipeline/models/packs/catalog.js'
import { defaultModelsDir } from '../../pipeline/models/packs/models-dir.js'
import { chooseFace, readPhoto, type Photo } from '../../pipeline/photos/process-photo.js'
import { defaultSettings } from '../../pipeline/recipe/recipe.js'
import { loadStages } from '../../pipeline/stages/load-pipeline.js'
import { temporaryDir } from '../support/cameo.js'
import { testDataDir } from '../support/data.js'

const people = join(testDataDir(), 'data/people')

/** How many human faces the middle of each person's first photo shows, counted by eye: those of which half is seen. */
const facesInCentre = readFileSync(
  fileURLToPath(new URL('../../../test/support/centre-crops.csv', import.meta.url)),
  'utf8',
)
  .trim()
  .split('\n')
  .slice(1)
  .map((line) => {
    const [name = '', count] = line.split(',')
    return { name, count: Number(count) }
  })

describe('photos that a face fills', () => {
  const dir = temporaryDir()

  it('are refused, or given a face that is none, in at most 1 % of 200', async () => {
    const stages = await loadStages({
      ...{ pack: findPack(defaultPackName), modelsDir: defaultModelsDir(), settings: defaultSettings },
      device: { kind: 'cpu' },
    })
    after(() => stages.dispose())
    const wrong: string[] = []
    for (const { name, count } of facesInCentre) {
      const path = join(dir, `${name}.jpg`)
      await sharp(join(people, name, `${name}_0001.jpg`))
        .extract({ left: 60, top: 60, width: 130, height: 130 })
        .resize(600, 600)
        .jpeg({ quality: 90 })
        .toFile(path)
      const photo = await readPhoto(path, stages)
      if (photo.faces.length > count) wrong.push(`${name}: ${photo.faces.length} faces instead of ${count}`)
      else if (isRefused(photo, path)) wrong.push(`${name}: refused`)
    }
    const total = facesInCentre.length
    console.log(`${wrong.length} of ${total} wrong`, wrong)
    assert.equal(total, 200)
    assert.ok(wrong.length <= total / 100)
  })
})

function isRefused(photo: Photo, path: string): boolean {
  try {
    chooseFace(photo, path, undefined)
    return false
  } catch (error) {
    if (error instanceof CameoError) return true
    throw error
  }
}
