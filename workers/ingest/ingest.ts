import { relative } from 'node:path'
import type { Archive } from '../../index/archive/open-archive.js'
import type { Run } from '../../index/store/clips.js'
import { archiveError } from '../../index/store/database.js'
import { createGroupCommit } from '../../index/store/group-commit.js'
import { clipName } from '../../pipeline/common/display-name.js'
import { CameoError } from '../../pipeline/common/errors.js'
import { segmentSpans } from '../../pipeline/segments/process-clip.js'
import { checkUnchanged, stampOf, unknownStamp } from './file-stamp.js'
import { mayExist, type FoundFile } from './find-clips.js'
import {
  damageOf,
  factsOf,
  retryOf,
  wishesFor,
  type ClipFile,
  type FoundClip,
  type Job,
  type OpenClip,
} from './ingest-jobs.js'
import { createLengthSamples } from './length-samples.js'
import type { FrameProgress, SegmentWish } from '../threads/thread-messages.js'
import type { SegmentWorker } from '../threads/segment-handle.js'
import type { SegmentOutput } from '../../pipeline/segments/segment.js'

/** What became of one file. */
export interface ClipResult {
  readonly path: string
  readonly clipId?: string
  /**
   * `done`: processed now; `unchanged`: was done before; `duplicate`: same content as another file of this run;
   * `partial`: a part had to be given up; `forgotten`: erased by its owner, not taken up again; `skipped`: no video.
   */
  readonly status: 'done' | 'unchanged' | 'duplicate' | 'partial' | 'forgotten' | 'failed' | 'skipped'
  readonly tracks?: number
  /** Time it took, s. */
  readonly seconds?: number
  /** The file is cut off: what could be decoded is kept. */
  readonly truncated?: boolean
  /** The file is damaged: so many seconds of it could not be decoded. */
  readonly damaged?: true
  readonly lostS?: number
  /** Sentences: what of the clip was not looked at. */
  readonly leftOut?: readonly string[]
  readonly code?: string
  readonly message?: string
}

export interface IngestEvents {
  onFound(file: FoundFile): void
  onAllFound(): void
  /** How long the clip at `path` is: when an earlier run knows it, a look at it tells, or it is planned. */
  onMeasured(path: string, durationS: number | undefined): void
  /** This stretch of it was looked at by an earlier run, s. */
  onResumed(path: string, startS: number, endS: number): void
  onFrames(path: string, progress: FrameProgress): void
  onSegment(path: string, output: SegmentOutput): void
  onResult(result: ClipResult, sizeBytes: number): void
  /** An earlier run was stopped within a segment, which is gone on with from that time of the clip, s. */
  onGoOn?(path: string, timeS: number): void
}

/** What a run came upon. */
export interface MetFiles {
  /** Contents. */
  readonly clipIds: ReadonlySet<string>
  /** Paths of which no content is known, because they could not be read. */
  readonly withoutClip: ReadonlySet<string>
}

export interface IngestOptions {
  readonly archive: Archive
  /** Digests of the recipe and its embedder; the space that descriptors go to. */
  readonly recipe: string
  readonly embedder: string
  readonly spaceId: number
  readonly segmentLengthS: number
  readonly workers: readonly SegmentWorker[]
  readonly files: AsyncIterable<FoundFile>
  readonly isForgotten: (clipId: string) => boolean
  readonly events: IngestEvents
  readonly signal: AbortSignal
}

/** One clip is processed, the next one is hashed and opened meanwhile: a thread never waits for its owner. */
const lanesPerWorker = 2

/**
 * Takes every found file to its result. Each worker thread does one part of a clip at a time; parts of long clips go
 * first, so that they end. Rows are written as each segment comes in: stopping at any moment loses no finished segment.
 * @throws CameoError about the archive itself (ARCHIVE_*): what was stored stays
 */
