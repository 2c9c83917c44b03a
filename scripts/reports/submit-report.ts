import type { QueueEvents } from '../../workers/kafka/submit/submit-clips.js'
import type { SubmitEvents, SubmitResult } from '../../workers/kafka/submit/submit-events.js'
import { flawsOf } from './clip-flaws.js'
import { counted, note, oneLine, pluralOf, print, printJson } from '../cli/output.js'
import { progressPayload, startProgress, videoFormat } from '../cli/progress.js'
import { createVideoProgress } from '../cli/video-progress.js'
import { formatTime } from '../../pipeline/common/time-text.js'

export interface SubmitReporter extends SubmitEvents, QueueEvents {
  readonly failed: number
  stop(): void
  summarise(): void
}

/** Number of failures listed at the end; more are counted. */
const listedFailures = 20

/**
 * Shows submitted clips: a bar with frames, faces, speed and ETA; one line per clip; the failures at the end.
 * Workers report a clip only when it is indexed, so the bar moves by whole clips.
 */
export function createSubmitReporter(json: boolean): SubmitReporter {
  const startedMs = performance.now()
  const bar = startProgress(videoFormat)
  const progress = createVideoProgress(() => performance.now() / 1000)
  const counts = new Map<SubmitResult['status'], number>()
  const failures: SubmitResult[] = []
  let found = 0
  let tracks = 0
  let frames = 0
  let faces = 0
  const countOf = (status: SubmitResult['status']) => counts.get(status) ?? 0
  const finished = () => [...counts.values()].reduce((sum, count) => sum + count, 0) - countOf('skipped')
  const failed = () => countOf('failed') + countOf('partial')

  const show = () =>
    bar.show(() =>
      progressPayload(progress.now(), { clips: finished(), found, frames, faces, failed: failed() }),
    )

  return {
    get failed() {
      return failed()
    },
    onFound(file) {
      if (file.kind !== 'skipped') found++
      if (file.kind === 'clip') progress.found(file.path, file.sizeBytes)
      show()
    },
    onAllFound: () => progress.allFound(),
    onSubmitted: show,
    onResult(result, { durationS, frames: more = 0, faces: moreFaces = 0 } = {}) {
      const { path, status } = result
      counts.set(status, countOf(status) + 1)
      tracks += result.tracks ?? 0
      const isFresh = status === 'done' || status === 'partial'
      if (isFresh) {
        frames += more
        faces += moreFaces
      }
      progress.measured(path, durationS)
      progress.ended(path, isFresh)
      if (status === 'failed' || status === 'partial') failures.push(result)
      if (json) printJson(result)
      else if (!process.stderr.isTTY && status !== 'skipped') print(formatResult(result))
      show()
    },
    onBrokerAway: () => note('the broker does not take messages at the moment: waiting for it'),
    onBrokerBack: () => note('the broker takes messages again'),
    onResubmitted: (clips) =>
      note(
        `${counted(clips, 'clip was', 'clips were')} not in the queue any more and ${pluralOf(clips, 'was', 'were')} submitted again`,
      ),
    onGivenUp: () => note('"cameo dead-letters list" shows messages that workers could not read'),
    stop: () => bar.stop(),
    summarise() {
      const parts = [...counts].map(([status, count]) => `${count} ${statusWords[status]}`)
      const seconds = (performance.now() - startedMs) / 1000
      note(
        `${parts.join(', ') || 'no clips found'} in ${formatTime(seconds)}: ${counted(frames, 'frame')}, ${counted(faces, 'face')}, ${counted(tracks, 'track')}`,
      )
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
  forgotten: 'forgotten, left out',
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
