import { adoptRecipe, openArchive, type Archive } from '../../index/archive/open-archive.js'
import { inTransaction } from '../../index/store/transaction.js'
import { poolEmbeddings } from '../../pipeline/describe/pool.js'
import { encodeFloat16 } from '../../pipeline/data/float16.js'
import { gaussian, seededRandom } from '../../pipeline/common/seeded-random.js'
import { defaultPackName, findPack } from '../../pipeline/models/packs/catalog.js'
import type { TrackFace } from '../../pipeline/segments/track-face.js'
import { createRecipe, defaultSettings } from '../../pipeline/recipe/recipe.js'
import type { TrackOutput } from '../../pipeline/segments/segment.js'
import { l2Norm } from '../../pipeline/data/vector-math.js'

export interface ArchiveSize {
  readonly clips: number
  readonly tracksPerClip: number
  readonly facesPerTrack: number
}

/** Number of clips stored in one transaction. */
const clipsAtOnce = 200

/** Size of the table that embeddings are cut out of. */
const tableSize = 1 << 18

const point = { x: 50, y: 50 }

/** Fills a new archive with synthetic embeddings, as an ingest with the default models would. */
export function fillArchive(dir: string, { clips, tracksPerClip, facesPerTrack }: ArchiveSize): void {
  const archive = openArchive(dir, { create: true })
  try {
    const pack = findPack(defaultPackName)
    const recipe = createRecipe(pack, defaultSettings)
    const { dimension } = pack.embedder
    const spaceId = adoptRecipe(archive, recipe, { packName: defaultPackName }, dimension, false)
    const track = createTracks(dimension, facesPerTrack)
    const of = { recipe: recipe.digest, embedder: recipe.embedderDigest, spaceId }
    const store = (clip: number) => {
      const tracks = Array.from({ length: tracksPerClip }, (_, number) => track(number))
      storeClip(archive, { clipId: clip.toString(16).padStart(64, '0'), ...of }, tracks)
    }
    for (let from = 0; from < clips; from += clipsAtOnce)
      inTransaction(archive.database, () => {
        for (let clip = from; clip < Math.min(clips, from + clipsAtOnce); clip++) store(clip)
      })
  } finally {
    archive.close()
  }
}

function storeClip(
  { clips }: Archive,
  key: Parameters<Archive['clips']['storeSegment']>[0],
  tracks: readonly TrackOutput[],
): void {
  const facts = { sizeBytes: 1, durationS: 10, widthPx: 640, heightPx: 360, codec: 'h264', container: 'mp4' }
  clips.plan(key, facts, 1, true)
  clips.storeSegment(key, {
    segment: { index: 0, startS: 0, endS: 10 },
    tracks,
    ...{ frames: 40, faces: 40, truncated: false, provider: 'cpu' },
  })
}

function createTracks(dimension: number, faces: number): (number: number) => TrackOutput {
  const random = seededRandom(1)
  const normals = Float32Array.from({ length: tableSize + dimension }, () => gaussian(random))
  const slice = () => {
    const from = Math.floor(random() * tableSize)
    return normals.subarray(from, from + dimension)
  }
  const faceOf = (centre: Float32Array, timeS: number): TrackFace => {
    const scatter = slice()
    const vector = centre.map((value, i) => value + 0.5 * (scatter[i] ?? 0))
    return {
      timeS,
      boxXyxyPx: [10, 10, 90, 110],
      landmarksPx: [point, point, point, point, point],
      detectionScore: 0.9,
      quality: random(),
      embedding: { float16: encodeFloat16(vector), norm: l2Norm(vector) },
    }
  }
  return (number) => {
    const centre = slice()
    const ofTrack = Array.from({ length: faces }, (_, k) => faceOf(centre, k))
    return {
      number,
      spansS: [[0, 10]],
      samples: 40,
      quality: Math.max(...ofTrack.map(({ quality }) => quality)),
      faces: ofTrack,
      descriptor: poolEmbeddings(
        ofTrack.map(({ embedding, quality }) => ({ float16: embedding.float16, quality })),
        dimension,
      ),
      thumbnailJpeg: new Uint8Array(4000),
    }
  }
}
