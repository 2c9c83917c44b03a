import type { SubmitEvents, SubmitResult } from '../workers/kafka/submit.js'
import { flawsOf } from './clip-flaws.js'
import { counted, formatTime, note, oneLine, print, printJson } from './output.js'
import { startProgress } from './progress.js'

export interface SubmitReporter extends SubmitEvents {
  readonly failed: number
  stop(): void
  summarise(): void
}

/** More failures than this are summed up, not listed. */
const listedFailures = 20

/** Shows clips on their way through the workers: a bar with speed and ETA, a line a clip, the failures at the end. */
export function createSubmitReporter(json: boolean): SubmitReporter {
  const startedMs = performance.now()
  const bar = startProgress(
    '{bar} {percentage}% | {value}/{total} clips | {speed} clips/s | {tracks} tracks | {failed} failed | ETA {left}',
  )
  const counts = new Map<SubmitResult['status'], number>()
  const failures: SubmitResult[] = []
  let found = 0
  let tracks = 0
  const countOf = (status: SubmitResult['status']) => counts.get(status) ?? 0
  const finished = () => [...counts.values()].reduce((sum, count) => sum + count, 0) - countOf('skipped')
  const fresh = () => countOf('done') + countOf('partial')
  const failed = () => countOf('failed') + countOf('partial')

  function show(): void {
    const seconds = (performance.now() - startedMs) / 1000
    const speed = fresh() / seconds
    bar.update(finished(), found, {
      speed: speed.toFixed(1),
      tracks,
      failed: failed(),
      left: speed > 0 ? formatTime((found - finished()) / speed) : '–',
    })
  }

  return {
    get failed() {
      return failed()
    },
    onFound(file) {
      if (file.kind !== 'skipped') found++
      show()
    },
    onSubmitted: show,
    onResult(result) {
      const { status } = result
      counts.set(status, countOf(status) + 1)
      tracks += result.tracks ?? 0
      if (status === 'failed' || status === 'partial') failures.push(result)
      if (json) printJson(result)
      else if (!process.stderr.isTTY && status !== 'skipped') print(formatResult(result))
      show()
    },
    stop: () => bar.stop(),
    summarise() {
      const parts = [...counts].map(([status, count]) => `${count} ${statusWords[status]}`)
      const seconds = (performance.now() - startedMs) / 1000
      note(`${parts.join(', ') || 'no clips found'} in ${formatTime(seconds)}: ${tracks} tracks`)
      for (const { path, message = '', code = '' } of failures.slice(0, listedFailures))
        note(`  ${oneLine(path)}: ${message} [${code}]`)
      if (failures.length > listedFailures)
        note(`  … and ${failures.length - listedFailures} more: "cameo dead-letters list" has them all`)
    },
  }
}

const statusWords: Record<SubmitResult['status'], string> = {
  done: 'indexed',
  unchanged: 'unchanged',
  partial: 'partly indexed',
  forgotten: 'left out as forgotten',
  failed: 'failed',
  queued: 'in the queue',
  skipped: 'files skipped (no videos)',
}

function formatResult(result: SubmitResult): string {
  const { path, status, tracks = 0, code, message = '' } = result
  const detail =
    code === undefined ? [counted(tracks, 'track'), ...flawsOf(result)].join(', ') : `${message} [${code}]`
  return `${status.padEnd(9)} ${oneLine(path)}: ${detail}`
}
