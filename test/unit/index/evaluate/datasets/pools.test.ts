import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  createEvaluationSet,
  type EvaluationInput,
} from '../../../../../index/evaluate/datasets/evaluation-set.js'
import type { FeatureSet } from '../../../../../index/evaluate/data/feature-set.js'
import { mapOf } from '../../../../../index/evaluate/ladder/measure-rankings.js'
import { describePool } from '../../../../../index/evaluate/datasets/pools.js'
import { rankByGallery } from '../../../../../index/evaluate/ladder/rankers.js'
import { suspectClips } from '../../../../../index/evaluate/datasets/unlisted-clips.js'
import { encodeFloat16 } from '../../../../../pipeline/data/float16.js'

/** Directions in a plane, one face per clip. Cosines to Ada's gallery clip: a1 1, unlisted .9, a2 .8, b1 0. */
const clips = {
  'ada-known.mp4': [1, 0],
  'bob-known.mp4': [0, 1],
  'a1.mp4': [1, 0],
  'unlisted.mp4': [0.9, Math.sqrt(1 - 0.81)],
  'a2.mp4': [0.8, 0.6],
  'b1.mp4': [0, 1],
} as const
const clipNames = Object.keys(clips)
const features: FeatureSet = {
  columns: [
    {
      ...{ digest: 'e', name: 'e', dimension: 2 },
      embeddings: encodeFloat16(Float32Array.from(Object.values(clips).flat())),
    },
  ],
  clipNames,
  trackClips: Int32Array.from(clipNames.keys()),
  firstFace: Int32Array.from({ length: clipNames.length + 1 }, (_, k) => k),
  qualities: new Float32Array(clipNames.length).fill(1),
}
const paths = clipNames.map((name) => [name])

const list = (lines: Readonly<Record<string, readonly string[]>>) =>
  new Map(Object.entries(lines).map(([identity, names]) => [identity, new Set(names)]))

const gallery = list({ ada: ['ada-known.mp4'], bob: ['bob-known.mp4'] })
const truth = list({ ada: ['a1.mp4', 'a2.mp4'], bob: ['b1.mp4'] })
const withGallery = list({ ada: ['a1.mp4', 'ada-known.mp4', 'a2.mp4'], bob: ['b1.mp4'] })

async function measure(labels: Partial<EvaluationInput>) {
  const set = createEvaluationSet({ features, paths, gallery, test: truth, ...labels })
  const test = set.test!
  const ranker = rankByGallery({ session: { device: { kind: 'cpu' }, intraOpThreads: 1 } }, gallery)
  const { ranked } = await ranker.rank({ ...set, test })
  return { set, map: mapOf(set, test, ranked), suspects: suspectClips(set, test, ranked) }
}

/** Ada: a1, unlisted, a2, b1 → (1 + 2/3) / 2 = 5/6. Bob: b1 first → 1. */
const withUnlisted = (5 / 6 + 1) / 2

describe('the clips that are ranked', () => {
  it('are all that no other list names: an unlisted clip counts as wrong, with a warning if it looks like a listed person', async () => {
    const { map, set, suspects } = await measure({})
    assert.ok(Math.abs(map - withUnlisted) < 1e-12, String(map))
    assert.deepEqual(suspects, [{ identity: 'ada', clip: 'unlisted.mp4' }])
    assert.equal(
      describePool(set.testPoolAccount),
      '4 clips ranked: 3 of the ground truth, 1 in no list; left out: 2 in the gallery',
    )
  })

  it('exclude the clips of val, as in the ladder', async () => {
    const { map, set, suspects } = await measure({ val: list({ ada: ['unlisted.mp4'] }) })
    assert.deepEqual([map, suspects], [1, []])
    assert.deepEqual(set.testPoolAccount, {
      ...{ clips: 3, listed: 3, unlisted: 0 },
      leftOut: [
        { why: 'in the gallery', clips: 2 },
        { why: 'in val', clips: 1 },
      ],
    })
  })

  it('are only listed clips if requested', async () => {
    const { map, set } = await measure({ pool: 'listed' })
    assert.equal(map, 1)
    assert.match(describePool(set.testPoolAccount), /^3 clips ranked: .*2 in the gallery, 1 in no list$/)
  })

  it('exclude gallery clips in the ground truth, because they would find themselves', async () => {
    const { map, set } = await measure({ test: withGallery })
    assert.ok(Math.abs(map - withUnlisted) < 1e-12, String(map))
    assert.deepEqual([...set.test!.groundTruth.get('ada')!], ['a1.mp4', 'a2.mp4'])
    assert.equal(set.testPoolAccount.listed, 3)
    assert.match(set.warnings.join(), /^1 clip of the ground truth is also in the gallery and not searched for \(ada-known\.mp4\)$/) // prettier-ignore
  })

  it('do not score an identity with all clips in the gallery, and a warning says so', async () => {
    const { set } = await measure({ test: list({ ada: ['a1.mp4'], bob: ['bob-known.mp4'] }) })
    assert.deepEqual([...set.test!.groundTruth.keys()], ['ada'])
    assert.match(set.warnings.join(), /1 identity without another clip is not scored/)
  })

  it('cannot be empty: ground truth that equals the gallery is refused', async () => {
    await assert.rejects(measure({ test: gallery }), {
      code: 'GROUND_TRUTH_INVALID',
      message: /all clips of the ground truth are in the gallery: no clip is left to search for/,
    })
  })

  it('exclude the training clips of heads', async () => {
    const classes = list({ ada: [], bob: [] })
    const { set } = await measure({ gallery: classes, trainedOn: gallery, test: withGallery })
    assert.deepEqual([...set.test!.groundTruth.get('ada')!], ['a1.mp4', 'a2.mp4'])
    assert.deepEqual(set.testPoolAccount.leftOut, [{ why: 'trained on', clips: 2 }])
  })
})
