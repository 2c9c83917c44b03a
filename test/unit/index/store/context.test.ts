import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { adoptRecipe, openArchive, type Archive } from '../../../../index/archive/open-archive.js'
import { forgetClip } from '../../../../index/identities/forget.js'
import { contextFeaturesOf } from '../../../../index/store/context.js'
import { schemaVersion } from '../../../../index/store/schema.js'
import { encodeFloat16 } from '../../../../pipeline/data/float16.js'
import { CameoError } from '../../../../pipeline/common/errors.js'
import { defaultSettings, type Recipe } from '../../../../pipeline/recipe/recipe.js'
import { temporaryDir } from '../../../support/cameo.js'
import { bringBackTo } from '../../../support/old-archive.js'
import type { SegmentOutput } from '../../../../pipeline/segments/segment.js'

const facts = { sizeBytes: 9, durationS: 20, widthPx: 64, heightPx: 48, codec: 'h264', container: 'mp4' }

/** A segment without a face. */
function output(index: number, contexts: Readonly<Record<string, readonly number[]>>): SegmentOutput {
  return {
    segment: { index, startS: index * 10, endS: (index + 1) * 10 },
    ...{ tracks: [], frames: 40, faces: 0, truncated: false, provider: 'cpu' },
    contexts: Object.entries(contexts).map(([encoder, vector]) => ({
      encoder,
      frames: 10 + index,
      float16: encodeFloat16(Float32Array.from(vector)),
    })),
  }
}

const keyOf = (clipId: string, recipe = 'r') => ({ clipId, recipe, embedder: 'e', spaceId: 1 })

function emptyArchive(): Archive {
  return openArchive(temporaryDir(), { create: true })
}

const read = ({ database }: Archive, encoder: string) =>
  [...contextFeaturesOf(database, encoder)].map(({ clipId, segment, frames, vector }) => [
    ...[clipId, segment, frames],
    [...vector],
  ])

const halves = (...values: readonly number[]) => [...encodeFloat16(Float32Array.from(values))]

const rowCount = ({ database }: Archive) =>
  database.prepare<[], number>('SELECT count(*) FROM context_features').pluck().get()

describe('context features in the store', () => {
  it('are read per encoder by clip and segment, for finished clips', () => {
    const archive = emptyArchive()
    for (const clipId of ['b', 'a', 'c']) archive.clips.plan(keyOf(clipId), facts, 2, true)
    for (const [clipId, segment] of [
      ['b', 1],
      ['b', 0],
      ['a', 0],
      ['a', 1],
      ['c', 0],
    ] as const)
      archive.clips.storeSegment(keyOf(clipId), output(segment, { one: [segment, 0.5], two: [7] }))
    assert.deepEqual(read(archive, 'one'), [
      ['a', 0, 10, halves(0, 0.5)],
      ['a', 1, 11, halves(1, 0.5)],
      ['b', 0, 10, halves(0, 0.5)],
      ['b', 1, 11, halves(1, 0.5)],
    ])
    assert.equal(read(archive, 'two').length, 4)
    assert.deepEqual(read(archive, 'three'), [])
    archive.close()
  })

  it('of a segment are deleted when it is written again or fails', () => {
    const archive = emptyArchive()
    archive.clips.plan(keyOf('a'), facts, 1, true)
    archive.clips.storeSegment(keyOf('a'), output(0, { one: [1], two: [2] }))
    archive.clips.storeSegment(keyOf('a'), output(0, { one: [3] }))
    assert.deepEqual(read(archive, 'one'), [['a', 0, 10, halves(3)]])
    assert.deepEqual(read(archive, 'two'), [])
    const failure = new CameoError('CLIP_DECODE_FAILED', 'broken')
    archive.clips.giveUpSegment(keyOf('a'), { index: 0, startS: 0, endS: 10 }, failure)
    assert.equal(rowCount(archive), 0)
    archive.close()
  })

  it('of another recipe are deleted when the new run is complete, and count until then', () => {
    const archive = emptyArchive()
    archive.clips.plan(keyOf('a'), facts, 1, true)
    archive.clips.storeSegment(keyOf('a'), output(0, { one: [1] }))
    archive.clips.plan(keyOf('a', 'new'), facts, 2, true)
    archive.clips.storeSegment(keyOf('a', 'new'), output(0, { one: [2] }))
    assert.deepEqual(read(archive, 'one'), [['a', 0, 10, halves(1)]])
    archive.clips.storeSegment(keyOf('a', 'new'), output(1, { one: [3] }))
    assert.deepEqual(read(archive, 'one'), [
      ['a', 0, 10, halves(2)],
      ['a', 1, 11, halves(3)],
    ])
    assert.equal(rowCount(archive), 2)
    archive.close()
  })

  it('are deleted with a forgotten clip', () => {
    const archive = emptyArchive()
    for (const clipId of ['a', 'b']) {
      archive.clips.plan(keyOf(clipId), facts, 1, true)
      archive.clips.storeSegment(keyOf(clipId), output(0, { one: [1] }))
    }
    forgetClip(archive.database, 'a')
    assert.deepEqual(read(archive, 'one'), [['b', 0, 10, halves(1)]])
    assert.equal(rowCount(archive), 1)
    archive.close()
  })

  it('are added when an archive of schema 2 is upgraded, and its clips stay', () => {
    const archive = emptyArchive()
    archive.clips.plan(keyOf('a'), facts, 1, true)
    archive.clips.storeSegment(keyOf('a'), output(0, {}))
    archive.close()
    bringBackTo(2, archive.dir)
    const opened = openArchive(archive.dir)
    assert.equal(opened.database.pragma('user_version', { simple: true }), schemaVersion)
    assert.equal(opened.clips.run(keyOf('a'))?.state, 'done')
    opened.clips.storeSegment(keyOf('a'), output(0, { one: [1] }))
    assert.equal(rowCount(opened), 1)
    forgetClip(opened.database, 'a')
    assert.equal(rowCount(opened), 0, 'the new table hangs on the runs')
    opened.close()
  })
})

describe('the archive’s recipe', () => {
  const digest = (letter: string) => letter.repeat(64)
  const features: Recipe['features'] = [
    { kind: 'embedder', digest: digest('a'), name: 'second', dimension: 128 },
    { kind: 'context', digest: digest('b'), name: 'scene', dimension: 512 },
  ]
  const recipe: Recipe = {
    ...{ digest: digest('1'), embedderDigest: digest('2'), spaceDigest: digest('3'), packName: 'lite' },
    settings: defaultSettings,
    features,
  }

  it('lists the digest, name, dimension and file of each further kind of vector', () => {
    const archive = emptyArchive()
    const encoderFiles = new Map([[digest('a'), '/models/second.json']])
    adoptRecipe(archive, recipe, { packName: 'lite', encoderFiles }, 512, false)
    assert.deepEqual(archive.recipe?.features, [
      { ...features[0], source: '/models/second.json' },
      features[1],
    ])
    archive.close()
  })

  it('has no such list without further vectors, and another recipe is refused with its differences', () => {
    const archive = emptyArchive()
    adoptRecipe(archive, { ...recipe, features: undefined }, { packName: 'lite' }, 512, false)
    assert.ok(archive.recipe !== undefined && !('features' in archive.recipe))
    assert.throws(
      () => adoptRecipe(archive, { ...recipe, digest: digest('4') }, { packName: 'lite' }, 512, false),
      (error) =>
        error instanceof CameoError &&
        error.code === 'ARCHIVE_OTHER_RECIPE' &&
        error.message.includes('embedder second (128 values, aaaaaaaaaaaa)'),
    )
    archive.close()
  })
})
