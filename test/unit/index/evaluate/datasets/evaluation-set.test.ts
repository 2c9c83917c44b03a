import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { clipCentres, createEvaluationSet } from '../../../../../index/evaluate/datasets/evaluation-set.js'
import type { FeatureSet } from '../../../../../index/evaluate/data/feature-set.js'
import { encodeFloat16 } from '../../../../../pipeline/data/float16.js'
import { CameoError } from '../../../../../pipeline/common/errors.js'

const column = (values: Float32Array) => ({
  ...{ digest: 'e', name: 'e', dimension: 2 },
  embeddings: encodeFloat16(values),
})

/** One track with one face per clip, in two dimensions. */
function featuresOf(clips: Readonly<Record<string, readonly [number, number]>>): FeatureSet {
  const clipNames = Object.keys(clips)
  return {
    columns: [column(Float32Array.from(Object.values(clips).flat()))],
    clipNames,
    trackClips: Int32Array.from(clipNames.keys()),
    firstFace: Int32Array.from({ length: clipNames.length + 1 }, (_, k) => k),
    qualities: new Float32Array(clipNames.length).fill(1),
  }
}

const gallery = new Map([
  ['ada', new Set(['TRAIN_1.mp4'])],
  ['bob', new Set(['TRAIN_2.mp4', 'TRAIN_9.mp4'])],
])
const val = new Map([['ada', new Set(['VAL_1.mp4'])]])
const test = new Map([
  ['bob', new Set(['TEST_1.mp4'])],
  ['eve', new Set(['TEST_2.mp4'])],
])
const clips = {
  'TRAIN_1.mp4': [1, 0],
  'TRAIN_2.mp4': [0, 1],
  'VAL_1.mp4': [1, 0.1],
  'VAL_4.mp4': [1, 1],
  'VAL_3.mp4': [1, -1],
  'VAL_2.mp4': [-1, 1],
  'TEST_1.mp4': [0, 2],
  'TEST_2.mp4': [-1, -1],
  'TEST_3.mp4': [2, 2],
  'holiday.mp4': [0.5, 0.5],
} as const
const features = featuresOf(clips)
const paths = features.clipNames.map((name) => [`/archive/${name}`])
const namesOf = (numbers: Iterable<number>) => [...numbers].map((clip) => features.clipNames[clip]).sort()

describe('an evaluation set', () => {
  const set = createEvaluationSet({ features, paths, gallery, val, test })

  it('splits strangers of val by name: one half is noise, the other stays in val', () => {
    assert.deepEqual(namesOf(set.noiseClips), ['VAL_2.mp4', 'VAL_4.mp4'])
    assert.deepEqual(namesOf(set.valPool), ['VAL_1.mp4', 'VAL_3.mp4'])
  })

  it('retrieves in test from its own series only', () => {
    assert.deepEqual(namesOf(set.testPool), ['TEST_1.mp4', 'TEST_2.mp4', 'TEST_3.mp4'])
  })

  it('reports missing clips and identities', () => {
    assert.deepEqual(set.unknown, ['TRAIN_9.mp4'])
    assert.equal(set.warnings.length, 2)
    assert.match(set.warnings[0] ?? '', /^1 clip of the gallery is not there \(TRAIN_9\.mp4\); it counts/)
    assert.match(set.warnings[1] ?? '', /^1 identity .* is not in the gallery \(eve\)/)
  })

  it('retrieves from all clips except those of the other halves and the given noise, if names have no series', () => {
    const renamed = {
      ...features,
      clipNames: features.clipNames.map((name) => name.replace(/[_.\d]+mp4$/, 'x.mp4')),
    }
    const names = ['a.mp4', 'b.mp4', 'c.mp4', 'd.mp4', 'e.mp4', 'f.mp4', 'g.mp4', 'h.mp4', 'i.mp4', 'j.mp4']
    const plain = createEvaluationSet({
      features: { ...renamed, clipNames: names },
      paths: names.map((name) => [name]),
      gallery: new Map([['ada', new Set(['a.mp4'])]]),
      test: new Map([['ada', new Set(['c.mp4'])]]),
      noise: ['j.mp4'],
    })
    assert.deepEqual([...plain.testPool].map((clip) => names[clip]).sort(), ['b.mp4', 'c.mp4', 'd.mp4', 'e.mp4', 'f.mp4', 'g.mp4', 'h.mp4', 'i.mp4']) // prettier-ignore
    assert.deepEqual(plain.noiseClips, [9])
  })

  it('refuses a gallery of another archive', () => {
    assert.throws(
      () => createEvaluationSet({ features, paths, gallery: new Map([['x', new Set(['no.mp4'])]]) }),
      (error) => error instanceof CameoError && error.code === 'GROUND_TRUTH_INVALID',
    )
  })

  it("a clip's centre is the mean of only its main faces, each of length 1", () => {
    const two = {
      ...featuresOf({ 'a.mp4': [1, 0] }),
      trackClips: Int32Array.of(0, 0),
      firstFace: Int32Array.of(0, 2, 3),
      columns: [column(Float32Array.of(5, 0, 0, 1, -1, 0))],
      qualities: Float32Array.of(0.1, 1, 1),
      isMainFace: Uint8Array.of(1, 1, 0),
    }
    const centres = clipCentres({ features: two, firstTrack: Int32Array.of(0, 2) })
    for (const value of centres) assert.ok(Math.abs(value - Math.SQRT1_2) < 1e-6)
  })
})
