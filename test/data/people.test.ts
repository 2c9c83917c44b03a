import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { CameoError } from '../../pipeline/common/errors.js'
import { defaultPackName, findPack } from '../../pipeline/models/packs/catalog.js'
import { defaultModelsDir } from '../../pipeline/models/packs/models-dir.js'
import { chooseFace, embedPhotoFace, readPhoto } from '../../pipeline/photos/process-photo.js'
import { defaultSettings } from '../../pipeline/recipe/recipe.js'
import { loadStages, type Stages } from '../../pipeline/stages/load-pipeline.js'
import { testDataDir } from '../support/data.js'
import { mean } from '../support/map.js'
import { dotProduct } from '../../pipeline/data/vector-math.js'

const dataDir = join(testDataDir(), 'data')

interface EmbeddedPhoto {
  readonly person: string
  readonly file: string
  /** Undefined where no face, or not plainly one, was found. */
  readonly descriptor: Float32Array | undefined
}

describe('photos of the development people, as search --image takes them', () => {
  const photos: EmbeddedPhoto[] = []
  let stages: Stages

  before(async () => {
    stages = await loadStages({
      pack: findPack(defaultPackName),
      modelsDir: defaultModelsDir(),
      settings: defaultSettings,
      device: { kind: 'cpu' },
    })
    for (const person of readdirSync(join(dataDir, 'people')).sort())
      for (const file of readdirSync(join(dataDir, 'people', person)).sort())
        photos.push({ person, file, descriptor: await describePhoto(join(dataDir, 'people', person, file)) })
  })

  after(() => stages.dispose())

  async function describePhoto(path: string): Promise<Float32Array | undefined> {
    try {
      const face = await embedPhotoFace(chooseFace(await readPhoto(path, stages), path, undefined), stages)
      return await stages.describer.describe([{ ...face.embedding, quality: face.quality }])
    } catch (error) {
      if (error instanceof CameoError) return undefined
      throw error
    }
  }

  it('leave-one-out rank-1 is at least 0.985, a photo without its face counting as wrong', () => {
    const withOthers = new Set(
      photos.map(({ person }) => person).filter((person, index, all) => all.indexOf(person) !== index),
    )
    const probes = photos.filter(({ person }) => withOthers.has(person))
    const right = probes.filter((probe) => nearest(probe)?.person === probe.person)
    const rank1 = right.length / probes.length
    console.log(`rank-1 ${rank1.toFixed(4)} (${probes.length} probes, ${photos.length} photos)`)
    assert.ok(rank1 >= 0.985, `rank-1 is ${rank1}`)
  })

  function nearest({ descriptor, file }: EmbeddedPhoto): EmbeddedPhoto | undefined {
    let best: EmbeddedPhoto | undefined
    let bestScore = -Infinity
    for (const other of photos) {
      if (descriptor === undefined || other.descriptor === undefined || other.file === file) continue
      const score = dotProduct(descriptor, other.descriptor)
      if (score > bestScore) [best, bestScore] = [other, score]
    }
    return best
  }

  it('pairs accuracy over the ten folds is at least 0.985, the threshold chosen on the other nine', () => {
    const folds = readPairs()
    const accuracies = folds.map((fold, index) => {
      const threshold = bestThreshold(folds.filter((_, other) => other !== index).flat())
      return accuracy(fold, threshold)
    })
    console.log(`pairs accuracy ${mean(accuracies).toFixed(4)} over ${folds.length} folds`)
    assert.ok(mean(accuracies) >= 0.985, `accuracy is ${mean(accuracies)}`)
  })

  interface Pair {
    /** Undefined where a face was not found: wrong at any threshold. */
    readonly score: number | undefined
    readonly isMated: boolean
  }

  /** LFW's pairs format: `10 N`, then a fold's N mated and N non-mated lines, ten times. */
  function readPairs(): Pair[][] {
    const [header = '', ...lines] = readFileSync(join(dataDir, 'pairs.txt'), 'utf8').trim().split(/\r?\n/)
    const [foldCount = 0, perKind = 0] = header.split(/\s+/).map(Number)
    const byFile = new Map(photos.map(({ file, descriptor }) => [file, descriptor]))
    const descriptorOf = (name = '', number = '') => byFile.get(`${name}_${number.padStart(4, '0')}.jpg`)
    const pairs = lines.map((line): Pair => {
      const parts = line.split(/\s+/)
      const isMated = parts.length === 3
      const a = descriptorOf(parts[0], parts[1])
      const b = isMated ? descriptorOf(parts[0], parts[2]) : descriptorOf(parts[2], parts[3])
      return { score: a === undefined || b === undefined ? undefined : dotProduct(a, b), isMated }
    })
    assert.equal(pairs.length, foldCount * perKind * 2)
    return Array.from({ length: foldCount }, (_, fold) =>
      pairs.slice(fold * perKind * 2, (fold + 1) * perKind * 2),
    )
  }

  function accuracy(pairs: readonly Pair[], threshold: number): number {
    const isRight = ({ score, isMated }: Pair) => score !== undefined && score >= threshold === isMated
    return pairs.filter(isRight).length / pairs.length
  }

  function bestThreshold(pairs: readonly Pair[]): number {
    const candidates = Array.from({ length: 101 }, (_, i) => i / 100)
    return candidates.reduce((best, t) => (accuracy(pairs, t) > accuracy(pairs, best) ? t : best), 0)
  }
})
