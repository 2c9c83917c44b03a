import type { SegmentOutput, TrackOutput } from '../../pipeline/segments/segment.js'
import type { TrackFace } from '../../pipeline/segments/track-face.js'
import { toBlob } from './blobs.js'
import type { RunKey, SegmentKey } from './clip-facts.js'
import type { Database } from './sqlite.js'

/** A track without faces, thumbnail and descriptor. */
export type BareTrack = Pick<TrackOutput, 'number' | 'spansS' | 'samples' | 'quality'>

/** The rows of `tracks` and all rows that depend on a segment's tracks. Statements are prepared once. */
export class TrackRows {
  readonly #count
  readonly #insertTrack
  readonly #insertFace
  readonly #insertEmbedding
  readonly #insertThumbnail
  readonly #insertDescriptor
  readonly #insertContext
  readonly #deletes

  constructor(database: Database) {
    this.#count = database
      .prepare<[string, string], number>('SELECT count(*) FROM tracks WHERE clip_id = ? AND recipe = ?')
      .pluck()
    this.#insertTrack = database.prepare(
      `INSERT INTO tracks (clip_id, recipe, segment, number, spans, samples, quality, provider)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
    )
    this.#insertFace = database.prepare(
      'INSERT INTO faces (track_id, time_s, box, landmarks, detection_score, quality) VALUES (?, ?, ?, ?, ?, ?)',
    )
    this.#insertEmbedding = database.prepare(
      'INSERT INTO embeddings (face_id, embedder, norm, vector) VALUES (?, ?, ?, ?)',
    )
    this.#insertThumbnail = database.prepare('INSERT INTO thumbnails (track_id, jpeg) VALUES (?, ?)')
    this.#insertDescriptor = database.prepare(
      'INSERT INTO descriptors (space_id, track_id, vector) VALUES (?, ?, ?)',
    )
    this.#insertContext = database.prepare(
      'INSERT INTO context_features (clip_id, recipe, segment, encoder, frames, vector) VALUES (?, ?, ?, ?, ?, ?)',
    )
    this.#deletes = ['tracks', 'context_features', 'checkpoints'].map((table) =>
      database.prepare<[string, string, number]>(
        `DELETE FROM ${table} WHERE clip_id = ? AND recipe = ? AND segment = ?`,
      ),
    )
  }

  /** Number of tracks of a run. */
  count({ clipId, recipe }: RunKey): number {
    return this.#count.get(clipId, recipe) ?? 0
  }

  /**
   * Deletes the rows of a segment's earlier pass: tracks with their dependent rows, context features, and
   * checkpoints.
   */
  deleteSegment({ clipId, recipe }: RunKey, segment: number): void {
    for (const statement of this.#deletes) statement.run(clipId, recipe, segment)
  }

  /** Writes a segment's tracks and context features. */
  addSegment(key: SegmentKey, { segment, tracks, contexts = [], provider }: SegmentOutput): void {
    for (const track of tracks) this.#addTrack(key, { segment: segment.index, provider }, track)
    for (const { encoder, frames, float16 } of contexts)
      this.#insertContext.run(key.clipId, key.recipe, segment.index, encoder, frames, toBlob(float16))
  }

  /** Writes only the row of a track. Returns its id. */
  addBare(
    { clipId, recipe }: RunKey,
    { segment, provider }: { readonly segment: number; readonly provider: string },
    { number, spansS, samples, quality }: BareTrack,
  ): number {
    const about = [number, JSON.stringify(spansS), samples, quality, provider]
    return Number(this.#insertTrack.run(clipId, recipe, segment, ...about).lastInsertRowid)
  }

  #addTrack(
    key: SegmentKey,
    of: { readonly segment: number; readonly provider: string },
    track: TrackOutput,
  ): void {
    const trackId = this.addBare(key, of, track)
    for (const face of track.faces) this.#addFace(trackId, key.embedder, face)
    this.#insertThumbnail.run(trackId, track.thumbnailJpeg)
    this.#insertDescriptor.run(key.spaceId, trackId, toBlob(track.descriptor))
  }

  #addFace(trackId: number, embedder: string, face: TrackFace): void {
    const faceId = this.#insertFace.run(
      trackId,
      face.timeS,
      JSON.stringify(face.boxXyxyPx.map(roundPx)),
      JSON.stringify(face.landmarksPx.map(({ x, y }) => [roundPx(x), roundPx(y)])),
      face.detectionScore,
      face.quality,
    ).lastInsertRowid
    for (const { embedder: by, norm, float16 } of [
      { embedder, ...face.embedding },
      ...(face.extraEmbeddings ?? []),
    ])
      this.#insertEmbedding.run(faceId, by, norm, toBlob(float16))
  }
}

/** A hundredth of a pixel is finer than the precision of any detector. */
const roundPx = (value: number) => Math.round(value * 100) / 100
