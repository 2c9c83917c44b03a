import { adoptRecipe, openArchive, type Archive } from '../../index/archive/open-archive.js'
import { enroll } from '../../index/identities/identities.js'
import { encodeFloat16 } from '../../pipeline/data/float16.js'
import { findPack } from '../../pipeline/models/packs/catalog.js'
import { createRecipe, defaultSettings } from '../../pipeline/recipe/recipe.js'
import { seededRandom } from './random.js'
import type { SegmentOutput } from '../../pipeline/segments/segment.js'

export const storedDimension = 64
const recipe = createRecipe(findPack('lite'), defaultSettings)
const stamp = { device: '1', inode: '2', sizeBytes: 9, mtimeNs: '4' }
const facts = { sizeBytes: 9, durationS: 20, widthPx: 640, heightPx: 480, codec: 'h264', container: 'mp4' }
const people = 3

/** The key of a clip and its recipe, as `storeSegment` takes it. */
export const keyOf = (clipId: string, spaceId: number) => ({
  ...{ clipId, spaceId, recipe: recipe.digest, embedder: recipe.embedderDigest },
})

/**
 * An archive of synthetic clips with two segments each and three people. The first person is enrolled as
 * "Ada".
 */
export function storeClips(dir: string, clips: number): Archive {
  const archive = openArchive(dir, { create: true })
  const spaceId = adoptRecipe(archive, recipe, { packName: 'lite' }, storedDimension, false)
  const random = seededRandom(12)
  const faces = Array.from({ length: people }, () => direction(random))
  const { rootId } = archive.files.rootFor('/clips')
  for (let clip = 0; clip < clips; clip++) {
    const clipId = `${clip}`.repeat(64).slice(0, 64)
    archive.files.record(rootId, `${clip}.mp4`, { ...stamp, inode: `${clip}` }, clipId)
    archive.clips.plan(keyOf(clipId, spaceId), facts, 2, true)
    for (const segment of [0, 1])
      archive.clips.storeSegment(
        keyOf(clipId, spaceId),
        segmentOf(segment, () => near(faces[clip % people]!, random)),
      )
  }
  const vector = encodeFloat16(faces[0]!)
  enroll(archive.database, 'Ada', recipe.embedderDigest, [
    { source: '/photos/ada.jpg', embedding: { float16: vector, norm: 20 }, quality: 0.9 },
  ])
  enroll(archive.database, 'Bea', recipe.embedderDigest, [
    { source: '/photos/bea.jpg', embedding: { float16: encodeFloat16(faces[1]!), norm: 20 }, quality: 0.9 },
  ])
  return archive
}

/** @param look the person's descriptor at each appearance */
function segmentOf(index: number, look: () => Float32Array): SegmentOutput {
  const startS = index * 10
  return {
    segment: { index, startS, endS: startS + 10 },
    ...{ frames: 40, faces: 12, truncated: false, provider: 'cpu' },
    tracks: [0, 1].map((number) => ({
      number,
      spansS: [[startS + 4 * number, startS + 4 * number + 2]],
      ...{ samples: 12, quality: 0.5, descriptor: look() },
      thumbnailJpeg: Uint8Array.from({ length: 700 }, (_, i) => (i * (number + 7)) % 251),
      faces: [0.25, 0.75].map((quality) => ({
        timeS: startS + 4 * number + quality,
        boxXyxyPx: [10, 20, 110.5, 120],
        landmarksPx: [
          { x: 1, y: 1 },
          { x: 2, y: 1 },
          { x: 1, y: 2 },
          { x: 1, y: 3 },
          { x: 2, y: 3 },
        ],
        ...{ detectionScore: 0.9, quality, embedding: { float16: encodeFloat16(look()), norm: 21.5 } },
      })),
    })),
  }
}

const direction = (random: () => number) =>
  unit(Float32Array.from({ length: storedDimension }, () => random() - 0.5))

const near = (face: Float32Array, random: () => number) =>
  unit(face.map((value) => value + 0.05 * (random() - 0.5)))

function unit(vector: Float32Array): Float32Array {
  const length = Math.hypot(...vector)
  return vector.map((value) => value / length)
}
