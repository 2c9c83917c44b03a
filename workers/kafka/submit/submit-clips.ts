import { setTimeout as sleep } from 'node:timers/promises'
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
import { startTopicReader, type TopicReader } from '../broker/topic-reader.js'
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
    if (options.signal.aborted) return
    throw isBrokerError(error) ? brokerError(options.connection, error) : error
  }
}

async function submitTo(
  files: AsyncIterable<FoundFile>,
  { log, ...options }: SubmitClipsOptions,
): Promise<void> {
  const { connection, events, wait, signal } = options
  await createTopics(createKafka(connection, log, 'prompt'), connection)
  // A broker has answered. From now on an unavailable broker is waited for.
  const kafka = createKafka(connection, log, 'patient')
  const publisher = createRetryingPublisher(await createPublisher(kafka), {
    signal,
    onAway: () => events.onBrokerAway(),
    onBack: () => events.onBrokerBack(),
  })
  const submission = new Submission({ ...options, publisher })
  const stop = new AbortController()
  // The client waits for an unavailable broker, and knows no signal.
  const aborted = whenAborted(signal, 'while clips were submitted')
  const starting = startTopicReader({
    ...{ kafka, connection, log },
    topic: topicName(connection, 'status'),
    onMessage: (message) => submission.onStatus(message),
  })
  let reader: TopicReader | undefined
  try {
    reader = await Promise.race([starting, aborted.promise])
    await Promise.race([reader.caughtUp, aborted.promise])
    await submission.submit(files)
    if (wait)
      await Promise.race([
        submission.finished,
        aborted.promise,
        resubmitLost({ kafka, connection, submission, events }, stop.signal),
      ])
  } finally {
    aborted.forget()
    stop.abort()
    if (reader === undefined) void starting.then((late) => late.stop()).catch(() => undefined)
    await reader?.stop()
    await publisher.disconnect()
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
