import { CameoError } from '../../../pipeline/common/errors.js'

interface Waiting {
  readonly start: () => void
}

/** Bounds how many pieces of work run at the same time. Further work waits for a short time, in order. */
export class WorkSlots {
  readonly #most: number
  readonly #waitMs: number
  readonly #waiting = new Set<Waiting>()
  #running = 0

  /** @param waitMs how long work waits for a place */
  constructor(most: number, waitMs: number) {
    this.#most = most
    this.#waitMs = waitMs
  }

  get running(): number {
    return this.#running
  }

  /**
   * Takes a place.
   * @returns a function that gives it back; a second call does nothing
   * @throws SERVER_BUSY if no place is free in time; INTERRUPTED by the signal
   */
  async take(signal: AbortSignal): Promise<() => void> {
    if (signal.aborted) throw gone()
    if (this.#running >= this.#most) await this.#turn(signal)
    else this.#running++
    let isTaken = true
    return () => {
      if (!isTaken) return
      isTaken = false
      this.#giveBack()
    }
  }

  #turn(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const leave = (error?: CameoError) => {
        clearTimeout(timer)
        signal.removeEventListener('abort', onAbort)
        this.#waiting.delete(waiting)
        if (error === undefined) resolve()
        else reject(error)
      }
      const waiting = { start: () => leave() }
      const onAbort = () => leave(gone())
      const timer = setTimeout(
        () =>
          leave(new CameoError('SERVER_BUSY', 'too many clips are being prepared for playing at the moment')),
        this.#waitMs,
      )
      signal.addEventListener('abort', onAbort, { once: true })
      this.#waiting.add(waiting)
    })
  }

  /** The place goes to whoever waits longest. */
  #giveBack(): void {
    const [next] = this.#waiting
    if (next === undefined) this.#running--
    else next.start()
  }
}

const gone = () => new CameoError('INTERRUPTED', 'whoever asked has gone')
