import { z } from 'zod'
import { CameoError } from '../../pipeline/common/errors.js'
import { maxSegments } from '../../pipeline/common/limits.js'
import { toBlob } from './blobs.js'
import { isWhole } from './checksum.js'
import type { Database } from './sqlite.js'
import { rowCountSql } from './schema.js'
import type { SegmentOutput, SegmentSpan, TrackOutput } from '../../pipeline/segments/segment.js'

export interface ClipFacts {
  readonly sizeBytes: number
  readonly durationS: number | undefined
  readonly widthPx: number
  readonly heightPx: number
  readonly codec: string
  readonly container: string
  /** Sentences: what of it is not looked at. */
  readonly leftOut?: readonly string[] | undefined
}

export type RunState = 'working' | 'done' | 'partial'

export interface Run {
  readonly segments: number
  readonly cuttable: boolean
  readonly state: RunState
  readonly truncated: boolean
  /** Of the segments stored so far. */
  readonly stored: ReadonlySet<number>
  readonly tracks: number
  /** Looked at, and found in them. */
  readonly frames: number
  readonly faces: number
  /** What of these segments could not be decoded, s. */
  readonly lostS: number
  /** Sentences: what of the clip is not looked at. */
  readonly leftOut: readonly string[]
}

/** The recipe under which a segment's rows are written. */
export interface RunKey {
  readonly clipId: string
  readonly recipe: string
}

/** And what its embeddings and descriptors are of. */
export interface SegmentKey extends RunKey {
  readonly embedder: string
  readonly spaceId: number
}

export interface Failure {
  readonly code: string
  readonly message: string
}

/** Clips, their segments and tracks: each segment's rows are written in one transaction. */
export interface ClipStore {
  /** Records what is known of a clip now, and fixes the number of its segments; what is stored of them already stays. */
  plan(key: RunKey, facts: ClipFacts, segments: number, cuttable: boolean): void
  run(key: RunKey): Run | undefined
  /** True where the segment's rows are written; false also where it was given up. */
  hasSegment(key: RunKey, segment: number): boolean
  /** Replaces all rows of the segment; completes the run when it was the last one missing. Returns its state. */
  storeSegment(key: SegmentKey, output: SegmentOutput): RunState
  /** Gives a segment up; the run ends as `partial`. */
  giveUpSegment(key: RunKey, segment: SegmentSpan, failure: Failure): RunState
  /** s; undefined where it is not known. */
  durationOf(clipId: string): number | undefined
  /** Why the first of the segments that were given up was; undefined where none was. */
  failureOf(key: RunKey): Failure | undefined
  /** What of the segments stored so far could not be decoded, in order, s. */
  gapsOf(key: RunKey): readonly (readonly [startS: number, endS: number])[]
  /** Forgets which segments were given up, so that they are tried again. */
  retryGivenUp(key: RunKey): void
  /** Drops a run of which nothing was stored, and the clip with it where it has no other. */
  dropEmptyRun(key: RunKey): void
  /** Drops a run whose every segment was given up, likewise. Returns whether it was such. */
  dropFailedRun(key: RunKey): boolean
  /** Drops a clip that is noted as damaged, or whose own rows are, so that it is processed anew. */
  dropDamaged(clipId: string): void
  /** Drops clips whose content lies nowhere any more: another took the place of their last file. */
  dropWithoutPath(): void
  counts(): {
    readonly clips: number
    readonly tracks: number
    readonly partial: number
  }
}

