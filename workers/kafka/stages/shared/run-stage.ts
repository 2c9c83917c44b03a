import { randomBytes } from 'node:crypto'
import { hostname } from 'node:os'
import { messageOf } from '../../../../pipeline/common/errors.js'
import { createLog } from '../../../service/log.js'
import { createMetrics, startHealthServer, type HealthServer } from '../../../service/metrics.js'
import {
  brokerError,
  createKafka,
  createPublisher,
  endProcessSoon,
  isBrokerError,
  withAdmin,
} from '../../broker/client.js'
import type { KafkaConnection } from '../../broker/connection.js'
import type { StageWorker, WorkerContext } from './stage-worker.js'
import { lagOf, topicEnds } from '../../broker/topic-offsets.js'
import { createTopics } from '../../broker/create-topics.js'
import { stageInput, topicName, type Stage } from '../../broker/topics.js'

export interface StageRun {
  readonly stage: Stage
  /** Its client id is the start of this process's client id. */
  readonly connection: KafkaConnection
  readonly drainMs: number
  /** Where to serve health and metrics; undefined: nowhere. */
  readonly health?: { readonly host: string; readonly port: number }
  readonly start: (context: WorkerContext, onFatal: (error: unknown) => void) => Promise<StageWorker>
}

const lagEveryMs = 15_000

/**
 * A worker's process. Runs until SIGTERM or SIGINT. Resolves with the error that ended it, unless it was
 * asked to end.
 */
export async function runStage(run: StageRun): Promise<unknown> {
  const { stage, connection: given, drainMs, health, start } = run
  // When a container starts again, host and process id are the same.
  const ownId = [given.clientId, stage, hostname(), process.pid, randomBytes(4).toString('hex')].join('-')
  const connection = { ...given, clientId: ownId }
  const log = createLog({ stage, host: hostname() })
  const metrics = createMetrics(stage)
  const kafka = createKafka(connection, log, 'patient')
  let end: (error: unknown) => void = () => undefined
  const ended = new Promise<unknown>((resolve) => (end = resolve))
  const onSignal = () => end(undefined)
  process.on('SIGTERM', onSignal)
  process.on('SIGINT', onSignal)

  let worker: StageWorker | undefined
  let server: HealthServer | undefined
  let lagTimer: NodeJS.Timeout | undefined
  try {
    const starting = (async () => {
      if (health !== undefined) {
        server = await startHealthServer(health, metrics, () => worker?.isHealthy === true)
        log.info({ port: server.port }, 'serving /healthz and /metrics')
      }
      log.info({ brokers: connection.brokers }, 'connecting')
      const { made } = await createTopics(kafka, connection)
      if (made.length > 0) log.info({ topics: made }, 'topics made')
      const publisher = await createPublisher(kafka)
      worker = await start({ kafka, connection, publisher, log, metrics }, end)
      log.info('working')
      if (health !== undefined) {
        noteLag(worker.groupId)
        lagTimer = setInterval(noteLag, lagEveryMs, worker.groupId)
      }
      return publisher
    })()
    const error = await Promise.race([ended, starting.then(() => ended)])
    if (error === undefined) log.info('stopping')
    else log.fatal({ error: messageOf(error) }, 'this worker cannot continue')
    await worker?.stop(drainMs)
    if (worker !== undefined) await (await starting).disconnect().catch(() => undefined)
    return error
  } catch (error) {
    return isBrokerError(error) ? brokerError(connection, error) : error
  } finally {
    clearInterval(lagTimer)
    await server?.close()
    process.off('SIGTERM', onSignal)
    process.off('SIGINT', onSignal)
    endProcessSoon()
  }

  /** Updates the lag when the metrics are read: it needs a connection and several requests. */
  function noteLag(groupId: string): void {
    const kind = stageInput[stage]
    withAdmin(kafka, connection, async (admin) =>
      lagOf(admin, groupId, topicName(connection, kind), await topicEnds(admin, connection, kind)),
    )
      .then((lag) => metrics.setLag(lag))
      .catch((error: unknown) => log.debug({ error: messageOf(error) }, 'the lag is not known'))
  }
}
