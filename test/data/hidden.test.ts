import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { hiddenMatchOf } from '../../index/search/hidden-match.js'
import { hiddenProbability, visibleTerm } from '../../pipeline/embed/hidden-face.js'
import { defaultPackName, findPack } from '../../pipeline/models/packs/catalog.js'
import { defaultModelsDir } from '../../pipeline/models/packs/models-dir.js'
import { defaultSettings } from '../../pipeline/recipe/recipe.js'
import { loadStages } from '../../pipeline/stages/load-pipeline.js'
import type { Cover, Random } from '../../scripts/calibration/hidden/paint.js'
import { paintedFaces, type OcclusionSample } from '../../scripts/calibration/hidden/samples.js'
import { testDataDir } from '../support/data.js'
import { mean } from '../support/map.js'
import { dotProduct } from '../../pipeline/data/vector-math.js'
import { thresholdOfModels } from '../../pipeline/models/packs/pack-threshold.js'

/** Drawn in another way than those that the model was taught with. */
const covers: Readonly<Record<string, (random: Random) => Cover>> = {
  mask: (random) => {
    const top = 0.3 + 0.25 * random()
    return {
      covers: (u, v) => v > top - 0.2 * Math.cos(2 * u) + 0.2 && (u / 1.1) ** 2 + ((v - 0.9) / 1.1) ** 2 < 1,
      light: (_, v) => (v < top + 0.25 ? 0.8 : 1),
    }
  },
  half: (random) => {
    const [side, slant] = [random() < 0.5 ? 1 : -1, 0.3 * random() - 0.15]
    return { covers: (u, v) => (u + slant * v) * side > 0 && Math.hypot(u, v - 0.4) < 2, light: () => 0.7 }
  },
}

describe('faces that are hidden in part', () => {
  const pack = findPack(defaultPackName)
  const { hiddenFaces } = pack
  assert.ok(hiddenFaces)
  const people = join(testDataDir(), 'data/people')
  const names = readdirSync(people).sort()
  const loading = loadStages({
    ...{ pack, modelsDir: defaultModelsDir(), settings: defaultSettings },
    device: { kind: 'cpu' },
  })
  after(async () => (await loading).dispose())

  it('are told, lose quality, and match those of other people far less often', async () => {
    const samples: OcclusionSample[] = []
    for (const [person, name] of names.entries()) {
      if (person % 3 !== 0) continue
      const path = join(people, name, `${name}_0001.jpg`)
      for (const face of await paintedFaces(path, person, covers, await loading))
        samples.push({ person, ...face })
    }
    const told = (cover: string | undefined) => {
      const own = samples.filter((sample) => sample.cover === cover)
      return {
        hidden: mean(own.map(({ unit }) => (hiddenProbability(unit, hiddenFaces) > 0.5 ? 1 : 0))),
        quality: mean(own.map(({ unit }) => visibleTerm(unit, hiddenFaces))),
      }
    }
    const usual = thresholdOfModels(pack)
    const accepted = (isOwnRule: boolean) => {
      let [pairs, reached] = [0, 0]
      for (const cover of Object.keys(covers)) {
        const own = samples.filter((sample) => sample.cover === cover)
        for (const [i, query] of own.entries()) {
          const rule = isOwnRule ? hiddenMatchOf({}, pack, query.unit, {}) : undefined
          for (const track of own.slice(i + 1)) {
            const threshold = rule?.isHidden(track.unit) === true ? Math.max(usual, rule.threshold) : usual
            pairs++
            if (dotProduct(query.unit, track.unit) >= threshold) reached++
          }
        }
      }
      return reached / pairs
    }
    const [asTheyAre, mask, half] = [told(undefined), told('mask'), told('half')]
    const [before, now] = [accepted(false), accepted(true)]
    console.log(
      `told to be hidden: as they are ${asTheyAre.hidden.toFixed(3)}, masks ${mask.hidden.toFixed(3)}, halves ${half.hidden.toFixed(3)}; ` +
        `pairs of two people accepted: ${before.toFixed(4)} at the usual threshold, now ${now.toFixed(4)}`,
    )
    assert.ok(asTheyAre.hidden <= 0.1 && asTheyAre.quality > 0.95, JSON.stringify(asTheyAre))
    for (const cover of [mask, half])
      assert.ok(cover.hidden >= 0.7 && cover.quality < 0.85, JSON.stringify(cover))
    assert.ok(before > 0.01, `only ${before} are accepted at the usual threshold: the covers hide too little`)
    assert.ok(now < before / 4, `${now} are accepted, ${before} without a threshold of their own`)
  })
})
