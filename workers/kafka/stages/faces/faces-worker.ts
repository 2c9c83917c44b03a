import { withAdmin } from '../../broker/client.js'
import { startQueueConsumer } from '../../broker/queue-consumer.js'
import { readGroupCrashCounts } from '../../broker/topic-offsets.js'
import { groupName, topicName } from '../../broker/topics.js'
import { followForgotten } from './forgotten-clips.js'
import { JobHandler, type JobHandlerOptions } from './job-handler.js'
import type { StageWorker, WorkerContext } from '../shared/stage-worker.js'

export interface FacesWorkerOptions extends JobHandlerOptions {
  readonly context: WorkerContext
}

/** While one clip is processed, the next one is fetched, hashed and opened, as in `ingestClips`. */
const clipsPerThread = 2

/** Reads jobs, and publishes the pipeline's results: from a clip's file to the embeddings of its tracks. */
export async function startFacesWorker(options: FacesWorkerOptions): Promise<StageWorker> {
  const { threads, checkpoints } = options
  const { kafka, connection, log, metrics } = options.context
  const handler = new JobHandler(options)
  const groupId = groupName(connection, 'faces')
  const topic = topicName(connection, 'jobs')
  const consumer = await startQueueConsumer({
    ...{ kafka, topic, groupId, log, onInWork: metrics.setInWork },
    handle: (message, signal, deaths) => handler.handle(message, signal, deaths),
    crashCounts: {
      self: connection.clientId,
      read: () => withAdmin(kafka, connection, (admin) => readGroupCrashCounts(admin, groupId, topic)),
    },
    concurrency: threads * clipsPerThread,
    ahead: 32 * threads,
    sessionTimeoutMs: connection.sessionTimeoutMs,
    // A job takes about a kilobyte.
    fetch: { maxBytes: 16 * 1024, minBytes: 1, maxWaitMs: 1000 },
  })
  const following = checkpoints === undefined ? undefined : followForgotten(options.context, checkpoints)
  return {
    groupId,
    get isHealthy() {
      return consumer.isHealthy
    },
    async stop(drainMs) {
      await consumer.stop(drainMs)
      await following?.stop()
    },
  }
}
