import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createEvaluationSet } from '../../../../../index/evaluate/datasets/evaluation-set.js'
import type { FeatureSet } from '../../../../../index/evaluate/data/feature-set.js'
import { planEnsemble } from '../../../../../index/evaluate/ladder/plan-ensemble.js'
import { headSettingsSchema } from '../../../../../pipeline/training/train-head.js'

const settings = headSettingsSchema.parse({ seed: 7 })
const column = (name: string) => ({ digest: name, name, dimension: 1, embeddings: Uint16Array.of(1, 1) })
const features: FeatureSet = {
  columns: [column('own'), column('other')],
  clipNames: ['a', 'b'],
  trackClips: Int32Array.of(0, 1),
  firstFace: Int32Array.of(0, 1, 2),
  qualities: Float32Array.of(1, 1),
}
const gallery = new Map([['ada', new Set(['a'])], ['bob', new Set(['b'])]]) // prettier-ignore
const set = createEvaluationSet({ features, paths: [['a'], ['b']], gallery })

describe('the heads of an ensemble', () => {
  it('of a number of seeds are trained on the chosen set, except the existing first one', () => {
    const planned = planEnsemble(3, set, set, settings)
    assert.deepEqual(
      planned.map(({ name, settings: { seed }, weight }) => [name, seed, weight]),
      [
        ['head 2 of 3', 8, undefined],
        ['head 3 of 3', 9, undefined],
      ],
    )
    assert.ok(planned.every((head) => head.set === set))
  })

  it('of one seed are already trained', () => {
    assert.deepEqual(planEnsemble(1, set, set, settings), [])
  })

  it('are all trained if declared, each with its own settings, embedders and weight', () => {
    const other = { ...settings, seed: 99 }
    const planned = planEnsemble(
      [
        { settings, weight: 1 },
        { settings: other, embedders: ['own', 'other'], weight: 0.5 },
      ],
      ...([set, set, settings] as const),
    )
    assert.deepEqual(
      planned.map((head) => [head.name, head.settings.seed, head.weight, head.set.dimension]),
      [
        ['head 1 of 2', 7, 1, 1],
        ['head 2 of 2', 99, 0.5, 2],
      ],
    )
  })
})
