import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { findPack } from '../../pipeline/models/packs/catalog.js'
import { defaultModelsDir } from '../../pipeline/models/packs/models-dir.js'
import { mainPerson, peopleOfClip } from '../../pipeline/photos/process-query-clip.js'
import { defaultSettings } from '../../pipeline/recipe/recipe.js'
import { loadStages, type Stages } from '../../pipeline/stages/load-pipeline.js'
import { temporaryDir } from '../support/cameo.js'
import { makeFaceClip } from '../support/faces.js'

const path = join(temporaryDir(), 'two people.mp4')
let stages: Stages

const dot = (a: Float32Array, b: Float32Array) => a.reduce((sum, value, i) => sum + value * (b[i] ?? 0), 0)

before(async () => {
  await makeFaceClip(path, 'sofa right', { seconds: 9, then: ['party first', 'sofa right'] })
  stages = await loadStages({
    ...{ pack: findPack('lite'), modelsDir: defaultModelsDir() },
    ...{ settings: defaultSettings, device: { kind: 'cpu' } },
  })
})

after(() => stages.dispose())

describe('the people of a clip', () => {
  it('are the same in segments as in one pass, with nearly equal descriptors', async () => {
    const whole = await peopleOfClip(path, stages)
    assert.equal(whole.length, 2)
    const reached: number[] = []
    const inSegments = { ...stages, settings: { ...defaultSettings, segmentS: 2 } }
    const people = await peopleOfClip(path, inSegments, (timeS, durationS) => {
      assert.ok(Math.abs((durationS ?? 0) - 9) < 0.1)
      reached.push(timeS)
    })
    assert.equal(reached.length, 36, 'every sampled frame, once')
    assert.equal(people.length, 2)
    for (const [i, person] of people.entries()) {
      const other = whole[i]
      assert.ok(other !== undefined)
      assert.equal(person.samples, other.samples)
      assert.equal(person.faces.length, defaultSettings.facesPerTrack)
      assert.deepEqual(
        [person.faces[0], person.quality],
        [other.faces[0], other.quality],
        'the best face is the best',
      )
      assert.ok(dot(person.descriptor, other.descriptor) > 0.99)
      const ends = (spans: readonly (readonly [number, number])[]) => [spans[0]?.[0], spans.at(-1)?.[1]]
      assert.deepEqual(ends(person.spansS), ends(other.spansS))
      assert.ok(
        person.spansS.every(([startS], at) => startS > (person.spansS[at - 1]?.[1] ?? -1)),
        'in order',
      )
    }
  })

  it('the main person is visible longest and largest', async () => {
    const people = await peopleOfClip(path, stages)
    const main = mainPerson(people, path)
    assert.deepEqual(main.spansS.length, 2, 'the person who is visible before and after the other one')
  })
})
