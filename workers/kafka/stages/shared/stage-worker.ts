import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from 'pino'
import { CameoError, messageOf, type ErrorCode } from '../../../../pipeline/common/errors.js'
import { withoutSecrets } from '../../../remote-clips/clip-access.js'
import type { WorkerMetrics } from '../../../service/metrics.js'
import { isBrokerError, type KafkaClient, type Publisher } from '../../broker/client.js'
import type { OutMessage } from '../../broker/out-messages.js'
import type { KafkaConnection } from '../../broker/connection.js'
import { deadLetter } from '../../messages/dead-letters.js'
import type { Received } from '../../broker/received.js'
import type { Stage } from '../../broker/topics.js'

/** What every worker needs. */
export interface WorkerContext {
  readonly kafka: KafkaClient
  readonly connection: KafkaConnection
  readonly publisher: Publisher
  readonly log: Logger
  readonly metrics: WorkerMetrics
}

/** A running worker of one stage. */
export interface StageWorker {
  /** The consumer group that it is a member of. */
  readonly groupId: string
  readonly isHealthy: boolean
  /** Waits up to `drainMs` for messages in work, returns the rest to the group, and ends. */
  stop(drainMs: number): Promise<void>
}

export interface AttemptOptions {
  readonly stage: Stage
  readonly message: Received
  readonly signal: AbortSignal
  /** Before the second attempt, ms; each further pause is four times as long. Default: 1000. */
  readonly firstPauseMs?: number
  /** Does the work and resolves when its result is durable. */
  readonly work: () => Promise<void>
  /** Further messages to publish when the message fails for good. */
  readonly whenGivenUp: (error: CameoError, attempts: number) => readonly OutMessage[]
  /** What the message is about, as far as it is known. */
  readonly about: () => { readonly uri?: string | undefined; readonly clipId?: string | undefined }
  /** Called for an error that this worker causes, not the message. */
  readonly onFault?: (error: CameoError) => void
}

/**
 * Errors that no message causes: another worker may handle it. If they counted as failures of messages, one
 * worker would empty the queue.
 */
const faults: ReadonlySet<ErrorCode> = new Set(['FFMPEG_MISSING', 'DEVICE_UNAVAILABLE', 'ROOT_MISSING'])

/** Number of attempts in all after temporary failures. Each pause is four times the last one. */
const maxAttempts = 4
const defaultFirstPauseMs = 1000

/**
 * Does a message's work. Temporary errors are retried. Others, including bugs that a message reveals, send
 * the message to the dead letters, so that it never blocks later messages. Resolves when either is durable.
 * Rejects with errors of the broker and of the worker itself, and when the signal is aborted.
 */
export async function attemptWork(
  { connection, publisher, log, metrics }: Omit<WorkerContext, 'kafka'>,
  {
    stage,
    message,
    signal,
    work,
    whenGivenUp,
    about,
    onFault,
    firstPauseMs = defaultFirstPauseMs,
  }: AttemptOptions,
): Promise<void> {
  const started = performance.now()
  const fields = () => {
    const { key, partition, offset } = message
    const { uri, clipId } = about()
    return {
      key: key === null ? undefined : loggedKey(key.toString()),
      uri: uri === undefined ? undefined : withoutSecrets(uri),
      ...{ clipId, partition, offset },
    }
  }
  const seconds = () => (performance.now() - started) / 1000
  for (let attempt = 1; ; attempt++) {
    try {
      await work()
      metrics.finished('done', seconds())
      log.info({ ...fields(), seconds: seconds() }, 'done')
      return
    } catch (thrown) {
      if (signal.aborted) {
        log.info(fields(), 'handed back')
        throw thrown
      }
      if (isBrokerError(thrown)) throw thrown
      const error = thrown instanceof CameoError ? thrown : unforeseen(thrown)
      if (onFault !== undefined && faults.has(error.code)) {
        onFault(error)
        throw error
      }
      if (error.retriable && attempt < maxAttempts) {
        log.warn({ ...fields(), code: error.code, error: error.message, attempt }, 'trying again')
        await sleep(firstPauseMs * 4 ** (attempt - 1), undefined, { signal })
        continue
      }
      const letter = deadLetter(connection, stage, message, error, { attempts: attempt, uri: about().uri })
      try {
        await publisher.send([...whenGivenUp(error, attempt), letter])
      } catch (thrownToo) {
        // Even a message that cannot be described goes to the dead letters.
        if (isBrokerError(thrownToo)) throw thrownToo
        await publisher.send([letter])
      }
      metrics.finished('failed', seconds())
      log.error({ ...fields(), code: error.code, error: error.message, attempts: attempt }, 'given up')
      return
    }
  }
}

/** The key of a job is the clip's address, and `#` with the segment's number, which stays. */
function loggedKey(key: string): string {
  const segment = /#\d+$/.exec(key)?.[0] ?? ''
  return withoutSecrets(key.slice(0, key.length - segment.length)) + segment
}

function unforeseen(cause: unknown): CameoError {
  return new CameoError('MESSAGE_FAILED', `this should not have happened: ${messageOf(cause)}`, { cause })
}
