import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { openArchive, type Archive } from '../../index/archive/open-archive.js'
import { openArchiveIndex } from '../../index/archive/open-archive-index.js'
import { searchClips } from '../../index/search/search-clips.js'
import type { VectorCache } from '../../index/vectors/archive/cached-index.js'
import { mainPerson, peopleOfClip } from '../../pipeline/photos/process-query-clip.js'
import { defaultPackName, findPack } from '../../pipeline/models/packs/catalog.js'
import { defaultModelsDir } from '../../pipeline/models/packs/models-dir.js'
import { sha256OfFile } from '../../pipeline/common/digest.js'
import { defaultSettings } from '../../pipeline/recipe/recipe.js'
import { loadStages, type Stages } from '../../pipeline/stages/load-pipeline.js'
import { cameo, jsonLines, temporaryDir } from '../support/cameo.js'
import { testDataDir } from '../support/data.js'
import { averagePrecision, mean } from '../support/map.js'

const videos = join(testDataDir(), 'data/videos')

describe('real videos', () => {
  const dir = temporaryDir()
  let archive: Archive
  let index: VectorCache
  let stages: Stages

  before(async () => {
    const run = await cameo(['ingest', videos, '--archive', dir, '--json'])
    assert.equal(run.code, 0, run.stderr)
    assert.ok(jsonLines(run.stdout).every(({ status }) => status === 'done' || status === 'skipped'))
    archive = openArchive(dir)
    index = await openArchiveIndex(archive)
    stages = await loadStages({
      pack: findPack(defaultPackName),
      modelsDir: defaultModelsDir(),
      settings: defaultSettings,
      device: { kind: 'cpu' },
    })
  })

  after(async () => {
    await stages.dispose()
    await index.close()
    archive.close()
  })

  it('ranks every clip of a person above all others, each clip of the ground truth as a query (MAP 1.0)', async () => {
    const precisions: number[] = []
    for (const line of readFileSync(join(videos, 'test_gt.txt'), 'utf8').trim().split(/\r?\n/)) {
      const clips = line.split(' ').slice(1)
      for (const clip of clips) {
        const path = join(videos, clip)
        const person = mainPerson(await peopleOfClip(path, stages), path)
        const { matches } = await searchClips(archive, index, person.descriptor, {
          top: 100,
          minScore: -1,
          excludeClipId: await sha256OfFile(path),
        })
        const ranking = matches.map((match) => basename(match.path))
        precisions.push(averagePrecision(ranking, new Set(clips.filter((other) => other !== clip))))
      }
    }
    console.log(`MAP ${mean(precisions)} over ${precisions.length} queries`)
    assert.equal(mean(precisions), 1)
  })
})
