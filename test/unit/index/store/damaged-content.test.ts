import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { openArchive, type Archive } from '../../../../index/archive/open-archive.js'
import { readArchiveFeatures } from '../../../../index/evaluate/datasets/archive-features.js'
import { referencesOf } from '../../../../index/identities/identities.js'
import { redescribe } from '../../../../index/archive/redescribe.js'
import { damagedClips, findDamage, type Damage } from '../../../../index/store/damage.js'
import { CameoError } from '../../../../pipeline/common/errors.js'
import { findPack } from '../../../../pipeline/models/packs/catalog.js'
import { createRecipe, defaultSettings } from '../../../../pipeline/recipe/recipe.js'
import { temporaryDir } from '../../../support/cameo.js'
import { flipStored } from '../../../support/flip.js'
import { storeClips, storedDimension } from '../../../support/stored-clips.js'

const clips = 3
const tracks = 4 * clips
const firstClip = '0'.repeat(64)

/** An archive with a flipped bit in one value, which `select` returns. */
function damagedArchive(select: string, at = 3): Archive {
  const dir = temporaryDir()
  const archive = storeClips(dir, clips)
  const value = archive.database.prepare<[], Buffer | string>(select).pluck().get()
  archive.close()
  assert.ok(value !== undefined)
  flipStored(dir, Buffer.from(value), at, 1)
  return openArchive(dir)
}

const anEmbedding = 'SELECT vector FROM embeddings ORDER BY face_id'

const describeAnew = (archive: Archive) =>
  redescribe(archive, {
    recipe: createRecipe(findPack('lite'), defaultSettings, 'a'.repeat(64)),
    headFile: '/head.onnx',
    dimension: storedDimension,
    describe: (faces) =>
      Promise.resolve(
        faces.map(() => Float32Array.from({ length: storedDimension }, (_, i) => (i === 0 ? 1 : 0))),
      ),
    signal: new AbortController().signal,
    onProgress: () => undefined,
  })

describe('an archive with a damaged embedding', () => {
  it('is evaluated without its track, reports it, and marks the clip', () => {
    const archive = damagedArchive(anEmbedding)
    const features = readArchiveFeatures(archive)
    assert.deepEqual(features.damage, [{ clipId: firstClip, trackId: 1, what: 'embeddings' }])
    assert.equal(features.trackClips.length, tracks - 1)
    assert.equal(features.clipIds.length, clips)
    assert.deepEqual(
      damagedClips(archive.database).map(({ clipId, detail }) => [clipId, detail]),
      [[firstClip, 'embeddings']],
    )
    archive.close()
  })

  it('is redescribed without its track, which stays damaged', async () => {
    const archive = damagedArchive(anEmbedding)
    const { described, damage } = await describeAnew(archive)
    assert.equal(described, tracks - 1)
    assert.deepEqual(damage, [{ clipId: firstClip, trackId: 1, what: 'embeddings' }])
    assert.deepEqual(findDamage(archive.database), damage)
    archive.close()
  })
})

describe('an archive with a damaged track', () => {
  it('is redescribed without its clip, so that no damaged row gets a valid checksum', async () => {
    const archive = damagedArchive(
      'SELECT clip_id || recipe || spans FROM tracks WHERE track_id = 1',
      2 * 64 + 3,
    )
    const { database } = archive
    const { described, damage } = await describeAnew(archive)
    assert.deepEqual(damage, [{ clipId: firstClip, trackId: 1, what: 'tracks' }])
    assert.equal(described, tracks - 1)
    assert.deepEqual(findDamage(database), damage)
    const own = archive.recipe?.digest ?? ''
    assert.equal(
      archive.clips.run({ clipId: firstClip, recipe: own }),
      undefined,
      'it is to be processed anew',
    )
    assert.equal(archive.clips.run({ clipId: '1'.repeat(64), recipe: own })?.state, 'done')
    archive.close()
  })
})

describe('a name with a damaged face', () => {
  it('cannot be searched if it has no other face; other names can', () => {
    const archive = damagedArchive("SELECT vector FROM reference_faces WHERE source = '/photos/ada.jpg'")
    const { database, recipe } = archive
    const embedder = recipe?.embedderDigest ?? ''
    const told: Damage[] = []
    const facesOf = (name: string) =>
      referencesOf(database, name, embedder, [], (damage) => told.push(damage))
    assert.throws(
      () => facesOf('Ada'),
      (error) =>
        error instanceof CameoError && error.code === 'ARCHIVE_DAMAGED' && error.message.includes('"Ada"'),
    )
    assert.deepEqual(told, [{ name: 'Ada', what: 'reference_faces' }])
    assert.equal(facesOf('Bea').length, 1)
    archive.close()
  })
})
