import { relative } from 'node:path'
import type { Archive } from '../../index/archive/open-archive.js'
import type { Failure, Run, SegmentKey } from '../../index/store/clip-facts.js'
import { createGroupCommit, type GroupCommit } from '../../index/store/group-commit.js'
import type { SegmentOutput, SegmentSpan } from '../../pipeline/segments/segment.js'
import type { CheckpointUpdate, StoredCheckpoint } from '../../pipeline/segments/segment-checkpoint.js'
import type { ClipPlan } from '../threads/thread-messages.js'
import { stampOf, unknownStamp } from './file-stamp.js'
import { factsOf, type ClipFile } from './ingest-jobs.js'

/** Where an ingest writes: digests of its recipe and embedder, and the descriptor space. */
export type IngestTarget = Omit<SegmentKey, 'clipId'>

/** The place of a file, as the archive stores it. */
export interface FilePlace {
  readonly rootId: number
  readonly relativePath: string
}

/**
 * The rows that one ingest reads and writes. Writes become durable in groups. After a commit fails, every
 * further write throws.
 */
export class ArchiveWriter {
  readonly #archive: Archive
  readonly #target: IngestTarget
  readonly #commits: GroupCommit
  readonly #onComplete: (clipId: string) => void

  /**
   * @param events `onError` is called when a commit fails; `onComplete` within the transaction that stores the last segment
   * of a clip
   */
  constructor(
    archive: Archive,
    target: IngestTarget,
    {
      onError,
      onComplete,
    }: Readonly<{ onError: (error: unknown) => void; onComplete: (clipId: string) => void }>,
  ) {
    this.#archive = archive
    this.#target = target
    this.#commits = createGroupCommit(archive.database, onError)
    this.#onComplete = onComplete
  }

  /** Also stores the root of the file if it is new. */
  placeOf({ folder, path }: { readonly folder: string; readonly path: string }): FilePlace {
    this.#commits.begin()
    const root = this.#archive.files.rootFor(folder)
    return { rootId: root.rootId, relativePath: relative(root.path, path) }
  }

  /** A file that is not opened yet. */
  recordFound({ rootId, relativePath }: FilePlace, sizeBytes: number): void {
    this.#commits.begin()
    this.#archive.files.recordFound(rootId, relativePath, sizeBytes)
  }

  /** A file with known content. */
  recordContent({ rootId, relativePath, stamp }: ClipFile, clipId: string): void {
    this.#commits.begin()
    this.#archive.files.record(rootId, relativePath, stamp, clipId)
  }

  /** A file that could not be read, so its content is unknown. */
  recordUnreadable({ rootId, relativePath }: FilePlace, failure: Failure, stamp = unknownStamp): void {
    this.#commits.begin()
    this.#archive.files.recordFailed(rootId, relativePath, stamp, failure)
  }

  /** `undefined` clears the failure that an earlier run stored. */
  setFailure({ rootId, relativePath }: FilePlace, failure: Failure | undefined): void {
    this.#commits.begin()
    this.#archive.files.setFailure(rootId, relativePath, failure)
  }

  /**
   * The content that an earlier run found in the file, if the file has not changed. Throws CLIP_GONE,
   * CLIP_UNREADABLE.
   */
  knownContentAt(path: string): string | undefined {
    return this.#archive.files.knownDigest(stampOf(path))
  }

  knownContentOf({ stamp }: ClipFile): string | undefined {
    return this.#archive.files.knownDigest(stamp)
  }

  /** The run of the clip with this recipe. */
  runOf(clipId: string): Run | undefined {
    return this.#archive.clips.run(this.#key(clipId))
  }

  durationOf(clipId: string): number | undefined {
    return this.#archive.clips.durationOf(clipId)
  }

  /** Deletes the damaged rows of a clip and its failed segments, so that they are processed again. */
  dropUnusable(clipId: string): void {
    this.#commits.begin()
    this.#archive.clips.dropDamaged(clipId)
    this.#archive.clips.retryGivenUp(this.#key(clipId))
  }

  storePlan(clipId: string, plan: ClipPlan, sizeBytes: number): void {
    this.#commits.begin()
    const { segments, info } = plan
    this.#archive.clips.plan(this.#key(clipId), factsOf(plan, sizeBytes), segments.length, info.cuttable)
  }

  storeSegment(clipId: string, output: SegmentOutput): void {
    this.#commits.begin()
    const state = this.#archive.clips.storeSegment(this.#key(clipId), output)
    if (state !== 'working') this.#onComplete(clipId)
  }

  storeCheckpoint(clipId: string, update: CheckpointUpdate): void {
    this.#commits.begin()
    this.#archive.checkpoints.write(this.#key(clipId), update)
  }

  checkpointOf(clipId: string, segment: number): StoredCheckpoint | undefined {
    return this.#archive.checkpoints.read(this.#key(clipId), segment)
  }

  /** Records the failure of segments of a clip that has other segments stored. */
  giveUp(clipId: string, segments: readonly SegmentSpan[], failure: Failure): void {
    this.#commits.begin()
    for (const segment of segments) {
      const state = this.#archive.clips.giveUpSegment(this.#key(clipId), segment, failure)
      if (state !== 'working') this.#onComplete(clipId)
    }
  }

  /** Deletes the plan of a clip that has no segment stored. */
  dropEmptyRun(clipId: string): void {
    this.#commits.begin()
    this.#archive.clips.dropEmptyRun(this.#key(clipId))
  }

  /** Calls `tell` when all earlier writes are durable. */
  whenDurable(tell: () => void): void {
    this.#commits.whenDurable(tell)
  }

  /** Makes all writes durable now. */
  flush(): void {
    this.#commits.flush()
  }

  /** Rolls back what is not durable yet. Later writes throw. */
  abandon(): void {
    this.#commits.abandon()
  }

  #key(clipId: string): SegmentKey {
    return { clipId, ...this.#target }
  }
}
