import { setTimeout as sleep } from 'node:timers/promises'
import { CameoError } from '../../../pipeline/common/errors.js'
import type { FoundFile } from '../../ingest/find-clips.js'
import type { Logger } from '../../service/log.js'
import {
  brokerError,
  createKafka,
  createPublisher,
  isBrokerError,
  type KafkaClient,
} from '../broker/client.js'
import { clusterStatus } from '../broker/cluster-status.js'
import type { KafkaConnection } from '../broker/connection.js'
import { createTopics } from '../broker/create-topics.js'
import { createRetryingPublisher } from '../broker/retrying-publisher.js'
import { startTopicReader } from '../broker/topic-reader.js'
import { stageInput, topicName, type Stage } from '../broker/topics.js'
import { whenAborted } from '../broker/when-aborted.js'
import { Submission, type SubmissionOptions } from './submission.js'
import type { SubmitEvents } from './submit-events.js'

/** What happens between clips of a submission. */
export interface QueueEvents {
  onBrokerAway(): void
  onBrokerBack(): void
  /** So many clips were not in the queue any more, and are in it again. */
  onResubmitted(clips: number): void
  /** Clips were lost again and again. They are reported as failed. */
  onGivenUp(): void
}

export interface SubmitClipsOptions extends Omit<SubmissionOptions, 'publisher' | 'events'> {
  readonly log: Logger
  readonly events: SubmitEvents & QueueEvents
}

/** How long a submission that is stopped waits for its connections to close. */
const closeWithinMs = 10_000

/** How often to check whether awaited clips are lost. */
const checkEveryMs = 10_000

/** Number of resubmissions in a row without any finished clip. */
const mostResubmissions = 2

const stages = Object.keys(stageInput) as Stage[]

/**
 * Puts clips into the queue for workers, and with `wait` waits until all have their results, which come as events. Returns early
 * if the signal is aborted: clips stay in the queue then.
 * @throws BROKER_UNREACHABLE if no broker answers at first; later an unavailable broker is waited for
 */
export async function submitClips(
  files: AsyncIterable<FoundFile>,
  options: SubmitClipsOptions,
): Promise<void> {
  try {
    await submitTo(files, options)
  } catch (error) {
    const isOfBroker = isBrokerError(error)
    const isStop = isOfBroker || (error instanceof CameoError && error.code === 'INTERRUPTED')
    if (options.signal.aborted && isStop) return
    throw isOfBroker ? brokerError(options.connection, error) : error
  }
}

async function submitTo(
  files: AsyncIterable<FoundFile>,
  { log, ...options }: SubmitClipsOptions,
): Promise<void> {
  const { connection, events, wait, signal } = options
  // The clients wait for an unavailable broker, and know no signal.
  const aborted = whenAborted(signal, 'while clips were submitted')
  const unlessAborted = <Value>(work: Promise<Value>) => Promise.race([work, aborted.promise])
  const stop = new AbortController()
  const closers: (() => Promise<void>)[] = []
  try {
    await unlessAborted(createTopics(createKafka(connection, log, 'prompt'), connection))
    // A broker has answered. From now on an unavailable broker is waited for.
    const kafka = createKafka(connection, log, 'patient')
    const connecting = createPublisher(kafka)
    closers.push(async () => (await connecting).disconnect())
    const publisher = createRetryingPublisher(await unlessAborted(connecting), {
      signal,
      onAway: () => events.onBrokerAway(),
      onBack: () => events.onBrokerBack(),
    })
    const submission = new Submission({ ...options, publisher })
    const starting = startTopicReader({
      ...{ kafka, connection, log },
      topic: topicName(connection, 'status'),
      onMessage: (message) => submission.onStatus(message),
    })
    closers.unshift(async () => (await starting).stop())
    const reader = await unlessAborted(starting)
    await unlessAborted(reader.caughtUp)
    await submission.submit(files)
    if (wait)
      await unlessAborted(
        Promise.race([
          submission.finished,
          resubmitLost({ kafka, connection, submission, events }, stop.signal),
        ]),
      )
  } finally {
    aborted.forget()
    stop.abort()
    // What is still waiting for a broker is closed when it answers.
    const closing = closers.reduce((before, close) => before.then(close, close), Promise.resolve())
    closing.catch(() => undefined)
    await (signal.aborted
      ? Promise.race([closing, sleep(closeWithinMs, undefined, { ref: false })])
      : closing)
  }
}

interface Watched {
  readonly kafka: KafkaClient
  readonly connection: KafkaConnection
  readonly submission: Submission
  readonly events: QueueEvents
}

/**
 * Submits awaited clips again if no worker has anything left to do: an earlier run was killed between the
 * note that a clip is queued and its job, or the topic was emptied. While clips are being finished, the
 * brokers are not asked. Clips that are lost again and again, for example because workers have an older
 * version, are reported as failed.
 */
async function resubmitLost(
  { kafka, connection, submission, events }: Watched,
  signal: AbortSignal,
): Promise<void> {
  let wasIdle = false
  let lost = 0
  for (;;) {
    const before = submission.waiting
    await sleep(checkEveryMs, undefined, { signal }).catch(() => undefined)
    if (signal.aborted) return
    const isIdle = before > 0 && submission.waiting === before && (await workersAreIdle(kafka, connection))
    if (submission.waiting < before) lost = 0
    if (isIdle && wasIdle && ++lost > mostResubmissions) {
      submission.giveUpWaiting()
      events.onGivenUp()
      return
    }
    if (isIdle && wasIdle) events.onResubmitted(await submission.resubmitWaiting())
    wasIdle = isIdle && !wasIdle
  }
}

/** True if each stage has workers, and they have finished everything in their topics. */
async function workersAreIdle(kafka: KafkaClient, connection: KafkaConnection): Promise<boolean> {
  const { groups } = await clusterStatus(kafka, connection).catch(() => ({ groups: [] }))
  // A group without members does no work: usually its archive is gone.
  const working = groups.filter(({ workers }) => workers.length > 0)
  return (
    stages.every((stage) => working.some((group) => group.stage === stage)) &&
    working.every(({ lag }) => lag === 0)
  )
}
