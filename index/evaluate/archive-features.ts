import { basename } from 'node:path'
import { z } from 'zod'
import { CameoError } from '../../pipeline/errors.js'
import type { Archive } from '../archive.js'
import { toUint16 } from '../store/blobs.js'
import type { FeatureSet } from './feature-set.js'

/** A feature set out of an archive, with what leads back to it. */
export interface ArchiveFeatures extends FeatureSet {
  readonly clipIds: readonly string[]
  readonly trackIds: Int32Array
  /** File paths of each clip. */
  readonly paths: readonly (readonly string[])[]
}

interface FaceRow {
  readonly clipId: string
  readonly trackId: number
  readonly quality: number
  readonly timeS: number
  readonly box: string
  readonly vector: Uint8Array
}

const boxSchema = z.tuple([z.number(), z.number(), z.number(), z.number()])

/**
 * The stored embeddings of every track of an archive's own recipe, clips in order of their content's id. Clips without a face
 * are there with their names and no track.
 * @param embedder digest; the archive's own where none is given
 * @throws ARCHIVE_MISSING where nothing was ingested, ARCHIVE_DAMAGED where vectors differ in length
 */
export function readArchiveFeatures(archive: Archive, embedder?: string): ArchiveFeatures {
  const { database, recipe } = archive
  if (recipe === undefined)
    throw new CameoError(
      'ARCHIVE_MISSING',
      `the archive ${archive.dir} holds no clips yet: run "cameo ingest" first`,
    )
  const digest = embedder ?? recipe.embedderDigest
  const clipIds = database
    .prepare<[string], string>(
      "SELECT clip_id FROM runs WHERE recipe = ? AND state <> 'working' ORDER BY clip_id",
    )
    .pluck()
    .all(recipe.digest)
  const paths = clipIds.map((clipId) => archive.files.pathsOf(clipId))
  const clipOf = new Map(clipIds.map((clipId, at) => [clipId, at]))
  const faceCount = Number(
    database
      .prepare<[string], number>('SELECT count(*) FROM embeddings WHERE embedder = ?')
      .pluck()
      .get(digest),
  )
  const select = database.prepare<[string, string], FaceRow>(
    `SELECT clip_id AS clipId, track_id AS trackId, faces.quality AS quality, time_s AS timeS, box, vector
     FROM tracks JOIN faces USING (track_id) JOIN embeddings USING (face_id)
     WHERE recipe = ? AND embedder = ? ORDER BY clip_id, track_id, faces.quality DESC, face_id`,
  )
  const trackClips: number[] = []
  const trackIds: number[] = []
  const firstFace: number[] = []
  const qualities = new Float32Array(faceCount)
  const isMainFace = new Uint8Array(faceCount)
  /** The largest face of each frame of the clip. */
  let largest = new Map<number, { readonly face: number; readonly area: number }>()
  let embeddings = new Uint16Array(0)
  let dimension = 0
  let faces = 0
  for (const { clipId, trackId, quality, timeS, box, vector } of select.iterate(recipe.digest, digest)) {
    const clip = clipOf.get(clipId)
    if (clip === undefined) continue
    const bits = toUint16(vector)
    if (faces === 0) {
      dimension = bits.length
      embeddings = new Uint16Array(faceCount * dimension)
    }
    if (bits.length !== dimension)
      throw new CameoError(
        'ARCHIVE_DAMAGED',
        `the embeddings of ${archive.dir} differ in length (${dimension}, ${bits.length})`,
      )
    if (trackIds.at(-1) !== trackId) {
      if (trackClips.at(-1) !== clip) largest = new Map()
      trackIds.push(trackId)
      trackClips.push(clip)
      firstFace.push(faces)
    }
    embeddings.set(bits, faces * dimension)
    qualities[faces] = quality
    const [x1, y1, x2, y2] = boxSchema.parse(JSON.parse(box))
    const area = (x2 - x1) * (y2 - y1)
    const other = largest.get(timeS)
    if (other === undefined || area > other.area) {
      if (other !== undefined) isMainFace[other.face] = 0
      isMainFace[faces] = 1
      largest.set(timeS, { face: faces, area })
    }
    faces++
  }
  return {
    dimension,
    embedder: digest,
    clipNames: paths.map(([path], at) => basename(path ?? clipIds[at] ?? '')),
    clipIds,
    paths,
    trackIds: Int32Array.from(trackIds),
    trackClips: Int32Array.from(trackClips),
    firstFace: Int32Array.from([...firstFace, faces]),
    embeddings: embeddings.subarray(0, faces * dimension),
    qualities: qualities.subarray(0, faces),
    isMainFace: isMainFace.subarray(0, faces),
  }
}
