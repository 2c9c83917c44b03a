import { basename } from 'node:path'
import { SingleBar } from 'cli-progress'
import { counted, oneLine } from './output.js'
import type { ProgressNow } from './video-progress.js'
import { formatTime, spanText } from '../../pipeline/common/time-text.js'

type Payload = Record<string, string | number>

/** What a bar shows: how much is done, and the other values of its format. */
export interface Shown {
  readonly done: number
  readonly total: number
  readonly payload: Payload
}

export interface ProgressBar {
  update(done: number, total: number, payload: Payload): void
  /** As above, but `shown` is called only when the bar is drawn: at most a few times per second. */
  show(shown: () => Shown): void
  stop(): void
}

/** Shortest time between two drawings of a bar, ms. */
const drawEveryMs = 100

/** Escapes control characters in file names and other texts. */
const visible = (payload: Payload): Payload =>
  Object.fromEntries(
    Object.entries(payload).map(([key, value]) => [key, typeof value === 'string' ? oneLine(value) : value]),
  )

/**
 * A bar on standard error if it is a terminal. Elsewhere (a log file, a pipe) one line every `logEveryS`
 * seconds.
 * @param format cli-progress's format; payload values by name
 */
export function startProgress(format: string, logEveryS = 30): ProgressBar {
  if (!process.stderr.isTTY) return startLog(format, logEveryS)
  const bar = new SingleBar({
    format,
    stream: process.stderr,
    hideCursor: true,
    clearOnComplete: true,
    barCompleteChar: '█',
    barIncompleteChar: '░',
    barsize: 24,
    etaBuffer: 50,
  })
  let started = false
  let shownAt = -Infinity
  const update = (done: number, total: number, payload: Payload) => {
    const values = visible(payload)
    if (!started) bar.start(total, done, values)
    started = true
    bar.setTotal(total)
    bar.update(done, values)
  }
  return {
    update,
    show(shown) {
      const now = performance.now()
      if (now - shownAt < drawEveryMs) return
      shownAt = now
      const { done, total, payload } = shown()
      update(done, total, payload)
    },
    stop() {
      if (started) bar.stop()
    },
  }
}

function startLog(format: string, everyS: number): ProgressBar {
  let toldAt = Date.now()
  const show = (shown: () => Shown) => {
    if (Date.now() - toldAt < everyS * 1000) return
    toldAt = Date.now()
    const { done, total, payload } = shown()
    const percentage = total > 0 ? Math.floor((done / total) * 100) : 0
    const values: Payload = { ...visible(payload), value: done, total, percentage }
    const line = format
      .replace('{bar} ', '')
      .replace(/\{(\w+)\}/g, (_, name: string) => String(values[name] ?? ''))
    process.stderr.write(`${line}\n`)
  }
  return {
    update: (done, total, payload) => show(() => ({ done, total, payload })),
    show,
    stop: () => undefined,
  }
}

/** The format for `progressPayload`. */
export const videoFormat =
  '{bar} {percentage}% | {clips} | {speed} real time | {frames} | {faces} | {failed} failed | ETA {left}{at}'

/** The values of a bar for work on clips, measured in seconds of video, so that a long clip counts more. */
export function progressPayload(
  { lookedAtS, totalS, speed, etaS, atWork }: ProgressNow,
  counts: { readonly [name in 'clips' | 'found' | 'frames' | 'faces' | 'failed']: number },
): Shown {
  const [first, ...others] = atWork
  const at =
    first === undefined
      ? ''
      : ` | ${nameText(first.path)} at ${formatTime(first.atS)}${first.durationS === undefined ? '' : ` of ${formatTime(first.durationS)}`}${others.length > 0 ? ` and ${others.length} more` : ''}`
  return {
    done: Math.round(lookedAtS),
    total: Math.max(1, Math.round(totalS)),
    payload: {
      clips: `${counts.clips}/${counted(counts.found, 'clip')}`,
      frames: counted(counts.frames, 'frame'),
      faces: counted(counts.faces, 'face'),
      failed: counts.failed,
      speed: speed === undefined ? '–' : `${speed.toFixed(speed < 10 ? 1 : 0)}×`,
      left: etaS === undefined ? '–' : etaText(etaS),
      at,
    },
  }
}

const longestName = 32

function nameText(path: string): string {
  const name = oneLine(basename(path))
  return name.length > longestName ? `${name.slice(0, longestName - 1)}…` : name
}

function etaText(seconds: number): string {
  if (seconds < 5400) return spanText(seconds)
  const minutes = Math.round(seconds / 60)
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`
}

/** Runs `work` on one item after the other, with progress on standard error. */
export async function embedAll<T>(
  items: readonly T[],
  what: string,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const bar = startProgress(`${what} {bar} {percentage}% {value}/{total}`)
  try {
    for (const [done, item] of items.entries()) {
      bar.update(done, items.length, {})
      await work(item)
    }
    bar.update(items.length, items.length, {})
  } finally {
    bar.stop()
  }
}
