import { SingleBar } from 'cli-progress'

export interface ProgressBar {
  update(done: number, total: number, payload: Record<string, string | number>): void
  stop(): void
}

/**
 * A bar on standard error where a person looks at it. Elsewhere (a log file, a pipe) a line every `logEveryS` seconds.
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
  return {
    update(done, total, payload) {
      if (!started) bar.start(total, done, payload)
      started = true
      bar.setTotal(total)
      bar.update(done, payload)
    },
    stop() {
      if (started) bar.stop()
    },
  }
}

function startLog(format: string, everyS: number): ProgressBar {
  let toldAt = Date.now()
  return {
    update(done, total, payload) {
      if (Date.now() - toldAt < everyS * 1000) return
      toldAt = Date.now()
      const values: Record<string, string | number> = {
        ...payload,
        value: done,
        total,
        percentage: total > 0 ? Math.floor((done / total) * 100) : 0,
      }
      const line = format
        .replace('{bar} ', '')
        .replace(/\{(\w+)\}/g, (_, name: string) => String(values[name] ?? ''))
      process.stderr.write(`${line}\n`)
    },
    stop: () => undefined,
  }
}
