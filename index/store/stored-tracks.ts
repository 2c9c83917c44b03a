import { toFloat32 } from './blobs.js'
import { isWhole } from './checksum.js'
import { parseSpans } from './clip-columns.js'
import { perConnection } from './per-connection.js'
import type { Database } from './sqlite.js'

/** [start, end] of each appearance, in seconds. */
type SpansS = readonly (readonly [startS: number, endS: number])[]

/** Finished clips under a recipe, in order of their ids. */
export function finishedClips(database: Database, recipe: string): string[] {
  return database
    .prepare<[string], string>(
      "SELECT clip_id FROM runs WHERE recipe = ? AND state <> 'working' ORDER BY clip_id",
    )
    .pluck()
    .all(recipe)
}

/** The appearances of each track under a recipe. */
export function spansOfRecipe(
  database: Database,
  recipe: string,
): { readonly clipId: string; readonly spansS: SpansS }[] {
  return database
    .prepare<[string], { clipId: string; spans: string }>(
      'SELECT clip_id AS clipId, spans FROM tracks WHERE recipe = ? ORDER BY track_id',
    )
    .all(recipe)
    .map(({ clipId, spans }) => ({ clipId, spansS: parseSpans(spans) }))
}

/** A track with its descriptor. */
export interface DescribedSpans {
  readonly clipId: string
  /** L2-normalised. */
  readonly descriptor: Float32Array
  /** Quality of the best face, 0..1. */
  readonly quality: number
  readonly spansS: SpansS
}

/** A track with its descriptor in the active space. */
export interface DescribedTrack {
  readonly clipId: string
  /** L2-normalised. */
  readonly descriptor: Float32Array
  /** Quality of the best face, 0..1. */
  readonly quality: number
}

const describedTrack = perConnection((database) =>
  database.prepare<[number], { clipId: string; vector: Uint8Array; quality: number }>(
    `SELECT clip_id AS clipId, quality, vector
       FROM tracks JOIN descriptors USING (track_id) JOIN spaces USING (space_id)
      WHERE track_id = ? AND active = 1 AND ${isWhole('descriptors')} AND ${isWhole('tracks')}`,
  ),
)

/** Reads one track. Undefined if the archive does not have it, or if its rows are damaged. */
export function describedTrackReader(database: Database): (trackId: number) => DescribedTrack | undefined {
  const select = describedTrack(database)
  return (trackId) => {
    const row = select.get(trackId)
    if (row === undefined) return undefined
    const { clipId, quality, vector } = row
    return { clipId, quality, descriptor: toFloat32(vector) }
  }
}

/** Every track of an archive that has faces and a descriptor. Assumes that the archive has only one space. */
export function readDescribedSpans(database: Database): DescribedSpans[] {
  return database
    .prepare<[], { clipId: string; vector: Uint8Array; quality: number; spans: string }>(
      `SELECT clip_id AS clipId, vector, spans, max(faces.quality) AS quality
       FROM descriptors JOIN tracks USING (track_id) JOIN faces USING (track_id) GROUP BY track_id`,
    )
    .all()
    .map(({ clipId, vector, quality, spans }) => ({
      ...{ clipId, quality },
      descriptor: toFloat32(vector),
      spansS: parseSpans(spans),
    }))
}

/** Reads the JPEG of a clip's best track. Undefined if the clip has no track or the JPEG is damaged. */
export function bestThumbnailReader(database: Database): (clipId: string) => Uint8Array | undefined {
  const select = database
    .prepare<[string], Uint8Array>(
      `SELECT jpeg FROM tracks JOIN thumbnails USING (track_id)
       WHERE clip_id = ? AND ${isWhole('thumbnails')} ORDER BY quality DESC LIMIT 1`,
    )
    .pluck()
  return (clipId) => select.get(clipId)
}