export function createClipStore(database: Database): ClipStore {
  const insertClip = database.prepare(
    `INSERT INTO clips (clip_id, size_bytes, duration_s, width_px, height_px, codec, container, added_at, left_out)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (clip_id) DO UPDATE SET duration_s = excluded.duration_s, width_px = excluded.width_px,
       height_px = excluded.height_px, codec = excluded.codec, left_out = excluded.left_out`,
  )
  const insertRun = database.prepare(
    `INSERT INTO runs (clip_id, recipe, segments, cuttable, state) VALUES (?, ?, ?, ?, 'working')
     ON CONFLICT DO NOTHING`,
  )
  const selectRun = database.prepare<
    [string, string],
    { segments: number; cuttable: number; state: RunState; truncated: number }
  >('SELECT segments, cuttable, state, truncated FROM runs WHERE clip_id = ? AND recipe = ?')
  const selectGaps = database
    .prepare<[string, string], string>(
      'SELECT gaps FROM segments WHERE clip_id = ? AND recipe = ? AND gaps IS NOT NULL ORDER BY segment',
    )
    .pluck()
  const selectLeftOut = database
    .prepare<[string], string | null>('SELECT left_out FROM clips WHERE clip_id = ?')
    .pluck()
  const selectStored = database
    .prepare<[string, string], number>('SELECT segment FROM segments WHERE clip_id = ? AND recipe = ?')
    .pluck()
  const selectHasSegment = database
    .prepare<[string, string, number], number>(
      `SELECT count(*) FROM segments WHERE clip_id = ? AND recipe = ? AND segment = ? AND state = 'done'`,
    )
    .pluck()
  const selectDoneCount = database
    .prepare<[string, string], number>(
      `SELECT count(*) FROM segments WHERE clip_id = ? AND recipe = ? AND state = 'done'`,
    )
    .pluck()
  const selectFailure = database.prepare<[string, string], Failure>(
    `SELECT code, message FROM segments WHERE clip_id = ? AND recipe = ? AND state = 'failed'
     ORDER BY segment LIMIT 1`,
  )
  const selectDuration = database
    .prepare<[string], number | null>('SELECT duration_s FROM clips WHERE clip_id = ?')
    .pluck()
  const selectLookedAt = database.prepare<[string, string], { frames: number; faces: number }>(
    `SELECT coalesce(sum(frames), 0) AS frames, coalesce(sum(faces), 0) AS faces FROM segments
     WHERE clip_id = ? AND recipe = ?`,
  )
  const selectTrackCount = database
    .prepare<[string, string], number>('SELECT count(*) FROM tracks WHERE clip_id = ? AND recipe = ?')
    .pluck()
  const deleteContexts = database.prepare<[string, string, number]>(
    'DELETE FROM context_features WHERE clip_id = ? AND recipe = ? AND segment = ?',
  )
  const insertContext = database.prepare(
    'INSERT INTO context_features (clip_id, recipe, segment, encoder, frames, vector) VALUES (?, ?, ?, ?, ?, ?)',
  )
  const deleteCheckpoint = database.prepare<[string, string, number]>(
    'DELETE FROM checkpoints WHERE clip_id = ? AND recipe = ? AND segment = ?',
  )
  const deleteTracks = database.prepare<[string, string, number]>(
    'DELETE FROM tracks WHERE clip_id = ? AND recipe = ? AND segment = ?',
  )
  const upsertSegment = database.prepare(
    `INSERT OR REPLACE INTO segments
     (clip_id, recipe, segment, start_s, end_s, state, frames, faces, truncated, code, message, gaps)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  )
  const countRows = database.prepare<[string, string, number]>(
    `UPDATE segments SET row_count = ${rowCountSql} WHERE clip_id = ? AND recipe = ? AND segment = ?`,
  )
  const insertTrack = database.prepare(
    `INSERT INTO tracks (clip_id, recipe, segment, number, spans, samples, quality, provider)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
  )
  const insertFace = database.prepare(
    'INSERT INTO faces (track_id, time_s, box, landmarks, detection_score, quality) VALUES (?, ?, ?, ?, ?, ?)',
  )
  const insertEmbedding = database.prepare(
    'INSERT INTO embeddings (face_id, embedder, norm, vector) VALUES (?, ?, ?, ?)',
  )
  const insertThumbnail = database.prepare('INSERT INTO thumbnails (track_id, jpeg) VALUES (?, ?)')
  const insertDescriptor = database.prepare(
    'INSERT INTO descriptors (space_id, track_id, vector) VALUES (?, ?, ?)',
  )
  const completeRun = database.prepare(
    `UPDATE runs SET
       state = CASE WHEN EXISTS (SELECT 1 FROM segments s WHERE s.clip_id = runs.clip_id AND s.recipe = runs.recipe
         AND s.state = 'failed') THEN 'partial' ELSE 'done' END,
       truncated = EXISTS (SELECT 1 FROM segments s WHERE s.clip_id = runs.clip_id AND s.recipe = runs.recipe
         AND s.truncated)
     WHERE clip_id = ? AND recipe = ?
       AND segments = (SELECT count(*) FROM segments s WHERE s.clip_id = runs.clip_id AND s.recipe = runs.recipe)`,
  )
  const deleteOtherRuns = database.prepare<[string, string]>(
    'DELETE FROM runs WHERE clip_id = ? AND recipe <> ?',
  )
  const deleteGivenUp = database.prepare<[string, string]>(
    `DELETE FROM segments WHERE clip_id = ? AND recipe = ? AND state = 'failed'`,
  )
  const reopenRun = database.prepare<[string, string]>(
    `UPDATE runs SET state = 'working' WHERE clip_id = ? AND recipe = ?`,
  )

  const deleteRun = database.prepare<[string, string]>('DELETE FROM runs WHERE clip_id = ? AND recipe = ?')
  const deleteClipWithoutRun = database.prepare<[string]>(
    'DELETE FROM clips WHERE clip_id = ? AND NOT EXISTS (SELECT 1 FROM runs WHERE runs.clip_id = clips.clip_id)',
  )
  const selectDamaged = database.prepare<{ readonly clipId: string }>(
    `SELECT 1 FROM damaged_clips WHERE clip_id = @clipId
     ${(['clips', 'runs', 'segments'] as const).map((table) => `UNION ALL SELECT 1 FROM ${table} WHERE clip_id = @clipId AND NOT ${isWhole(table)}`).join(' ')}`,
  )
  const deleteWithoutPath = database.prepare<[]>(
    'DELETE FROM clips WHERE NOT EXISTS (SELECT 1 FROM paths WHERE paths.clip_id = clips.clip_id)',
  )

  function storeTrack(key: SegmentKey, output: SegmentOutput, track: TrackOutput) {
    const trackId = insertTrack.run(
      key.clipId,
      key.recipe,
      output.segment.index,
      track.number,
      JSON.stringify(track.spansS),
      track.samples,
      track.quality,
      output.provider,
    ).lastInsertRowid
    for (const face of track.faces) {
      const faceId = insertFace.run(
        trackId,
        face.timeS,
        JSON.stringify(face.boxXyxyPx.map(roundPx)),
        JSON.stringify(face.landmarksPx.map(({ x, y }) => [roundPx(x), roundPx(y)])),
        face.detectionScore,
        face.quality,
      ).lastInsertRowid
      insertEmbedding.run(faceId, key.embedder, face.embedding.norm, toBlob(face.embedding.float16))
      for (const { embedder, norm, float16 } of face.extraEmbeddings ?? [])
        insertEmbedding.run(faceId, embedder, norm, toBlob(float16))
    }
    insertThumbnail.run(trackId, track.thumbnailJpeg)
    insertDescriptor.run(key.spaceId, trackId, toBlob(track.descriptor))
  }

  function deleteRows({ clipId, recipe }: RunKey, segment: number): void {
    deleteTracks.run(clipId, recipe, segment)
    deleteContexts.run(clipId, recipe, segment)
    deleteCheckpoint.run(clipId, recipe, segment)
  }

  const gapsOf = ({ clipId, recipe }: RunKey) => selectGaps.all(clipId, recipe).flatMap(parseGaps)

  function complete({ clipId, recipe }: RunKey): RunState {
    if (completeRun.run(clipId, recipe).changes === 0) return 'working'
    deleteOtherRuns.run(clipId, recipe)
    return selectRun.get(clipId, recipe)?.state ?? 'done'
  }

  return {
    plan: database.transaction((key: RunKey, facts: ClipFacts, segments: number, cuttable: boolean) => {
      const { sizeBytes, durationS = null, widthPx, heightPx, codec, container, leftOut = [] } = facts
      const now = new Date().toISOString()
      const about = [sizeBytes, durationS, widthPx, heightPx, codec, container, now]
      insertClip.run(key.clipId, ...about, leftOut.length === 0 ? null : JSON.stringify(leftOut))
      insertRun.run(key.clipId, key.recipe, segments, cuttable ? 1 : 0)
    }),
    run({ clipId, recipe }) {
      const run = selectRun.get(clipId, recipe)
      if (run === undefined) return undefined
      // A list is made of them.
      if (!Number.isInteger(run.segments) || run.segments < 1 || run.segments > maxSegments)
        throw new CameoError(
          'ARCHIVE_DAMAGED',
          `the archive says that the clip ${clipId.slice(0, 12)} has ${run.segments} segments, where it can have 1 to ${maxSegments}; forget the clip, then ingest it again`,
          { details: { remedy: 'forget-clip', clipId } },
        )
      return {
        ...run,
        cuttable: run.cuttable !== 0,
        truncated: run.truncated !== 0,
        stored: new Set(selectStored.all(clipId, recipe)),
        tracks: selectTrackCount.get(clipId, recipe) ?? 0,
        ...(selectLookedAt.get(clipId, recipe) ?? { frames: 0, faces: 0 }),
        lostS: gapsOf({ clipId, recipe }).reduce((sum, [startS, endS]) => sum + endS - startS, 0),
        leftOut: parseLeftOut(selectLeftOut.get(clipId) ?? null),
      }
    },
    storeSegment: database.transaction((key: SegmentKey, output: SegmentOutput) => {
      const { index, startS, endS } = output.segment
      deleteRows(key, index)
      for (const track of output.tracks) storeTrack(key, output, track)
      for (const { encoder, frames, float16 } of output.contexts ?? [])
        insertContext.run(key.clipId, key.recipe, index, encoder, frames, toBlob(float16))
      const end = Number.isFinite(endS) ? endS : null
      const truncated = output.truncated ? 1 : 0
      upsertSegment.run(
        key.clipId,
        key.recipe,
        index,
        startS,
        end,
        'done',
        output.frames,
        output.faces,
        truncated,
        null,
        null,
        output.gapsS === undefined ? null : JSON.stringify(output.gapsS),
      )
      countRows.run(key.clipId, key.recipe, index)
      return complete(key)
    }),
    giveUpSegment: database.transaction((key: RunKey, segment: SegmentSpan, { code, message }: Failure) => {
      const { index, startS, endS } = segment
      deleteRows(key, index)
      const end = Number.isFinite(endS) ? endS : null
      upsertSegment.run(key.clipId, key.recipe, index, startS, end, 'failed', 0, 0, 0, code, message, null)
      return complete(key)
    }),
    durationOf: (clipId) => selectDuration.get(clipId) ?? undefined,
    gapsOf,
    failureOf: ({ clipId, recipe }) => selectFailure.get(clipId, recipe),
    retryGivenUp: database.transaction(({ clipId, recipe }: RunKey) => {
      if (deleteGivenUp.run(clipId, recipe).changes > 0) reopenRun.run(clipId, recipe)
    }),
    dropEmptyRun: database.transaction(({ clipId, recipe }: RunKey) => {
      if (selectStored.all(clipId, recipe).length > 0) return
      deleteRun.run(clipId, recipe)
      deleteClipWithoutRun.run(clipId)
    }),
    hasSegment: ({ clipId, recipe }, segment) => (selectHasSegment.get(clipId, recipe, segment) ?? 0) > 0,
    dropFailedRun: database.transaction(({ clipId, recipe }: RunKey) => {
      const state = selectRun.get(clipId, recipe)?.state
      if (state !== 'partial' || (selectDoneCount.get(clipId, recipe) ?? 0) > 0) return false
      deleteRun.run(clipId, recipe)
      deleteClipWithoutRun.run(clipId)
      return true
    }),
    dropDamaged: database.transaction((clipId: string) => {
      if (selectDamaged.get({ clipId }) === undefined) return
      // One by one: what refers to the next may be what is lost.
      for (const table of ['runs', 'clips', 'damaged_clips'])
        database.prepare(`DELETE FROM ${table} WHERE clip_id = ?`).run(clipId)
    }),
    dropWithoutPath() {
      deleteWithoutPath.run()
    },
    counts() {
      const counts = database
        .prepare<[], { clips: number; tracks: number; partial: number }>(
          `SELECT (SELECT count(DISTINCT clip_id) FROM runs WHERE state <> 'working') AS clips,
             (SELECT count(*) FROM tracks) AS tracks,
             (SELECT count(*) FROM runs WHERE state = 'partial') AS partial`,
        )
        .get()
      return counts ?? { clips: 0, tracks: 0, partial: 0 }
    },
  }
}

const gapsSchema = z.array(z.tuple([z.number(), z.number()]))
const leftOutSchema = z.array(z.string())

/** The column `gaps` of a segment, s. */
const parseGaps = (column: string) => gapsSchema.parse(JSON.parse(column))

/** The column `left_out` of a clip. */
const parseLeftOut = (column: string | null) =>
  column === null ? [] : leftOutSchema.parse(JSON.parse(column))

/** A hundredth of a pixel is more than any detector knows. */
const roundPx = (value: number) => Math.round(value * 100) / 100
