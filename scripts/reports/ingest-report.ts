import type { Archive } from '../../index/archive/open-archive.js'
import { summariseCoverage } from '../../index/coverage/sum-coverage.js'
import type { ClipResult, IngestEvents } from '../../workers/ingest/ingest-events.js'
import { flawsOf } from './clip-flaws.js'
import { holdsText } from './coverage-text.js'
import { counted, formatTime, note, oneLine, print, printJson } from '../cli/output.js'
import { progressPayload, startProgress, videoFormat } from '../cli/progress.js'
import { createVideoProgress } from '../cli/video-progress.js'

export interface IngestReporter extends IngestEvents {
  readonly failed: number
  stop(): void
  summarise(archive: Archive): void
}

/** More failures than this are summed up, not listed. */
const listedFailures = 20

/**
 * Shows an ingest: a bar with speed, faces, failures and ETA; a line a clip; the failures again at the end.
 * @param segmentLengthS of the segments in which clips are worked on
 */
export function createIngestReporter(json: boolean, segmentLengthS: number): IngestReporter {
  const startedMs = performance.now()
  const bar = startProgress(videoFormat)
  const progress = createVideoProgress(() => performance.now() / 1000, segmentLengthS)
  const counts = new Map<ClipResult['status'], number>()
  const failures: ClipResult[] = []
  let found = 0
  let frames = 0
  let faces = 0
  let tracks = 0
  const countOf = (status: ClipResult['status']) => counts.get(status) ?? 0
  const finished = () => [...counts.values()].reduce((sum, count) => sum + count, 0) - countOf('skipped')

  const show = () =>
    bar.show(() =>
      progressPayload(progress.now(), {
        ...{ clips: finished(), found, frames, faces },
        failed: countOf('failed') + countOf('partial'),
      }),
    )

  return {
    get failed() {
      return countOf('failed') + countOf('partial')
    },
    onFound(file) {
      if (file.kind !== 'skipped') found++
      if (file.kind === 'clip') progress.found(file.path, file.sizeBytes)
      show()
    },
    onAllFound: () => progress.allFound(),
    onMeasured: (path, durationS) => progress.measured(path, durationS),
    onResumed: (path, startS, endS) => progress.resumed(path, startS, endS),
    onFrames(path, { count, faces: more, timeS }) {
      frames += count
      faces += more
      progress.reached(path, timeS)
      show()
    },
    onSegment(path, { segment, tracks: { length } }) {
      tracks += length
      progress.segmentDone(path, segment.startS, segment.endS)
      show()
    },
    onResult(result) {
      counts.set(result.status, countOf(result.status) + 1)
      progress.ended(result.path)
      if (result.status === 'failed' || result.status === 'partial') failures.push(result)
      if (json) printJson(result)
      else if (!process.stderr.isTTY && result.status !== 'skipped') print(formatResult(result))
      show()
    },
    onGoOn(path, timeS) {
      note(`going on with ${oneLine(path)} at ${formatTime(timeS)}`)
    },
    stop: () => bar.stop(),
    summarise(archive) {
      const seconds = (performance.now() - startedMs) / 1000
      const parts = (['done', 'unchanged', 'duplicate', 'partial', 'forgotten', 'failed', 'skipped'] as const)
        .filter((status) => countOf(status) > 0)
        .map((status) => `${countOf(status)} ${statusWords[status]}`)
      note(
        `${parts.join(', ') || 'no clips found'} in ${formatTime(seconds)}: ${counted(frames, 'frame')}, ${counted(faces, 'face')}, ${counted(tracks, 'track')}`,
      )
      for (const failure of failures.slice(0, listedFailures))
        note(`  ${oneLine(failure.path)}: ${failure.message ?? ''} [${failure.code ?? ''}]`)
      if (failures.length > listedFailures)
        note(`  … and ${failures.length - listedFailures} more: "cameo status --failures" lists them all`)
      note(holdsText(archive.dir, archive.clips.counts(), summariseCoverage(archive)))
    },
  }
}

const statusWords: Record<ClipResult['status'], string> = {
  done: 'ingested',
  unchanged: 'unchanged',
  duplicate: 'duplicates',
  partial: 'partly ingested',
  forgotten: 'left out as forgotten',
  failed: 'failed',
  skipped: 'files skipped (no videos)',
}

function formatResult(result: ClipResult): string {
  const { path, status, tracks, code, message } = result
  const detail =
    code === undefined
      ? [counted(tracks ?? 0, 'track'), ...flawsOf(result)].join(', ')
      : `${message ?? ''} [${code}]`
  return `${status.padEnd(9)} ${oneLine(path)}: ${detail}`
}
