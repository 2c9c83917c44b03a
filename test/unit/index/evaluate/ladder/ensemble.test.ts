import assert from 'node:assert/strict'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { parseFold, readEnsemble, setOfMember } from '../../../../../index/evaluate/ladder/ensemble.js'
import { createEvaluationSet } from '../../../../../index/evaluate/datasets/evaluation-set.js'
import { columnsForHead, type FeatureSet } from '../../../../../index/evaluate/data/feature-set.js'
import { trainingRows } from '../../../../../index/evaluate/ladder/head-training.js'
import { scoreByHeads, type ScoredRows } from '../../../../../index/evaluate/ladder/scorer.js'
import { encodeFloat16 } from '../../../../../pipeline/data/float16.js'
import type { Head } from '../../../../../pipeline/training/trained-head.js'
import { headSettingsSchema } from '../../../../../pipeline/training/train-head.js'
import { temporaryDir } from '../../../../support/cameo.js'
import { writeJson } from '../../../../support/encoders.js'
import { refusedWith } from '../../../../support/refused-with.js'

const dir = temporaryDir()
const base = headSettingsSchema.parse({ seed: 7, epochs: 3 })
const ensembleOf = (content: unknown) => readEnsemble(writeJson(join(dir, 'e.json'), content), base)

const column = (name: string, dimension: number, values: readonly number[]) => ({
  ...{ digest: `digest of ${name}`, name, dimension },
  embeddings: encodeFloat16(Float32Array.from(values)),
})

/** Six clips of ada and one of bob, a track with one face each, by two embedders. */
const features: FeatureSet = {
  columns: [
    column('own', 2, [1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 0, 1]),
    column('other', 3, [0, 0, 2, 0, 0, 2, 0, 0, 2, 0, 0, 2, 0, 0, 2, 0, 0, 2, 5, 0, 0]),
  ],
  clipNames: ['a1', 'a2', 'a3', 'a4', 'a5', 'a6', 'b1'],
  trackClips: Int32Array.from([0, 1, 2, 3, 4, 5, 6]),
  firstFace: Int32Array.from([0, 1, 2, 3, 4, 5, 6, 7]),
  qualities: new Float32Array(7).fill(1),
}
const set = createEvaluationSet({
  features,
  paths: features.clipNames.map((name) => [name]),
  gallery: new Map([
    ['ada', new Set(['a1', 'a2', 'a3', 'a4', 'a5', 'a6'])],
    ['bob', new Set(['b1'])],
  ]),
})

describe("an ensemble's file", () => {
  it('declares heads: relative files, overrides of the common settings, increasing seeds', () => {
    mkdirSync(join(dir, 'sub'), { recursive: true })
    const members = ensembleOf({
      heads: [
        { file: 'a.onnx' },
        { file: 'sub/b.onnx', embedders: ['own', 'other'], fold: '2/5', weight: 0.5 },
        { file: '/c.onnx', settings: { loss: 'cosface', seed: 99 } },
      ],
    })
    assert.deepEqual(
      members.map(({ file, settings: { seed, loss, epochs }, embedders, fold, weight }) => [
        ...[file, seed, loss, epochs, embedders, fold, weight],
      ]),
      [
        [join(dir, 'a.onnx'), 7, 'arcface:0.3', 3, undefined, undefined, 1],
        [join(dir, 'sub/b.onnx'), 8, 'arcface:0.3', 3, ['own', 'other'], { leave: 2, of: 5 }, 0.5],
        ['/c.onnx', 99, 'cosface', 3, undefined, undefined, 1],
      ],
    )
  })

  it('is refused with the reason', () => {
    for (const [content, message] of [
      [{ heads: [] }, /e\.json is not a valid ensemble/],
      [{ heads: [{ file: 'a', colour: 'red' }] }, /colour/],
      [{ heads: [{ file: 'a' }, { file: './a' }] }, /same file/],
      [{ heads: [{ file: 'a', fold: '6/5' }] }, /the fold "6\/5" of head 1/],
      [{ heads: [{ file: 'a' }, { file: 'b', settings: { epochs: 0 } }] }, /settings of head 2 are invalid/],
      [{ heads: [{ file: 'a', weight: -1 }] }, /weight/],
    ] as const)
      assert.throws(() => ensembleOf(content), refusedWith('ENSEMBLE_INVALID', message))
    assert.throws(
      () => readEnsemble(join(dir, 'none.json'), base),
      refusedWith('ENSEMBLE_INVALID', /none\.json/),
    )
  })

  it('folds are k of n', () => {
    assert.deepEqual(parseFold('5/5'), { leave: 5, of: 5 })
    for (const none of ['0/5', '1/1', '6/5', '1', 'a/b', '1/2/3', ''])
      assert.equal(parseFold(none), undefined)
  })
})

