import type { Archive } from '../../index/archive/open-archive.js'
import { describeDamaged } from '../../index/archive/damaged-things.js'
import { summariseCoverage } from '../../index/coverage/sum-coverage.js'
import { formatTime } from '../../pipeline/common/time-text.js'
import { segmentLengthS, type Settings } from '../../pipeline/recipe/recipe.js'
import type { IngestWatcher } from '../../workers/archive/ingest-archive.js'
import type { LostClip, Repair } from '../../workers/archive/prepare-repair.js'
import type { ClipResult } from '../../workers/ingest/ingest-events.js'
import { counted, note, oneLine, print, printJson } from '../cli/output.js'
import { progressPayload, startProgress, videoFormat, type ProgressBar } from '../cli/progress.js'
import { createVideoProgress, type VideoProgress } from '../cli/video-progress.js'
import { flawsOf } from './clip-flaws.js'
import { holdsText } from './coverage-text.js'

/** Number of failures listed at the end; more are counted. */
const listedFailures = 20

/**
 * Shows an ingest: a bar with speed, faces, failures and ETA; one line per clip; the failures again at the
 * end.
 */
export class IngestReporter implements IngestWatcher {
  readonly #archive: Archive
  readonly #json: boolean
  readonly #startedMs = performance.now()
  readonly #counts = new Map<ClipResult['status'], number>()
  readonly #failures: ClipResult[] = []
  #bar: ProgressBar | undefined
  #progress: VideoProgress | undefined
  #found = 0
  #frames = 0
  #faces = 0
  #tracks = 0

  constructor(archive: Archive, json: boolean) {
    this.#archive = archive
    this.#json = json
  }

  onRepair({ files, lostClips, lostThings }: Repair): void {
    for (const lost of lostClips) this.#tellLost(lost)
    for (const thing of lostThings)
      note(`cannot be repaired by ingesting: ${describeDamaged(thing)} [ARCHIVE_DAMAGED]`)
    if (files.length + lostClips.length + lostThings.length === 0)
      note(`nothing of the archive ${this.#archive.dir} is damaged`)
  }

  onStart(settings: Settings): void {
    this.#bar = startProgress(videoFormat)
    this.#progress = createVideoProgress(() => performance.now() / 1000, segmentLengthS(settings))
  }

  onFound: IngestWatcher['onFound'] = (file) => {
    if (file.kind !== 'skipped') this.#found++
    if (file.kind === 'clip') this.#progress?.found(file.path, file.sizeBytes)
    this.#show()
  }

  onAllFound: IngestWatcher['onAllFound'] = () => this.#progress?.allFound()

  onMeasured: IngestWatcher['onMeasured'] = (path, durationS) => this.#progress?.measured(path, durationS)

  onResumed: IngestWatcher['onResumed'] = (path, startS, endS) => this.#progress?.resumed(path, startS, endS)

  onFrames: IngestWatcher['onFrames'] = (path, { count, faces, timeS }) => {
    this.#frames += count
    this.#faces += faces
    this.#progress?.reached(path, timeS)
    this.#show()
  }

  onSegment: IngestWatcher['onSegment'] = (path, { segment, tracks }) => {
    this.#tracks += tracks.length
    this.#progress?.segmentDone(path, segment.startS, segment.endS)
    this.#show()
  }

  onResult: IngestWatcher['onResult'] = (result) => {
    this.#counts.set(result.status, this.#countOf(result.status) + 1)
    this.#progress?.ended(result.path)
    if (result.status === 'failed' || result.status === 'partial') this.#failures.push(result)
    if (this.#json) printJson(result)
    else if (!process.stderr.isTTY && result.status !== 'skipped') print(formatResult(result))
    this.#show()
  }

  onGoOn = (path: string, timeS: number): void => note(`continuing ${oneLine(path)} at ${formatTime(timeS)}`)

  stop(): void {
    this.#bar?.stop()
    this.#bar = undefined
  }

  /** Reports the results of all clips; nothing if no ingest was started. */
  summarise(): void {
    if (this.#progress === undefined) return
    this.stop()
    const seconds = (performance.now() - this.#startedMs) / 1000
    const parts = (['done', 'unchanged', 'duplicate', 'partial', 'forgotten', 'failed', 'skipped'] as const)
      .filter((status) => this.#countOf(status) > 0)
      .map((status) => `${this.#countOf(status)} ${statusWords[status]}`)
    note(
      `${parts.join(', ') || 'no clips found'} in ${formatTime(seconds)}: ${counted(this.#frames, 'frame')}, ${counted(this.#faces, 'face')}, ${counted(this.#tracks, 'track')}`,
    )
    for (const failure of this.#failures.slice(0, listedFailures))
      note(`  ${oneLine(failure.path)}: ${failure.message ?? ''} [${failure.code ?? ''}]`)
    if (this.#failures.length > listedFailures)
      note(`  … and ${this.#failures.length - listedFailures} more: "cameo status --failures" lists them all`)
    note(holdsText(this.#archive.dir, this.#archive.clips.counts(), summariseCoverage(this.#archive)))
  }

  #tellLost({ clipId, path }: LostClip): void {
    const message = `the clip ${clipId.slice(0, 12)} is damaged and its file is not there: bring it back and run this again`
    if (this.#json) printJson({ path: path ?? '', clipId, status: 'failed', code: 'CLIP_GONE', message })
    note(`${oneLine(path ?? 'a clip')}: ${message} [CLIP_GONE]`)
  }

  #countOf(status: ClipResult['status']): number {
    return this.#counts.get(status) ?? 0
  }

  #show(): void {
    const [bar, progress] = [this.#bar, this.#progress]
    if (bar === undefined || progress === undefined) return
    const ended = [...this.#counts.values()].reduce((sum, count) => sum + count, 0)
    bar.show(() =>
      progressPayload(progress.now(), {
        ...{ clips: ended - this.#countOf('skipped'), found: this.#found },
        ...{ frames: this.#frames, faces: this.#faces },
        failed: this.#countOf('failed') + this.#countOf('partial'),
      }),
    )
  }
}

const statusWords: Record<ClipResult['status'], string> = {
  done: 'ingested',
  unchanged: 'unchanged',
  duplicate: 'duplicates',
  partial: 'partly ingested',
  forgotten: 'forgotten, left out',
  failed: 'failed',
  skipped: 'files skipped (no videos)',
}

/** One line for the result of a clip. */
export function formatResult(result: ClipResult): string {
  const { path, status, tracks, code, message } = result
  const detail =
    code === undefined
      ? [counted(tracks ?? 0, 'track'), ...flawsOf(result)].join(', ')
      : `${message ?? ''} [${code}]`
  return `${status.padEnd(9)} ${oneLine(path)}: ${detail}`
}
