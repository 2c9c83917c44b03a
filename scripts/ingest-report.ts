import type { Archive } from '../index/archive.js'
import type { ClipResult, IngestEvents } from '../workers/ingest.js'
import { flawsOf } from './clip-flaws.js'
import { counted, formatTime, note, oneLine, print, printJson } from './output.js'
import { startProgress } from './progress.js'

export interface IngestReporter extends IngestEvents {
  readonly failed: number
  stop(): void
  summarise(archive: Archive): void
}

/** More failures than this are summed up, not listed. */
const listedFailures = 20

/** Shows an ingest: a bar with speed, faces, failures and ETA; a line a clip; the failures again at the end. */
export function createIngestReporter(json: boolean): IngestReporter {
  const startedMs = performance.now()
  const bar = startProgress(
    '{bar} {percentage}% | {clips}/{found} clips | {speed} clips/s | {frames} frames | {faces} faces | {failed} failed | ETA {left}',
  )
  const counts = new Map<ClipResult['status'], number>()
  const failures: ClipResult[] = []
  let found = 0
  let foundBytes = 0
  let doneBytes = 0
  let freshClips = 0
  let freshBytes = 0
  /** Of files in work. */
  const bytesOfSegments = new Map<string, number>()
  let frames = 0
  let faces = 0
  let tracks = 0
  const countOf = (status: ClipResult['status']) => counts.get(status) ?? 0
  const finished = () => [...counts.values()].reduce((sum, count) => sum + count, 0) - countOf('skipped')

  function show(): void {
    const seconds = (performance.now() - startedMs) / 1000
    const bytesPerS = freshBytes / seconds
    // By bytes: a long clip is no small part of the work.
    bar.update(doneBytes, foundBytes, {
      clips: finished(),
      found,
      speed: (freshClips / seconds).toFixed(1),
      frames,
      faces,
      failed: countOf('failed') + countOf('partial'),
      left: bytesPerS > 0 ? formatLeft((foundBytes - doneBytes) / bytesPerS) : '–',
    })
  }

  return {
    get failed() {
      return countOf('failed') + countOf('partial')
    },
    onFound(file) {
      if (file.kind !== 'skipped') found++
      if (file.kind === 'clip') foundBytes += file.sizeBytes
      show()
    },
    onFrames(count) {
      frames += count
      show()
    },
    onSegment(output, path, bytes) {
      doneBytes += bytes
      freshBytes += bytes
      bytesOfSegments.set(path, (bytesOfSegments.get(path) ?? 0) + bytes)
      faces += output.faces
      tracks += output.tracks.length
      show()
    },
    onResult(result, sizeBytes) {
      counts.set(result.status, countOf(result.status) + 1)
      doneBytes += sizeBytes - (bytesOfSegments.get(result.path) ?? 0)
      bytesOfSegments.delete(result.path)
      if (result.status === 'done' || result.status === 'partial') freshClips++
      if (result.status === 'failed' || result.status === 'partial') failures.push(result)
      if (json) printJson(result)
      else if (!process.stderr.isTTY && result.status !== 'skipped') print(formatResult(result))
      show()
    },
    stop: () => bar.stop(),
    summarise(archive) {
      const seconds = (performance.now() - startedMs) / 1000
      const parts = (['done', 'unchanged', 'duplicate', 'partial', 'forgotten', 'failed', 'skipped'] as const)
        .filter((status) => countOf(status) > 0)
        .map((status) => `${countOf(status)} ${statusWords[status]}`)
      note(
        `${parts.join(', ') || 'no clips found'} in ${formatTime(seconds)}: ${frames} frames, ${faces} faces, ${tracks} tracks`,
      )
      for (const failure of failures.slice(0, listedFailures))
        note(`  ${oneLine(failure.path)}: ${failure.message ?? ''} [${failure.code ?? ''}]`)
      if (failures.length > listedFailures)
        note(`  … and ${failures.length - listedFailures} more: "cameo status --failures" lists them all`)
      const totals = archive.clips.counts()
      note(`the archive ${archive.dir} holds ${totals.clips} clips, ${totals.tracks} tracks`)
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

function formatLeft(seconds: number): string {
  if (seconds < 60) return `${seconds.toFixed(seconds < 10 ? 1 : 0)} s`
  const minutes = Math.round(seconds / 60)
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`
}