export async function ingestClips(options: IngestOptions): Promise<MetFiles> {
  const { archive, events, signal } = options
  const key = (clipId: string) => ({
    clipId,
    recipe: options.recipe,
    embedder: options.embedder,
    spaceId: options.spaceId,
  })
  const found: FoundClip[] = []
  let nextFound = 0
  let isSearching = true
  const jobs: Job[] = []
  /** Lanes of each worker that are in work. */
  const loads = new Map<SegmentWorker, number>()
  const openClips = new Map<string, OpenClip>()
  const doneNow = new Set<string>()
  const clipIds = new Set<string>()
  const withoutClip = new Set<string>()
  let fatal: Error | undefined
  let wake: () => void = () => undefined
  let changed = new Promise<void>((resolve) => (wake = resolve))

  const commits = createGroupCommit(archive.database, fail)
  const ended = new AbortController()
  const samples = createLengthSamples(
    (path, durationS) => events.onMeasured(path, durationS),
    AbortSignal.any([signal, ended.signal]),
  )

  function notify(): void {
    wake()
    changed = new Promise<void>((resolve) => (wake = resolve))
  }

  const isStopped = () => signal.aborted || fatal !== undefined

  async function search(): Promise<void> {
    for await (const file of options.files) {
      if (isStopped()) break
      events.onFound(file)
      if (file.kind === 'clip') take(file)
      else reportUnusable(file)
      notify()
    }
    isSearching = false
    events.onAllFound()
    notify()
  }

  /** Noted at once: an ingest that is stopped before it comes to a file leaves it known as not looked at. */
  function take(file: FoundClip): void {
    commits.begin()
    const root = archive.files.rootFor(file.folder)
    archive.files.recordFound(root.rootId, relative(root.path, file.path), file.sizeBytes)
    found.push(file)
    tellLength(file)
  }

  /** What an earlier run knows of a file, before it is opened: how long it is, and that nothing of it is left. */
  function tellLength({ path, sizeBytes }: FoundClip): void {
    const clipId = knownClipAt(path)
    const durationS = clipId === undefined ? undefined : archive.clips.durationOf(clipId)
    events.onMeasured(path, durationS)
    // Those in front are opened at once.
    const isFar = found.length - nextFound > options.workers.length * lanesPerWorker
    if (durationS === undefined && isFar) samples.offer(path, sizeBytes)
    if (clipId === undefined) return
    if (archive.clips.run(key(clipId))?.state === 'done') events.onResumed(path, 0, durationS ?? 0)
  }

  function knownClipAt(path: string): string | undefined {
    try {
      return archive.files.knownDigest(stampOf(path))
    } catch {
      return undefined // It is told when it is opened.
    }
  }

  function reportUnusable(file: Exclude<FoundFile, FoundClip>): void {
    if (file.kind === 'skipped') {
      const message = `${clipName(file.path)} is no video by its name and first bytes; to try it all the same, name the file itself`
      tell({ path: file.path, status: 'skipped', code: 'CLIP_NOT_VIDEO', message }, 0)
      return
    }
    const { code, message } = file.error
    commits.begin()
    const root = archive.files.rootFor(file.folder)
    const relativePath = relative(root.path, file.path)
    withoutClip.add(file.path)
    // A mistyped path is no file of the archive; of a known one it is noted that it is gone.
    if (code === 'CLIP_GONE' && !mayExist(file.path))
      archive.files.setFailure(root.rootId, relativePath, { code, message })
    else archive.files.recordFailed(root.rootId, relativePath, unknownStamp, { code, message })
    tell({ path: file.path, status: 'failed', code, message }, 0)
  }

  async function lane(worker: SegmentWorker): Promise<void> {
    while (!isStopped()) {
      const work = isLeastLoaded(worker) ? nextWork(worker) : undefined
      if (work !== undefined) {
        loads.set(worker, loadOf(worker) + 1)
        notify()
        await work()
        loads.set(worker, loadOf(worker) - 1)
        notify()
      } else if (isAllDone()) return
      else await changed
    }
  }

  /** What is in work may still bring jobs: a clip is planned only when it is hashed and open. */
  const isAllDone = () =>
    !isSearching &&
    nextFound === found.length &&
    jobs.length === 0 &&
    options.workers.every((worker) => loadOf(worker) === 0)

  const loadOf = (worker: SegmentWorker) => loads.get(worker) ?? 0

  /** A busy worker opens the next clip in advance, but not while another has nothing to do. */
  const isLeastLoaded = (worker: SegmentWorker) =>
    options.workers.every((other) => loadOf(worker) <= loadOf(other))

  function nextWork(worker: SegmentWorker): (() => Promise<void>) | undefined {
    const job = jobs.shift()
    if (job !== undefined) return () => runJob(worker, job)
    const file = found[nextFound]
    if (file === undefined) return undefined
    nextFound++
    return () => openFile(worker, file)
  }

  async function openFile(worker: SegmentWorker, found: FoundClip): Promise<void> {
    const startedMs = performance.now()
    commits.begin()
    const root = archive.files.rootFor(found.folder)
    const at = {
      found,
      path: found.path,
      rootId: root.rootId,
      relativePath: relative(root.path, found.path),
      startedMs,
    }
    let file: ClipFile = { ...at, stamp: unknownStamp }
    let clipId: string
    try {
      file = { ...at, stamp: stampOf(found.path) }
      clipId = archive.files.knownDigest(file.stamp) ?? (await hashOf(worker, file))
    } catch (error) {
      if (!(error instanceof CameoError) || error.code === 'INTERRUPTED') {
        if (!signal.aborted) throw error
        return
      }
      withoutClip.add(file.path)
      commits.begin()
      archive.files.recordFailed(file.rootId, file.relativePath, file.stamp, error)
      report(file, undefined, { status: 'failed', failure: error })
      return
    }
    commits.begin()
    archive.files.record(file.rootId, file.relativePath, file.stamp, clipId)
    clipIds.add(clipId)
    await takeUp(worker, file, clipId)
  }

  async function hashOf(worker: SegmentWorker, file: ClipFile): Promise<string> {
    if (file.stamp.sizeBytes === 0)
      throw new CameoError(
        'CLIP_EMPTY',
        `${clipName(file.path)} is empty (0 bytes): copy it again from its source`,
      )
    const digest = await worker.hash(file.path)
    checkUnchanged(file)
    return digest
  }

  async function takeUp(worker: SegmentWorker, file: ClipFile, clipId: string): Promise<void> {
    if (options.isForgotten(clipId)) {
      report(file, clipId, { status: 'forgotten' })
      return
    }
    const other = openClips.get(clipId)
    if (other !== undefined) {
      other.duplicates.push(file)
      return
    }
    archive.clips.dropDamaged(clipId)
    archive.clips.retryGivenUp(key(clipId))
    const run = archive.clips.run(key(clipId))
    if (run?.state === 'done') {
      report(file, clipId, { status: doneNow.has(clipId) ? 'duplicate' : 'unchanged', run })
      return
    }
    const clip: OpenClip = {
      ...{ clipId, file, duplicates: [], jobs: 0, givenUp: [] },
      failure: undefined,
    }
    openClips.set(clipId, clip)
    if (run === undefined) enqueue(clip, [{ kind: 'open' }])
    else {
      events.onMeasured(file.path, archive.clips.durationOf(clipId))
      const spans = segmentSpans(run.segments, options.segmentLengthS)
      for (const { index, startS, endS } of spans)
        if (run.stored.has(index)) events.onResumed(file.path, startS, endS)
      const missing = spans.filter(({ index }) => !run.stored.has(index))
      enqueue(clip, wishesFor(missing, run.cuttable))
    }
    const next = jobs.shift()
    if (next !== undefined) await runJob(worker, next)
  }

  function enqueue(clip: OpenClip, wishes: readonly SegmentWish[]): void {
    clip.jobs += wishes.length
    for (const wish of wishes) jobs.push({ clip, wish, attempt: 1 })
    notify()
  }

  async function runJob(worker: SegmentWorker, job: Job): Promise<void> {
    const { clip, wish } = job
    let left = wish.kind === 'open' ? [] : [...wish.segments]
    try {
      if (clip.failure?.code === 'CLIP_CHANGED') throw clip.failure
      await worker.process(clip.file.path, withCheckpoint(clip, wish), {
        onPlan(plan) {
          checkUnchanged(clip.file)
          commits.begin()
          archive.clips.plan(
            key(clip.clipId),
            factsOf(plan, clip.file.stamp.sizeBytes),
            plan.segments.length,
            plan.info.cuttable,
          )
          events.onMeasured(clip.file.path, plan.info.durationS)
          left = plan.segments.slice(0, plan.taken)
          enqueue(clip, wishesFor(plan.segments.slice(plan.taken), true))
        },
        onSegment(output) {
          checkUnchanged(clip.file)
          commits.begin()
          archive.clips.storeSegment(key(clip.clipId), output)
          left = left.filter(({ index }) => index !== output.segment.index)
          events.onSegment(clip.file.path, output)
        },
        onFrames: (progress) => events.onFrames(clip.file.path, progress),
        onCheckpoint(update) {
          checkUnchanged(clip.file)
          commits.begin()
          archive.checkpoints.write(key(clip.clipId), update)
        },
        onResume(segment, timeS) {
          events.onResumed(clip.file.path, segment * options.segmentLengthS, timeS)
          events.onGoOn?.(clip.file.path, timeS)
        },
      })
    } catch (error) {
      if (!(error instanceof CameoError)) throw error
      if (signal.aborted || error.code === 'INTERRUPTED') return
      if (error.code.startsWith('ARCHIVE_')) throw error
      const again = retryOf(job, left, error)
      if (again !== undefined) {
        jobs.push(again)
        notify()
        return
      }
      clip.failure ??= error
      for (const segment of left) clip.givenUp.push(segment)
    }
    clip.jobs--
    if (clip.jobs === 0) close(clip)
  }

  /** What an earlier run, or an earlier attempt of this one, left of the first segment. */
  function withCheckpoint({ clipId }: OpenClip, wish: SegmentWish): SegmentWish {
    if (wish.kind === 'open') return wish
    const [first] = wish.segments
    return { ...wish, resume: first && archive.checkpoints.read(key(clipId), first.index) }
  }

  function close(clip: OpenClip): void {
    const { clipId, failure } = clip
    commits.begin()
    // A changed file says nothing against its old content, which may lie elsewhere.
    if (failure !== undefined && failure.code !== 'CLIP_CHANGED' && hasStored(clipId))
      for (const segment of clip.givenUp) archive.clips.giveUpSegment(key(clipId), segment, failure)
    archive.clips.dropEmptyRun(key(clipId))
    const run = archive.clips.run(key(clipId))
    const state = run?.state === 'done' || run?.state === 'partial' ? run.state : 'failed'
    openClips.delete(clipId)
    if (state === 'done') doneNow.add(clipId)
    const outcome = { run, failure }
    report(clip.file, clipId, { status: state, ...outcome })
    if (failure?.code === 'CLIP_CHANGED' || failure?.code === 'CLIP_GONE') {
      // The others still hold the content: the next of them is taken up in its place.
      for (const file of clip.duplicates) found.push(file.found)
    } else
      for (const file of clip.duplicates)
        report(file, clipId, {
          status: state === 'done' ? 'duplicate' : state,
          ...outcome,
          failure: failure === undefined ? undefined : asDuplicate(file, clip.file, failure),
        })
    notify()
  }

  const hasStored = (clipId: string) => (archive.clips.run(key(clipId))?.stored.size ?? 0) > 0

  function report(
    file: ClipFile,
    clipId: string | undefined,
    outcome: {
      readonly status: ClipResult['status']
      readonly run?: Run | undefined
      readonly failure?: CameoError | undefined
    },
  ): void {
    const { status, run, failure } = outcome
    commits.begin()
    archive.files.setFailure(file.rootId, file.relativePath, failure)
    const result: ClipResult = {
      path: file.path,
      ...(clipId === undefined ? {} : { clipId }),
      status,
      ...(run === undefined || status === 'failed' ? {} : { tracks: run.tracks }),
      seconds: Math.round(performance.now() - file.startedMs) / 1000,
      ...(run?.truncated === true ? { truncated: true } : {}),
      ...damageOf(run?.lostS),
      ...(run === undefined || run.leftOut.length === 0 ? {} : { leftOut: run.leftOut }),
      ...(failure === undefined ? {} : { code: failure.code, message: failure.message }),
    }
    tell(result, file.stamp.sizeBytes)
  }

  /** A result is told when it is durable. */
  function tell(result: ClipResult, sizeBytes: number): void {
    commits.whenDurable(() => events.onResult(result, sizeBytes))
  }

  const stopWorkers = () => {
    for (const worker of options.workers) worker.abort()
    notify()
  }
  signal.addEventListener('abort', stopWorkers)
  function fail(error: unknown): void {
    fatal ??= archiveError(archive.dir, error) ?? (error instanceof Error ? error : new Error(String(error)))
    commits.abandon()
    stopWorkers()
  }
  try {
    const lanes = options.workers.flatMap((worker) =>
      Array.from({ length: lanesPerWorker }, () => lane(worker)),
    )
    await Promise.all([search(), ...lanes].map((work) => work.catch(fail)))
    if (fatal === undefined) commits.flush()
  } catch (error) {
    fail(error)
  } finally {
    signal.removeEventListener('abort', stopWorkers)
    ended.abort()
    await samples.finished()
  }
  if (fatal !== undefined) throw fatal
  return { clipIds, withoutClip }
}

/** What failed with one file, said of another of the same content. */
function asDuplicate(file: ClipFile, processed: ClipFile, { code, message }: CameoError): CameoError {
  return new CameoError(
    code,
    `${clipName(file.path)} has the content of ${clipName(processed.path)}: ${message}`,
  )
}