describe("a member's set", () => {
  it("has the pack's own embeddings, or the named ones in order", () => {
    const own = setOfMember(set, {})
    assert.deepEqual([own.dimension, [...own.pooled.subarray(0, 2)]], [2, [1, 0]])
    const both = setOfMember(set, { embedders: ['other', 'own'] })
    assert.equal(both.dimension, 5)
    // Each of length 1, together of length 1.
    const expected = [0, 0, 1, 1, 0].map((value) => value * Math.SQRT1_2)
    expected.forEach((value, i) => assert.ok(Math.abs((both.pooled[i] ?? NaN) - value) < 1e-6))
    assert.throws(
      () => setOfMember(set, { embedders: ['own', 'third'] }),
      refusedWith('EMBEDDER_UNKNOWN', /"third".*own, other/),
    )
    assert.throws(
      () => setOfMember(set, { embedders: ['own', 'own'] }),
      refusedWith('EMBEDDER_UNKNOWN', /twice/),
    )
  })

  it('excludes its fold, but keeps one clip per identity', () => {
    const rowsOf = (leave: number) =>
      trainingRows(setOfMember(set, { fold: { leave, of: 3 } }), { noise: false })
    assert.deepEqual([...rowsOf(1).tracks], [1, 2, 4, 5, 6])
    assert.deepEqual([...rowsOf(3).tracks], [0, 1, 3, 4, 6])
    assert.deepEqual([...rowsOf(3).labels], [1, 1, 1, 1, 2])
  })
})

describe("a head's columns", () => {
  const [own, other] = features.columns
  assert.ok(own && other)

  it('are found by digest, in the order of the head', () => {
    const found = columnsForHead(features, [other, own], 'h.onnx')
    assert.deepEqual(
      found.columns.map(({ name }) => name),
      ['other', 'own'],
    )
  })

  it('of feature files match any head with the same number of values, and no other head', () => {
    const ofFiles = { ...features, columns: [{ ...own, digest: 'feature files', name: 'f.npz' }] }
    assert.equal(columnsForHead(ofFiles, [own], 'h.onnx').columns[0]?.name, 'f.npz')
    for (const wanted of [[other], [own, own]])
      assert.throws(
        () => columnsForHead(ofFiles, wanted, 'h.onnx'),
        refusedWith('HEAD_OTHER_EMBEDDER', /h\.onnx .*(own|other) .*f\.npz \(2 values\)/),
      )
  })
})

describe('scores of several heads', () => {
  /** Gives every row the same scores of noise and two identities. */
  const constant = (scores: readonly number[], inputDimension: number): Head => ({
    inputDimension,
    classCount: 3,
    run: (pooled) => {
      const rows = pooled.length / inputDimension
      return Promise.resolve({
        scores: Float32Array.from({ length: rows * 3 }, (_, i) => scores[i % 3] ?? 0),
        descriptors: pooled,
      })
    },
    dispose: () => Promise.resolve(),
  })

  it('are their weighted mean, even if their inputs differ', async () => {
    const clips = Int32Array.from({ length: 3000 }, (_, row) => row)
    const rowsOf = (dimension: number) => ({
      ...{ dimension, clips },
      pooled: new Float32Array(clips.length * dimension),
    })
    const scorer = scoreByHeads(
      [
        { head: constant([9, 1, -2], 4), rows: rowsOf(4) },
        { head: constant([9, 5, 2], 2), rows: rowsOf(2), weight: 3 },
      ],
      2,
    )
    const blocks: ScoredRows[] = []
    for await (const block of scorer.blocks()) blocks.push(block)
    assert.deepEqual(
      blocks.flatMap((block) => [...block.clips]),
      [...clips],
    )
    for (const { scores } of blocks)
      scores.forEach((score, i) => assert.ok(Math.abs(score - (i % 2 === 0 ? 4 : 1)) < 1e-6))
  })
})
