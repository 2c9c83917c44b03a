import {
  brokerError,
  createKafka,
  endProcessSoon,
  isBrokerError,
  type KafkaClient,
} from '../../workers/kafka/broker/client.js'
import type { KafkaConnection } from '../../workers/kafka/broker/connection.js'
import { readConnection } from './kafka-connection.js'
import { createSilentLog, type Logger } from '../../workers/service/log.js'

export interface KafkaSession {
  readonly kafka: KafkaClient
  readonly connection: KafkaConnection
  /** Silent by default: commands report errors themselves. */
  readonly log: Logger
}

/** Calls `work` with a client that gives up soon. Errors of the broker become CameoErrors. */
export async function withKafka<T>(brokers: string, work: (session: KafkaSession) => Promise<T>): Promise<T> {
  const connection = readConnection(brokers)
  const log = createSilentLog()
  const kafka = createKafka(connection, log, 'prompt')
  try {
    return await work({ kafka, connection, log })
  } catch (error) {
    throw isBrokerError(error) ? brokerError(connection, error) : error
  } finally {
    endProcessSoon()
  }
}
