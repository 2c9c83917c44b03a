import { adoptRecipe, openArchive, type Archive } from '../../index/archive/open-archive.js'
import { enroll } from '../../index/identities/identities.js'
import { encodeFloat16 } from '../../pipeline/data/float16.js'
import { findPack } from '../../pipeline/models/packs/catalog.js'
import { createRecipe, defaultSettings } from '../../pipeline/recipe/recipe.js'

const pack = findPack('lite')
const recipe = createRecipe(pack, defaultSettings)
const { dimension } = pack.embedder

/** A track that is made up: whom it shows, how alike it is to each, and when. */
export interface MadeTrack {
  /** Cosine similarity to each person's enrolled face, by name; a stranger is like nobody. */
  readonly like: Readonly<Record<string, number>>
  readonly spansS: readonly (readonly [startS: number, endS: number])[]
  readonly quality?: number
  /** Its thumbnail, for tests that search files for bytes. */
  readonly thumbnailJpeg?: Uint8Array
}

/** A clip of 20 s below /films. */
export interface MadeClip {
  readonly path: string
  readonly tracks: readonly MadeTrack[]
  /** When its file was last written. Default: 2024-05-01, noon, UTC. */
  readonly writtenAt?: Date
  readonly durationS?: number
}

const noon = new Date('2024-05-01T12:00:00Z')

/** The id of the clip that is number \`index\` of those made. */
export const madeClipId = (index: number) => `${index + 1}`.padStart(64, '0')

/** An archive in which names are enrolled with one face each, at right angles to each other, and clips in which they are seen. */
export function peopleArchive(dir: string, names: readonly string[], clips: readonly MadeClip[]): Archive {
  const archive = openArchive(dir, { create: true })
  const spaceId = adoptRecipe(archive, recipe, { packName: 'lite' }, dimension, false)
  let strangers = 0
  const axis = (at: number) => Float32Array.from({ length: dimension }, (_, i) => (i === at ? 1 : 0))
  /** What is left of its length lies on an axis that no other track has. */
  const look = ({ like }: MadeTrack) => {
    const vector = axis(names.length + strangers++)
    for (const [i, name] of names.entries()) vector[i] = like[name] ?? 0
    const known = names.reduce((sum, name) => sum + (like[name] ?? 0) ** 2, 0)
    return vector.map((value, i) => (i < names.length ? value : value * Math.sqrt(Math.max(0, 1 - known))))
  }
  const { rootId } = archive.files.rootFor('/films')
  for (const [index, { path, tracks, writtenAt = noon, durationS = 20 }] of clips.entries()) {
    const clipId = madeClipId(index)
    const key = { clipId, spaceId, recipe: recipe.digest, embedder: recipe.embedderDigest }
    const stamp = { device: '1', inode: path, sizeBytes: 9, mtimeNs: `${writtenAt.getTime()}000000` }
    archive.files.record(rootId, path, stamp, clipId)
    archive.clips.plan(key, { sizeBytes: 9, durationS, widthPx: 640, heightPx: 480, codec: 'h264', container: 'mp4' }, 1, true) // prettier-ignore
    archive.clips.storeSegment(key, {
      segment: { index: 0, startS: 0, endS: durationS },
      ...{ frames: 4 * durationS, faces: 12, truncated: false, provider: 'cpu' },
      tracks: tracks.map((track, number) => trackOf(track, number, look(track))),
    })
  }
  for (const [i, name] of names.entries())
    enroll(archive.database, name, recipe.embedderDigest, [
      {
        source: `/photos/${name}.jpg`,
        embedding: { float16: encodeFloat16(axis(i)), norm: 20 },
        quality: 0.9,
      },
    ])
  return archive
}

function trackOf(
  { spansS, quality = 0.5, thumbnailJpeg }: MadeTrack,
  number: number,
  descriptor: Float32Array,
) {
  const point = { x: 1, y: 1 }
  return {
    ...{ number, spansS, samples: 12, quality, descriptor },
    thumbnailJpeg: thumbnailJpeg ?? Uint8Array.of(0xff, 0xd8, number),
    faces: spansS.map(([timeS]) => ({
      ...{ timeS, boxXyxyPx: [10, 20, 110, 120] as const, detectionScore: 0.9, quality },
      landmarksPx: [point, point, point, point, point] as const,
      embedding: { float16: encodeFloat16(descriptor), norm: 21.5 },
    })),
  }
}

/** For use cases that need no models: a name is asked for, and nothing is decoded. */
export const quietCaller = (notices: string[] = []) => ({
  modelsDir: '/nowhere',
  notify: (notice: string) => void notices.push(notice),
  progress: () => undefined,
  ensurePack: () => Promise.reject(new Error('no models are needed')),
})
