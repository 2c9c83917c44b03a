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
  const looks = createLooks(names)
  for (const [index, clip] of clips.entries()) storeMadeClip(archive, index, clip, looks)
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

/** Adds a clip to such an archive, or processes one again. */
export const addMadeClip = (
  archive: Archive,
  index: number,
  clip: MadeClip,
  names: readonly string[],
): void => storeMadeClip(archive, index, clip, createLooks(names, 100 * (index + 1)))

type Looks = (track: MadeTrack) => Float32Array

const axis = (at: number) => Float32Array.from({ length: dimension }, (_, i) => (i === at ? 1 : 0))

/** Makes descriptors. What is left of a track's length lies on an axis that no other track has. */
function createLooks(names: readonly string[], first = 0): Looks {
  let strangers = first
  return ({ like }) => {
    const vector = axis(names.length + strangers++)
    for (const [i, name] of names.entries()) vector[i] = like[name] ?? 0
    const known = names.reduce((sum, name) => sum + (like[name] ?? 0) ** 2, 0)
    return vector.map((value, i) => (i < names.length ? value : value * Math.sqrt(Math.max(0, 1 - known))))
  }
}

function storeMadeClip(archive: Archive, index: number, clip: MadeClip, looks: Looks): void {
  const { path, tracks, writtenAt = noon, durationS = 20 } = clip
  const clipId = madeClipId(index)
  const spaceId = adoptRecipe(archive, recipe, { packName: 'lite' }, dimension, false)
  const key = { clipId, spaceId, recipe: recipe.digest, embedder: recipe.embedderDigest }
  const stamp = { device: '1', inode: path, sizeBytes: 9, mtimeNs: `${writtenAt.getTime()}000000` }
  archive.files.record(archive.files.rootFor('/films').rootId, path, stamp, clipId)
  archive.clips.plan(key, { sizeBytes: 9, durationS, widthPx: 640, heightPx: 480, codec: 'h264', container: 'mp4' }, 1, true) // prettier-ignore
  archive.clips.storeSegment(key, {
    segment: { index: 0, startS: 0, endS: durationS },
    ...{ frames: 4 * durationS, faces: 12, truncated: false, provider: 'cpu' },
    tracks: tracks.map((track, number) => trackOf(track, number, looks(track))),
  })
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
