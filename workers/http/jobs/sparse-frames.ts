import type { ClipEvent } from '../../library/clip-events.js'

/** How often the progress within a clip is told, ms. */
const everyMs = 500

/** An ingest tells of frames many times in a second: too much for a page, and for a buffer of events. */
export class SparseFrames {
  readonly #now: () => number
  /** When frames of a clip were last told of, by its path, ms. */
  readonly #toldMs = new Map<string, number>()

  constructor(now: () => number = () => performance.now()) {
    this.#now = now
  }

  isWorthTelling(event: ClipEvent): boolean {
    if (event.kind === 'result') this.#toldMs.delete(event.path)
    if (event.kind !== 'frames') return true
    const now = this.#now()
    const before = this.#toldMs.get(event.path)
    if (before !== undefined && now - before < everyMs) return false
    this.#toldMs.set(event.path, now)
    return true
  }
}
