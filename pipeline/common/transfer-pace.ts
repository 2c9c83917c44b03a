/**
 * Limits on how slow a server may be. A transfer that hardly moves blocks others, and a timeout between bytes never
 * ends it.
 */
export interface TransferLimits {
  /** Time until the headers of an answer arrive, redirects included, s. */
  readonly answerS: number
  /** The rate is measured over windows of this length, s. */
  readonly windowS: number
  /** Required rate in each window, bytes per second. */
  readonly leastBytesPerS: number
}

/**
 * Half the rate of an ISDN line. With four attempts, a server that sends nothing holds a clip for a minute and a half.
 */
export const usualLimits: TransferLimits = { answerS: 20, windowS: 20, leastBytesPerS: 4096 }

/**
 * The mean rate of a whole transfer must be this many times the required rate of a window: a transfer that is always
 * near that rate would take days.
 */
const meanToLeast = 8

/** The server is too slow. The message is the end of a sentence, without the name of what is fetched. */
export class TransferTooSlow extends Error {
  constructor(
    message: string,
    /**
     * True after a pause: a retry may succeed. False if the whole transfer takes too long: a retry would take as long.
     */
    readonly mayPass: boolean,
  ) {
    super(message)
    this.name = 'TransferTooSlow'
  }
}

/** Waits for the beginning of an answer. */
export class AnswerWait {
  /** Aborted when the answer is late, when the work fails, or when the signal passed in is aborted. */
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

  /** The answer has begun; from now on `paced` watches the transfer. */
  came(): void {
    clearTimeout(this.#timer)
  }

  /** @throws TransferTooSlow if `came` is not called and the work is not done in time */
  async orLate<T>(work: Promise<T>): Promise<T> {
    try {
      return await Promise.race([this.#late, work])
    } catch (error) {
      // The connection would stay open.
      this.#abort.abort(error)
      throw error
    } finally {
      this.came()
    }
  }
}

/**
 * Yields the source's bytes as long as they arrive fast enough. Only the time spent waiting for the source counts.
 * @param sizeBytes size of the whole transfer, if known: it limits the total time
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
              `the server sends too slowly: ${window.bytes} bytes in ${windowS} s, at least ${leastBytesPerS} per second are required`,
              true,
            )
          window = { endMs: waitedMs + windowMs, bytes: 0 }
        }
        if (result?.done !== true && waitedMs >= longestMs)
          throw new TransferTooSlow(
            `the server sends too slowly: ${sizeBytes ?? 0} bytes may take at most ${(longestMs / 1000).toFixed(0)} s`,
            false,
          )
      }
      if (result.done === true) return
      yield result.value
    }
  } finally {
    // Do not await it: it ends only after the next chunk, which may never come.
    iterator.return?.().catch(() => undefined)
  }
}

/** The result of the work; undefined if it takes longer than `ms`. */
async function within<T>(work: Promise<T>, ms: number): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined
  const over = new Promise<undefined>((resolve) => {
    // If this thread was busy, read first what has arrived meanwhile.
    timer = setTimeout(() => setImmediate(() => resolve(undefined)), Math.max(0, Math.min(ms, 2 ** 31 - 1)))
  })
  try {
    return await Promise.race([work, over])
  } finally {
    clearTimeout(timer)
  }
}
