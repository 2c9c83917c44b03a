import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { openArchive } from '../../../../index/archive/open-archive.js'
import { readArchiveRecipe, writeMeta } from '../../../../index/store/meta.js'
import { readFeatureArrays } from '../../../../index/evaluate/formats/feature-arrays.js'
import { readEnsemble } from '../../../../index/evaluate/ladder/ensemble.js'
import { headSettingsSchema } from '../../../../pipeline/training/train-head.js'
import { maxSegments } from '../../../../pipeline/common/limits.js'
import { findPack } from '../../../../pipeline/models/packs/catalog.js'
import { readEncoderFile } from '../../../../pipeline/models/packs/encoder-file.js'
import { parsePack, readPackFile } from '../../../../pipeline/models/packs/pack.js'
import { createRecipe, defaultSettings, settingsSchema } from '../../../../pipeline/recipe/recipe.js'
import { temporaryDir } from '../../../support/cameo.js'
import { floatNpy, npy, textNpy } from '../../../support/npy.js'
import { zipOf } from '../../../support/zip.js'
import { refusedWith } from '../../../support/refused-with.js'

const dir = temporaryDir()

function written(name: string, content: string | Uint8Array): string {
  const path = join(dir, name)
  writeFileSync(path, content)
  return path
}

describe('numbers that decide how much memory is allocated', () => {
  it('reports an archive as damaged if a clip claims a billion segments', () => {
    const { clips, database } = openArchive(join(dir, 'archive'), { create: true })
    const key = { clipId: 'c'.repeat(64), recipe: 'r' }
    const facts = { sizeBytes: 9, durationS: 20, widthPx: 64, heightPx: 48, codec: 'h264', container: 'mp4' }
    clips.plan(key, facts, maxSegments, true)
    assert.equal(clips.run(key)?.segments, maxSegments)
    for (const segments of [1e9, maxSegments + 1, 0, -1, 1.5]) {
      database.prepare('UPDATE runs SET segments = ?').run(segments)
      assert.throws(() => clips.run(key), refusedWith('ARCHIVE_DAMAGED', /cccccccccccc has .* 1 to 43200/))
    }
  })

  it('reports an archive as damaged if its settings are out of bounds', () => {
    const { database } = openArchive(join(dir, 'settings'), { create: true })
    const { digest, embedderDigest, spaceDigest, packName } = createRecipe(findPack('lite'), defaultSettings)
    for (const settings of [
      { ...defaultSettings, segmentS: 1e300 },
      { ...defaultSettings, sampling: { kind: 'fps', fps: 1e-300 } },
      { ...defaultSettings, facesPerTrack: 1e9 },
    ]) {
      assert.equal(settingsSchema.safeParse(settings).success, false)
      const recipe = { digest, embedderDigest, spaceDigest, packName, settings }
      writeMeta(database, 'recipe', JSON.stringify(recipe))
      assert.throws(
        () => readArchiveRecipe(database),
        refusedWith('ARCHIVE_DAMAGED', /recipe cannot be read/),
      )
    }
  })

  it('refuses a NumPy array with a shape larger than its file, before memory is allocated', async () => {
    const few = new Uint8Array(64)
    const names = textNpy(['a'])
    for (const shape of [
      [1e9, 1e6],
      [4e9, 1],
      [5, 4],
    ]) {
      writeFileSync(join(dir, 'many.names.txt'), 'a\n')
      const lone = written('many.npy', npy('<f4', shape, few))
      const zipped = written(
        'many.npz',
        zipOf({ 'features.npy': npy('<f4', shape, few), 'names.npy': names }),
      )
      await assert.rejects(readFeatureArrays(lone), refusedWith('FEATURES_INVALID', /many\.npy/))
      await assert.rejects(readFeatureArrays(zipped), refusedWith('FEATURES_INVALID', /array "features"/))
    }
    const right = written(
      'right.npz',
      zipOf({ 'features.npy': floatNpy([1, 2], [1, 2]), 'names.npy': names }),
    )
    assert.equal((await readFeatureArrays(right)).dimension, 2)
  })

  it('refuses a pack or an encoder with absurd sizes, and names the field', async () => {
    const lite = findPack('lite')
    const { detector, embedder } = lite
    for (const [changes, field] of [
      [{ embedder: { ...embedder, dimension: 1e9 } }, /embedder\.dimension/],
      [{ detector: { ...detector, input: { ...detector.input, widthPx: 1e6 } } }, /detector\.input\.widthPx/],
    ] as const)
      assert.throws(() => parsePack({ ...lite, ...changes }, 'mine.json'), refusedWith('PACK_INVALID', field))
    const { input } = embedder
    const encoder = { kind: 'embedder', name: 'own', file: 'own.onnx', dimension: 1e9, input }
    const file = written('own.json', JSON.stringify({ ...encoder, input: { ...input, heightPx: 1e9 } }))
    await assert.rejects(readEncoderFile(file), refusedWith('ENCODER_INVALID', /dimension[^]*heightPx/))
  })

  it('refuses a JSON file that is a device or has many megabytes', async () => {
    const huge = written('huge.json', ' '.repeat((1 << 20) + 1))
    const settings = headSettingsSchema.parse({})
    for (const [path, said] of [
      [huge, /huge\.json.*1048577 bytes; at most 1048576 are allowed/],
      ['/dev/zero', /it is not a file/],
    ] as const) {
      assert.throws(() => readPackFile(path), refusedWith('PACK_INVALID', said))
      await assert.rejects(readEncoderFile(path), refusedWith('ENCODER_INVALID', said))
      assert.throws(() => readEnsemble(path, settings), refusedWith('ENSEMBLE_INVALID', said))
    }
  })
})
