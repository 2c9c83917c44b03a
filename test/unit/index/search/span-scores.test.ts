import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { adoptRecipe, openArchive } from '../../../../index/archive/open-archive.js'
import { searchClips } from '../../../../index/search/search-clips.js'
import { encodeFloat16 } from '../../../../pipeline/data/float16.js'
import { findPack } from '../../../../pipeline/models/packs/catalog.js'
import { createRecipe, defaultSettings } from '../../../../pipeline/recipe/recipe.js'
import { temporaryDir } from '../../../support/cameo.js'
import { segmentOutput } from '../../../support/segment-output.js'

const clipId = 'c'.repeat(64)
const query = Float32Array.of(1, 0)

/** One track with a similarity of 0.8: it has two spans, with two faces in the first and none in the last. */
async function rangesOf(headSha256?: string) {
  const recipe = createRecipe(findPack('lite'), defaultSettings, headSha256)
  const archive = openArchive(temporaryDir(), { create: true })
  const spaceId = adoptRecipe(archive, recipe, { packName: 'lite' }, 2, false)
  const { rootId } = archive.files.rootFor('/clips')
  archive.files.record(rootId, 'a.mp4', { device: '1', inode: '1', sizeBytes: 9, mtimeNs: '4' }, clipId)
  const facts = { sizeBytes: 9, durationS: 20, widthPx: 640, heightPx: 480, codec: 'h264', container: 'mp4' }
  const key = { clipId, spaceId, recipe: recipe.digest, embedder: recipe.embedderDigest }
  archive.clips.plan(key, facts, 1, true)
  const output = segmentOutput(0, 1)
  const [track] = output.tracks
  const [face] = track?.faces ?? []
  assert.ok(track !== undefined && face !== undefined)
  const faceOf = (timeS: number, quality: number, x: number, y: number) => ({
    ...{ ...face, timeS, quality },
    embedding: { float16: encodeFloat16(Float32Array.of(x, y)), norm: 5 },
  })
  archive.clips.storeSegment(key, {
    ...output,
    tracks: [
      {
        ...track,
        spansS: [[0, 1], [3, 4], [6, 7]], // prettier-ignore
        descriptor: Float32Array.of(0.8, 0.6),
        // Of length 1 each: (3 · (1, 0) + 1 · (0, 1)) / √10, and (3, 4) / 5.
        faces: [faceOf(0.5, 0.75, 2, 0), faceOf(1, 0.25, 0, 3), faceOf(3, 0.5, 3, 4)],
      },
    ],
  })
  const index = { size: 1, search: () => Promise.resolve([[{ label: 1, cosineSimilarity: 0.8 }]]) }
  const { matches } = await searchClips(archive, index, query, { top: 1, minScore: 0.5 })
  archive.close()
  const [match] = matches
  assert.equal(match?.score.toFixed(6), '0.800000')
  return match.ranges.map(({ score }) => score.toFixed(3))
}

describe('the score of a range', () => {
  it('comes from the faces seen in it, pooled by quality, or from the track if none is stored', async () => {
    assert.deepEqual(await rangesOf(), [(3 / Math.sqrt(10)).toFixed(3), '0.600', '0.800'])
  })

  it('comes from the track if a head computes the descriptors', async () => {
    assert.deepEqual(await rangesOf('a'.repeat(64)), ['0.800', '0.800', '0.800'])
  })
})
