import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from 'pino'
import { messageOf } from '../../../pipeline/common/errors.js'
import type { Received } from './received.js'
import type { Work } from './work-queue.js'

/**
 * Resolves when the message's result is durable: then its offset may be committed. Rejects only when `signal`
 * is aborted. Any other error counts as temporary, and the message is handled again. `deaths`: number of
 * workers that died while they handled it.
 */
export type MessageHandler = (message: Received, signal: AbortSignal, deaths: number) => Promise<void>

export interface MessageRunnerOptions {
  readonly log: Logger
  readonly handle: MessageHandler
  readonly deathsOf: (work: Work) => number
  /** If given, the start of each message is stored at the brokers before it is handled. */
  readonly beginnings?: BeginningNotes | undefined
  readonly noteAgainAfterMs?: number
  readonly handleAgainAfterMs?: number
}

export interface BeginningNotes {
  /** The brokers already know that it started. */
  isNoted(work: Work): boolean
  /** False if the brokers did not store the note. */
  note(): Promise<boolean>
}

const defaultNoteAgainAfterMs = 500
const defaultHandleAgainAfterMs = 2000

/** Handles one message, from its note to its result. */
export class MessageRunner {
  readonly #options: MessageRunnerOptions
  readonly #noteAgainAfterMs: number
  readonly #handleAgainAfterMs: number
  #isEnding = false

  constructor(options: MessageRunnerOptions) {
    this.#options = options
    this.#noteAgainAfterMs = options.noteAgainAfterMs ?? defaultNoteAgainAfterMs
    this.#handleAgainAfterMs = options.handleAgainAfterMs ?? defaultHandleAgainAfterMs
  }

  /** False if the message was aborted, or if it failed while this worker ends: then it is not finished. */
  async run(work: Work): Promise<boolean> {
    return (await this.#noteBeginning(work)) && (await this.#handleUntilDone(work))
  }

  /** From now on nothing is retried. */
  end(): void {
    this.#isEnding = true
  }

  async #noteBeginning(work: Work): Promise<boolean> {
    const { log, beginnings } = this.#options
    if (beginnings === undefined) return true
    const { partition, offset } = work.message
    const deaths = this.#options.deathsOf(work)
    if (deaths > 0)
      log.warn({ partition, offset, deaths }, 'workers died over this message: it is handled alone')
    const mayBegin = () => !work.abort.signal.aborted && !this.#isEnding
    if (deaths === 0 && beginnings.isNoted(work)) return mayBegin()
    while (mayBegin()) {
      if (await beginnings.note()) return mayBegin()
      await pause(work, this.#noteAgainAfterMs)
    }
    return false
  }

  async #handleUntilDone(work: Work): Promise<boolean> {
    const { message, abort } = work
    const { log, handle, deathsOf } = this.#options
    for (;;) {
      try {
        await handle(message, abort.signal, deathsOf(work))
        return true
      } catch (error) {
        // The message goes back to the group: another worker receives it.
        if (abort.signal.aborted || this.#isEnding) return false
        const { partition, offset } = message
        log.error(
          { error: messageOf(error), partition, offset },
          'a message could not be handled, trying again',
        )
        await pause(work, this.#handleAgainAfterMs)
      }
    }
  }
}

/** Ends early if the message is aborted. */
async function pause({ abort }: Work, ms: number): Promise<void> {
  await sleep(ms, undefined, { signal: abort.signal }).catch(() => undefined)
}
