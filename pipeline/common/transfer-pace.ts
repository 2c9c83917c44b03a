/** How slow a server may be. A transfer that hardly moves holds the place of others, and a timeout between bytes never ends it. */
export interface TransferLimits {
  /** Until an answer's headers are there, with those of addresses that it leads to, s. */
  readonly answerS: number
  /** The rate is looked at over windows of this length, s. */
  readonly windowS: number
  /** In each window. Bytes a second. */
  readonly leastBytesPerS: number
}

/** Half of what an ISDN line carried. With four attempts, a server that stands still holds a clip for a minute and a half. */
export const usualLimits: TransferLimits = { answerS: 20, windowS: 20, leastBytesPerS: 4096 }

/** Of a whole transfer as against its worst window: what is always near the least would take days. */
const meanToLeast = 8

/** The server is too slow; the message is a sentence's end, without the name of what is fetched. */
export class TransferTooSlow extends Error {
  constructor(
    message: string,
    /** A pause may pass; where the whole took too long, it would again. */
    readonly mayPass: boolean,
  ) {
    super(message)
    this.name = 'TransferTooSlow'
  }
}

/** Waits for the beginning of an answer. */
export class AnswerWait {
  /** Aborted when the answer is late or the work fails, or with the signal given. */
  readonly signal: AbortSignal
  readonly #abort = new AbortController()
  readonly #late: Promise<never>
  readonly #timer: NodeJS.Timeout

  constructor({ answerS }: TransferLimits, signal?: AbortSignal) {
    const own = this.#abort.signal
    this.signal = signal === undefined ? own : AbortSignal.any([own, signal])
    let reject: (error: unknown) => void = () => undefined
    this.#late = new Promise((_, fail) => (reject = fail))
    this.#late.catch(() => undefined)
    this.#timer = setTimeout(() => {
      reject(new TransferTooSlow(`the server did not answer within ${answerS} s`, true))
    }, answerS * 1000)
  }

  /** From now on `paced` looks at it. */
  came(): void {
    clearTimeout(this.#timer)
  }

  /** @throws TransferTooSlow where neither `came` is called nor the work done in time */
  async orLate<T>(work: Promise<T>): Promise<T> {
    try {
      return await Promise.race([this.#late, work])
    } catch (error) {
      // Its connection would go on.
      this.#abort.abort(error)
      throw error
    } finally {
      this.came()
    }
  }
}

/**
 * The same bytes, for as long as they come fast enough. Only the time counts in which the source is waited for.
 * @param sizeBytes of all of them, where it is known: it bounds the time of the whole
 * @param nowMs a clock
 * @throws TransferTooSlow
 */
export async function* paced<Chunk extends Uint8Array>(
  source: AsyncIterable<Chunk>,
  { windowS, leastBytesPerS }: TransferLimits,
  sizeBytes?: number,
  nowMs: () => number = () => performance.now(),
): AsyncGenerator<Chunk, void, undefined> {
  const windowMs = windowS * 1000
  const longestMs = windowMs + ((sizeBytes ?? Infinity) / (leastBytesPerS * meanToLeast)) * 1000
  const iterator = source[Symbol.asyncIterator]()
  let waitedMs = 0
  let window = { endMs: windowMs, bytes: 0 }
  try {
    for (;;) {
      let beganMs = nowMs()
      const next = iterator.next()
      let result: IteratorResult<Chunk> | undefined
      while (result === undefined) {
        result = await within(next, Math.min(window.endMs, longestMs) - waitedMs)
        const endedMs = nowMs()
        waitedMs += endedMs - beganMs
        beganMs = endedMs
        window.bytes += result?.done === false ? result.value.byteLength : 0
        if (result?.done !== true && waitedMs >= window.endMs) {
          if (window.bytes < leastBytesPerS * windowS)
            throw new TransferTooSlow(
              `the server sends too slowly: ${window.bytes} bytes in ${windowS} s, where ${leastBytesPerS} a second are the least`,
              true,
            )
          window = { endMs: waitedMs + windowMs, bytes: 0 }
        }
        if (result?.done !== true && waitedMs >= longestMs)
          throw new TransferTooSlow(
            `the server sends too slowly: ${sizeBytes ?? 0} bytes may take ${(longestMs / 1000).toFixed(0)} s`,
            false,
          )
      }
      if (result.done === true) return
      yield result.value
    }
  } finally {
    // Not waited for: it ends after a chunk that may never come.
    iterator.return?.().catch(() => undefined)
  }
}

/** Undefined where it takes longer. */
async function within<T>(work: Promise<T>, ms: number): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined
  const over = new Promise<undefined>((resolve) => {
    // Where this thread was busy meanwhile, what came is read first.
    timer = setTimeout(() => setImmediate(() => resolve(undefined)), Math.max(0, Math.min(ms, 2 ** 31 - 1)))
  })
  try {
    return await Promise.race([work, over])
  } finally {
    clearTimeout(timer)
  }
}
