import pRetry from 'p-retry'
import { isTransient, type Publisher } from './client.js'
import { whenAborted } from './when-aborted.js'

export interface RetryingPublisherOptions {
  readonly signal: AbortSignal
  /** Called once until a send succeeds: the broker fails or takes long. */
  readonly onAway: () => void
  /** Called when a send succeeds again. */
  readonly onBack: () => void
  readonly againAfterMs?: number
  readonly longAfterMs?: number
}

const defaultAgainAfterMs = 2000

/** kafkajs retries without reporting it. */
const defaultLongAfterMs = 10_000

/**
 * Sends again after temporary failures, until the send succeeds or `signal` is aborted (INTERRUPTED). A
 * message that a broker stored without confirming it arrives twice, as with every publisher.
 */
export function createRetryingPublisher(publisher: Publisher, options: RetryingPublisherOptions): Publisher {
  const { signal, againAfterMs = defaultAgainAfterMs, longAfterMs = defaultLongAfterMs } = options
  let isAway = false

  function noteAway(): void {
    if (isAway) return
    isAway = true
    options.onAway()
  }

  function noteSent(): void {
    if (isAway) options.onBack()
    isAway = false
  }

  return {
    async send(messages) {
      const aborted = whenAborted(signal, 'while messages were sent')
      const timer = setTimeout(noteAway, longAfterMs)
      try {
        const sent = pRetry(() => publisher.send(messages), {
          ...{ retries: Infinity, minTimeout: againAfterMs, factor: 1, signal },
          shouldRetry: ({ error }) => isTransient(error),
          onFailedAttempt({ error }) {
            if (isTransient(error)) noteAway()
          },
        })
        await Promise.race([sent, aborted.promise])
        noteSent()
      } finally {
        clearTimeout(timer)
        aborted.forget()
      }
    },
    disconnect: () => publisher.disconnect(),
  }
}
