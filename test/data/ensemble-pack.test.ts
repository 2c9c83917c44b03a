import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { copyFileSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import type { RgbImage } from '../../pipeline/data/image.js'
import { findPack } from '../../pipeline/models/packs/catalog.js'
import { defaultModelsDir } from '../../pipeline/models/packs/models-dir.js'
import { pullPack } from '../../pipeline/models/packs/download.js'
import { readPhoto } from '../../pipeline/photos/process-photo.js'
import { defaultSettings } from '../../pipeline/recipe/recipe.js'
import { loadStages, type Stages } from '../../pipeline/stages/load-pipeline.js'
import { foundFiles, ingest, ingested, search } from '../support/answers.js'
import { cameo, temporaryDir } from '../support/cameo.js'
import { testDataDir } from '../support/data.js'
import { writeJson } from '../support/encoders.js'
import { makeFaceClip, makeFacePhoto } from '../support/faces.js'
import { dotProduct } from '../../pipeline/data/vector-math.js'
import { unitOf } from '../../pipeline/data/embedding.js'

const data = testDataDir()
const dir = temporaryDir()
const mine = join(dir, 'mine.json')
const pair = `lite+${mine}`

/** SCRFD and MobileFaceNet of the development models. */
function writePack(): void {
  const fileOf = (name: string) => {
    copyFileSync(join(data, 'models', name), join(dir, name))
    return {
      name,
      sha256: createHash('sha256')
        .update(readFileSync(join(dir, name)))
        .digest('hex'),
    }
  }
  const small = findPack('buffalo_sc')
  writeJson(mine, {
    ...{ name: 'mine', licence: 'of its own', source: { kind: 'folder', folder: '.' } },
    detector: { ...small.detector, file: fileOf('scrfd_500m_bnkps.onnx') },
    embedder: { ...small.embedder, file: fileOf('mobilefacenet.onnx'), dimension: 128 },
  })
}

describe("an ensemble of lite and a pack of one's own", () => {
  const loaded: Stages[] = []
  const load = async (name: string) => {
    const stages = await loadStages({
      ...{ pack: findPack(name), modelsDir: defaultModelsDir(), settings: defaultSettings },
      device: { kind: 'cpu' },
    })
    loaded.push(stages)
    return stages
  }

  before(async () => {
    writePack()
    await pullPack(findPack(pair), { modelsDir: defaultModelsDir() })
  })
  after(async () => {
    for (const stages of loaded) await stages.dispose()
  })

  it('scores two faces by the mean of what both say of them', async () => {
    const together = await load(pair)
    const members = [await load('lite'), await load(mine)]
    const crops: RgbImage[] = []
    for (const [name, number] of [
      ['Colin_Powell', 1],
      ['Colin_Powell', 2],
      ['Vicente_Fox', 1],
    ] as const) {
      const { faces } = await readPhoto(join(data, `data/people/${name}/${name}_000${number}.jpg`), together)
      const crop = faces[0]?.sample.alignedCrop
      assert.ok(crop)
      crops.push(crop)
    }
    const unitsOf = async ({ embedder }: Stages) =>
      Promise.all(crops.map(async (crop) => unitOf(await embedder.embed(crop))))
    const units = await unitsOf(together)
    const ofMembers = [await unitsOf(members[0]!), await unitsOf(members[1]!)]
    for (const [a, b] of [
      [0, 1],
      [0, 2],
      [1, 2],
    ] as const) {
      const [first, second] = ofMembers.map((own) => dotProduct(own[a]!, own[b]!))
      const score = dotProduct(units[a]!, units[b]!)
      assert.ok(Math.abs(score - (first! + second!) / 2) < 2e-3, `${score}, of ${first} and ${second}`)
    }
  })

  it('makes an archive that is searched with both, also when the pack is not named again', async () => {
    const clips = join(dir, 'clips')
    mkdirSync(clips)
    await makeFaceClip(join(clips, 'sofa.mp4'), 'sofa left')
    await makeFaceClip(join(clips, 'bar.mp4'), 'bar left')
    const photo = await makeFacePhoto(join(dir, 'sofa.png'), 'sofa left')
    const archive = join(dir, 'archive')
    const made = await ingest([clips, '--archive', archive, '--pack', pair])
    assert.equal(made.code, 0, made.stderr)
    const answer = await search(['--image', photo, '--archive', archive])
    assert.deepEqual(foundFiles(answer), ['sofa.mp4'])
    // Nobody has measured this pair.
    assert.equal(answer.thresholdReason, 'uncalibrated')
    const again = ingested(await cameo(['ingest', clips, '--archive', archive, '--json']))
    assert.ok(
      again.lines.every(({ status }) => status === 'unchanged'),
      again.stdout,
    )
    const other = await cameo(['ingest', clips, '--archive', archive, '--pack', 'lite', '--json'])
    assert.equal(other.code, 2, other.stdout)
    assert.match(other.stdout, /ARCHIVE_OTHER_RECIPE/)
  })
})
