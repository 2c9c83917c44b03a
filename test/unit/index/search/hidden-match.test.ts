import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { adoptRecipe, openArchive } from '../../../../index/archive/open-archive.js'
import { hiddenMatchOf } from '../../../../index/search/hidden-match.js'
import { searchClips } from '../../../../index/search/search-clips.js'
import type { SearchOptions } from '../../../../index/search/search-options.js'
import { encodeFloat16 } from '../../../../pipeline/data/float16.js'
import { findPack } from '../../../../pipeline/models/packs/catalog.js'
import { createRecipe, defaultSettings } from '../../../../pipeline/recipe/recipe.js'
import { temporaryDir } from '../../../support/cameo.js'
import { segmentOutput } from '../../../support/segment-output.js'

/** Three dimensions. The last one tells how much of a face is hidden; a face counts as hidden from 0.5 on. */
const hiddenFaces = { weights: [0, 0, 20], bias: -10, threshold: 0.7 }
const [seen, hidden] = [Float32Array.of(0.6, 0.8, 0), Float32Array.of(0.64, 0.48, 0.6)]
const query = { seen: Float32Array.of(1, 0, 0), hidden: Float32Array.of(0.6, 0, 0.8) }

describe('two partly hidden faces', () => {
  const ofQuery = (descriptor: Float32Array, wish = {}, recipe = {}) =>
    hiddenMatchOf(recipe, { hiddenFaces }, descriptor, wish)

  it('have a special threshold only if the query is hidden, no threshold is given, and there is no head', () => {
    assert.equal(ofQuery(query.seen), undefined)
    assert.equal(ofQuery(query.hidden, { minScore: 0.3 }), undefined)
    assert.equal(ofQuery(query.hidden, {}, { headFile: 'head.onnx' }), undefined)
    assert.equal(hiddenMatchOf({}, {}, query.hidden, {}), undefined)
    const match = ofQuery(query.hidden)
    assert.deepEqual([match?.threshold, match?.isHidden(seen), match?.isHidden(hidden)], [0.7, false, true])
  })

  it('match from a special threshold on, and are weak below it', async () => {
    const archive = openArchive(temporaryDir(), { create: true })
    const recipe = createRecipe(findPack('lite'), defaultSettings)
    const spaceId = adoptRecipe(archive, recipe, { packName: 'lite' }, 3, false)
    const { rootId } = archive.files.rootFor('/clips')
    // Similarities to the hidden query: 0.64 and 0.6. The second one is also hidden.
    const tracks = [Float32Array.of(0.8, 0.6, 0.2), Float32Array.of(0.2, 0.77, 0.6)]
    for (const [number, descriptor] of tracks.entries()) {
      const clipId = `${number}`.repeat(64)
      const version = { device: '1', inode: `${number}`, sizeBytes: 9, mtimeNs: '4' }
      archive.files.record(rootId, `${number}.mp4`, version, clipId)
      const key = { clipId, spaceId, recipe: recipe.digest, embedder: recipe.embedderDigest }
      const facts = {
        sizeBytes: 9,
        durationS: 20,
        widthPx: 64,
        heightPx: 48,
        codec: 'h264',
        container: 'mp4',
      }
      archive.clips.plan(key, facts, 1, true)
      const output = segmentOutput(0, 1)
      const faces = output.tracks.flatMap((track) => track.faces).slice(0, 1)
      archive.clips.storeSegment(key, {
        ...output,
        tracks: output.tracks.slice(0, 1).map((track) => ({
          ...track,
          descriptor,
          faces: faces.map((face) => ({
            ...face,
            embedding: { float16: encodeFloat16(descriptor), norm: 5 },
          })),
        })),
      })
    }
    const answer = async (options: Partial<SearchOptions>) => {
      const neighbours = tracks
        .map((descriptor, i) => ({
          label: i + 1,
          cosineSimilarity: descriptor.reduce((sum, x, k) => sum + x * (query.hidden[k] ?? 0), 0),
        }))
        .sort((a, b) => b.cosineSimilarity - a.cosineSimilarity)
      const index = { size: 2, search: () => Promise.resolve([neighbours]) }
      const { matches, weak } = await searchClips(archive, index, query.hidden, {
        top: 9,
        minScore: 0.55,
        ...options,
      })
      return [matches, weak].map((clips) => clips.map(({ clipId }) => clipId[0]).join(''))
    }
    assert.deepEqual(await answer({}), ['01', ''])
    const match = ofQuery(query.hidden)
    assert.deepEqual(await answer({ hidden: match }), ['0', ''])
    assert.deepEqual(await answer({ hidden: match, weakScore: 0.5 }), ['0', '1'])
    assert.deepEqual(await answer({ hidden: match && { ...match, threshold: 0.58 } }), ['01', ''])
    archive.close()
  })
})
