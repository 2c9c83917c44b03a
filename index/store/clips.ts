import { CameoError } from '../../pipeline/common/errors.js'
import { maxSegments } from '../../pipeline/common/limits.js'
import type { SegmentOutput, SegmentSpan } from '../../pipeline/segments/segment.js'
import type { ClipFacts, Failure, Run, RunKey, RunState, SegmentKey } from './clip-facts.js'
import { ClipRows } from './clip-rows.js'
import { RunRows, type StoredRun } from './run-rows.js'
import { SegmentRows } from './segment-rows.js'
import type { Database } from './sqlite.js'
import { TrackRows } from './track-rows.js'
import { inTransaction } from './transaction.js'

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

/** Statements are prepared once for the connection. */
export function createClipStore(database: Database): ClipStore {
  const clips = new ClipRows(database)
  const runs = new RunRows(database)
  const segments = new SegmentRows(database)
  const tracks = new TrackRows(database)

  const complete = (key: RunKey): RunState => {
    if (!runs.complete(key)) return 'working'
    runs.deleteOthers(key)
    return runs.get(key)?.state ?? 'done'
  }
  const dropRun = (key: RunKey) => {
    runs.delete(key)
    clips.deleteWithoutRun(key.clipId)
  }

  return {
    plan: (key, facts, count, cuttable) =>
      inTransaction(database, () => {
        clips.put(key.clipId, facts)
        runs.add(key, count, cuttable)
      }),
    run(key) {
      const run = runs.get(key)
      if (run === undefined) return undefined
      checkSegmentCount(key.clipId, run)
      return {
        ...run,
        ...segments.progressOf(key),
        tracks: tracks.count(key),
        leftOut: clips.leftOutOf(key.clipId),
      }
    },
    storeSegment: (key, output) =>
      inTransaction(database, () => {
        tracks.deleteSegment(key, output.segment.index)
        tracks.addSegment(key, output)
        segments.putDone(key, output)
        return complete(key)
      }),
    giveUpSegment: (key, segment, failure) =>
      inTransaction(database, () => {
        tracks.deleteSegment(key, segment.index)
        segments.putFailed(key, segment, failure)
        return complete(key)
      }),
    durationOf: (clipId) => clips.durationOf(clipId),
    gapsOf: (key) => segments.gapsOf(key),
    failureOf: (key) => segments.firstFailure(key),
    retryGivenUp: (key) =>
      inTransaction(database, () => {
        if (segments.deleteFailed(key)) runs.reopen(key)
      }),
    dropEmptyRun: (key) =>
      inTransaction(database, () => {
        if (segments.stored(key).length === 0) dropRun(key)
      }),
    hasSegment: (key, segment) => segments.isDone(key, segment),
    dropFailedRun: (key) =>
      inTransaction(database, () => {
        if (runs.get(key)?.state !== 'partial' || segments.countDone(key) > 0) return false
        dropRun(key)
        return true
      }),
    dropDamaged: (clipId) =>
      inTransaction(database, () => {
        if (clips.isDamaged(clipId)) clips.deleteWithRuns(clipId)
      }),
    dropWithoutPath: () => clips.deleteWithoutPath(),
    counts: () => runs.counts(),
  }
}

/** A list is made of them. */
function checkSegmentCount(clipId: string, { segments }: StoredRun): void {
  if (Number.isInteger(segments) && segments >= 1 && segments <= maxSegments) return
  throw new CameoError(
    'ARCHIVE_DAMAGED',
    `the archive says that the clip ${clipId.slice(0, 12)} has ${segments} segments, where it can have 1 to ${maxSegments}; forget the clip, then ingest it again`,
    { details: { remedy: 'forget-clip', clipId } },
  )
}
