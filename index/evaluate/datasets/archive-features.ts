import { basename } from 'node:path'
import { CameoError } from '../../../pipeline/common/errors.js'
import { mirroredDigestOf } from '../../../pipeline/models/packs/encoder-file.js'
import type { Archive } from '../../archive/open-archive.js'
import { findDamagedContent, type Damage, type DamagedContent } from '../../store/damage.js'
import type { ArchiveRecipe } from '../../store/meta.js'
import { embeddingsBy, facesOfRecipe } from '../../store/stored-faces.js'
import { finishedClips } from '../../store/stored-tracks.js'
import type { FeatureColumn, FeatureSet } from '../data/feature-set.js'
import { counted, pluralOf } from '../../../pipeline/common/counted.js'

/** A feature set from an archive, with references to the archive. */
export interface ArchiveFeatures extends FeatureSet {
  readonly clipIds: readonly string[]
  readonly trackIds: readonly number[]
  /** File paths of each clip. */
  readonly paths: readonly (readonly string[])[]
  /** The damage because of which clips or tracks were skipped. */
  readonly damage: readonly Damage[]
}

export interface ReadArchiveOptions {
  /** Read the embeddings of all embedders, the pack's own first. Default: only the pack's own. */
  readonly furtherEmbedders?: boolean
  /** Also read the embeddings of mirror images, if they were stored. */
  readonly mirrored?: boolean
}

/**
 * The stored embeddings of every track under the archive's recipe, in order of clip ids. Clips without a face are
 * included, without a track. Damaged tracks and clips are skipped and reported.
 * @throws ARCHIVE_MISSING before the first ingest; ARCHIVE_DAMAGED if a face has no embedding
 */
export function readArchiveFeatures(archive: Archive, options: ReadArchiveOptions = {}): ArchiveFeatures {
  const { recipe } = archive
  if (recipe === undefined)
    throw new CameoError(
      'ARCHIVE_MISSING',
      `the archive ${archive.dir} holds no clips yet; ingest some first`,
      { details: { remedy: 'ingest-first', archive: archive.dir } },
    )
  const damaged = findDamagedContent(archive.database)
  const { faceIds, ...faces } = readFaces(archive, recipe, damaged)
  const further = (recipe.features ?? []).filter(({ kind }) => kind === 'embedder')
  const own = { digest: recipe.embedderDigest, name: recipe.packName }
  const columns = [own, ...(options.furtherEmbedders === true ? further : [])].map(
    ({ digest, name }): FeatureColumn => {
      const column = { digest, name, ...readColumn(archive, faceIds, digest) }
      if (options.mirrored !== true || recipe.settings.keepMirrored !== true) return column
      return { ...column, mirrored: readColumn(archive, faceIds, mirroredDigestOf(digest)).embeddings }
    },
  )
  return { ...faces, columns, damage: damaged.damage }
}

type Faces = Omit<ArchiveFeatures, 'columns' | 'damage'> & {
  /** Position of each face in the columns, by face id. */
  readonly faceIds: ReadonlyMap<number, number>
}

function readFaces({ database, files }: Archive, { digest }: ArchiveRecipe, damaged: DamagedContent): Faces {
  const clipIds = finishedClips(database, digest).filter((clipId) => !damaged.clipIds.has(clipId))
  const paths = clipIds.map((clipId) => files.pathsOf(clipId))
  const clipOf = new Map(clipIds.map((clipId, at) => [clipId, at]))
  const trackClips: number[] = []
  const trackIds: number[] = []
  let lastTrack: number | undefined
  const firstFace: number[] = []
  const qualities: number[] = []
  const isMainFace: number[] = []
  const faceIds = new Map<number, number>()
  /** The largest face of each frame of the clip. */
  let largest = new Map<number, { readonly face: number; readonly area: number }>()
  for (const { clipId, trackId, faceId, quality, timeS, boxXyxyPx } of facesOfRecipe(database, digest)) {
    const clip = clipOf.get(clipId)
    if (clip === undefined || damaged.trackIds.has(trackId)) continue
    const face = qualities.length
    if (lastTrack !== trackId) {
      if (trackClips.at(-1) !== clip) largest = new Map()
      lastTrack = trackId
      trackClips.push(clip)
      trackIds.push(trackId)
      firstFace.push(face)
    }
    faceIds.set(faceId, face)
    qualities.push(quality)
    const [x1, y1, x2, y2] = boxXyxyPx
    const area = (x2 - x1) * (y2 - y1)
    const other = largest.get(timeS)
    const isLargest = other === undefined || area > other.area
    isMainFace.push(isLargest ? 1 : 0)
    if (!isLargest) continue
    if (other !== undefined) isMainFace[other.face] = 0
    largest.set(timeS, { face, area })
  }
  return {
    faceIds,
    clipNames: paths.map(([path], at) => basename(path ?? clipIds[at] ?? '')),
    clipIds,
    trackIds,
    paths,
    trackClips: Int32Array.from(trackClips),
    firstFace: Int32Array.from([...firstFace, qualities.length]),
    qualities: Float32Array.from(qualities),
    isMainFace: Uint8Array.from(isMainFace),
  }
}

/** One embedder's embedding of each face. */
function readColumn(
  { database, dir }: Archive,
  faceIds: ReadonlyMap<number, number>,
  embedder: string,
): { readonly dimension: number; readonly embeddings: Uint16Array } {
  let embeddings = new Uint16Array(0)
  let dimension = 0
  let found = 0
  for (const { faceId, float16 } of embeddingsBy(database, embedder)) {
    const face = faceIds.get(faceId)
    if (face === undefined) continue
    if (found++ === 0) {
      dimension = float16.length
      embeddings = new Uint16Array(faceIds.size * dimension)
    }
    if (float16.length !== dimension)
      throw new CameoError(
        'ARCHIVE_DAMAGED',
        `the embeddings of ${dir} differ in length (${dimension}, ${float16.length}): ingest its clips again`,
      )
    embeddings.set(float16, face * dimension)
  }
  if (found < faceIds.size)
    throw new CameoError(
      'ARCHIVE_DAMAGED',
      `${faceIds.size - found} of ${counted(faceIds.size, 'face')} of ${dir} ${pluralOf(faceIds.size - found, 'has', 'have')} no embedding of ${embedder.slice(0, 12)}: ingest its clips again`,
    )
  return { dimension, embeddings }
}
