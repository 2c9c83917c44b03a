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

/** Clips with their segments and tracks. The rows of a segment are written in one transaction. */
export interface ClipStore {
  /** Records the facts of a clip and fixes the number of its segments. Segments that are already stored stay. */
  plan(key: RunKey, facts: ClipFacts, segments: number, cuttable: boolean): void
  run(key: RunKey): Run | undefined
  /** True if the rows of the segment are stored. False if it failed. */
  hasSegment(key: RunKey, segment: number): boolean
  /**
   * Replaces all rows of the segment. Completes the run if this was the last missing segment. Returns the state of
   * the run.
   */
  storeSegment(key: SegmentKey, output: SegmentOutput): RunState
  /** Records that a segment failed. The run ends as `partial`. */
  giveUpSegment(key: RunKey, segment: SegmentSpan, failure: Failure): RunState
  /** In seconds. Undefined if it is not known. */
  durationOf(clipId: string): number | undefined
  /** The failure of the first failed segment. Undefined if none failed. */
  failureOf(key: RunKey): Failure | undefined
  /** The stretches of the stored segments that could not be decoded, in order, in seconds. */
  gapsOf(key: RunKey): readonly (readonly [startS: number, endS: number])[]
  /** Deletes the records of failed segments, so that they are tried again. */
  retryGivenUp(key: RunKey): void
  /** Deletes a run without stored segments. Deletes the clip too if it has no other run. */
  dropEmptyRun(key: RunKey): void
  /**
   * Deletes a run if all its segments failed, and the clip too if it has no other run. Returns true if it deleted the
   * run.
   */
  dropFailedRun(key: RunKey): boolean
  /** Deletes a clip that is marked as damaged or has damaged rows of its own, so that it is processed again. */
  dropDamaged(clipId: string): void
  /** Deletes clips without a path: another file has replaced their last one. */
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

/** Checks the count before a list of this length is created. */
function checkSegmentCount(clipId: string, { segments }: StoredRun): void {
  if (Number.isInteger(segments) && segments >= 1 && segments <= maxSegments) return
  throw new CameoError(
    'ARCHIVE_DAMAGED',
    `in the archive, the clip ${clipId.slice(0, 12)} has ${segments} segments, but 1 to ${maxSegments} are possible; forget the clip, then ingest it again`,
    { details: { remedy: 'forget-clip', clipId } },
  )
}
