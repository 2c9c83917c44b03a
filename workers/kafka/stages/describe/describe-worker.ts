import { startQueueConsumer } from '../../broker/queue-consumer.js'
import { groupName, topicName } from '../../broker/topics.js'
import type { StageWorker, WorkerContext } from '../shared/stage-worker.js'
import { createDescribeHandler, type DescribeHandlerOptions } from './describe-handler.js'

export interface DescribeWorkerOptions extends DescribeHandlerOptions {
  readonly context: WorkerContext
}

/** Number of messages described in parallel. */
const concurrency = 16

/**
 * Reads tracks with their embeddings, and publishes them with their descriptors. Each input message gives one
 * output message, so the worker stores nothing. A message that is handled twice gives the same output twice.
 */
export async function startDescribeWorker(options: DescribeWorkerOptions): Promise<StageWorker> {
  const { kafka, connection, log, metrics } = options.context
  metrics.setInfo({ head: options.head?.sha256 ?? 'none' })
  const groupId = groupName(connection, 'describe')
  const consumer = await startQueueConsumer({
    ...{ kafka, log, concurrency, handle: createDescribeHandler(options), onInWork: metrics.setInWork },
    topic: topicName(connection, 'embeddings'),
    groupId,
    sessionTimeoutMs: connection.sessionTimeoutMs,
    ahead: concurrency,
    fetch: { maxBytes: 1024 * 1024, minBytes: 128 * 1024, maxWaitMs: 500 },
  })
  return {
    groupId,
    get isHealthy() {
      return consumer.isHealthy
    },
    stop: (drainMs) => consumer.stop(drainMs),
  }
}
