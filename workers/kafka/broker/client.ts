import pRetry from 'p-retry'
import kafkajs from 'kafkajs'
import type { Admin, Consumer, EachBatchPayload, Kafka, KafkaConfig, KafkaMessage, LogEntry } from 'kafkajs'
import type { Logger } from 'pino'
import { CameoError, messageOf } from '../../../pipeline/common/errors.js'
import type { KafkaConnection } from './connection.js'
import { bytesOf, checkSizes, inRequests, type OutMessage } from './out-messages.js'
import { quietRequestQueues } from './quiet-request-queues.js'

/** The only file that uses kafkajs; all others use these few functions. `quiet-request-queues.ts` mends a fault of it. */
export type KafkaClient = Kafka
export type KafkaAdmin = Admin
export type { Consumer, EachBatchPayload, KafkaMessage }

/**
 * `patient` retries while brokers are unavailable, as workers must. `prompt` gives up after about ten
 * seconds, as a person at a terminal expects.
 */
export type Patience = 'patient' | 'prompt'

export function createKafka(connection: KafkaConnection, log: Logger, patience: Patience): KafkaClient {
  quietRequestQueues()
  const { brokers, clientId, tls, sasl } = connection
  return new kafkajs.Kafka({
    brokers: [...brokers],
    clientId,
    ...(tls === undefined ? {} : { ssl: tls }),
    ...(sasl === undefined ? {} : { sasl: sasl as NonNullable<KafkaConfig['sasl']> }),
    connectionTimeout: 5000,
    requestTimeout: 30_000,
    retry:
      patience === 'patient'
        ? { initialRetryTime: 300, maxRetryTime: 5000, retries: 1_000_000 }
        : { initialRetryTime: 300, maxRetryTime: 3000, retries: 4 },
    logLevel: kafkajs.logLevel.WARN,
    logCreator: () => (entry) => tellLog(log, entry),
  })
}

/** Logs only those fields of kafkajs's entries that hold no settings. */
function tellLog(log: Logger, { level, namespace, log: entry }: LogEntry): void {
  const { message, error, broker, groupId, memberId } = entry as LogEntry['log'] & {
    readonly error?: unknown
    readonly broker?: unknown
    readonly groupId?: unknown
    readonly memberId?: unknown
  }
  const fields = { from: `kafkajs ${namespace}`, error, broker, groupId, memberId }
  // The caller receives this error, and retries or reports it. While topics are created and groups rebalance,
  // such answers are normal.
  const isAnswer = namespace === 'Connection' && message.startsWith('Response ')
  if (isAnswer) log.debug(fields, message)
  else if (level === kafkajs.logLevel.ERROR) log.error(fields, message)
  else if (level === kafkajs.logLevel.WARN) log.warn(fields, message)
  else log.debug(fields, message)
}

/** Connects an admin client while `work` runs. Throws BROKER_UNREACHABLE if no broker answers. */
export async function withAdmin<T>(
  kafka: KafkaClient,
  connection: Pick<KafkaConnection, 'brokers'>,
  work: (admin: KafkaAdmin) => Promise<T>,
): Promise<T> {
  const admin = kafka.admin()
  try {
    await admin.connect()
  } catch (error) {
    await admin.disconnect().catch(() => undefined)
    throw brokerError(connection, error)
  }
  try {
    return await work(admin)
  } finally {
    await admin.disconnect().catch(() => undefined)
  }
}

/**
 * By the codes of OpenSSL and of Node (node:tls, "X509 certificate error codes"), which kafkajs passes on.
 */
const isCertificateError = (error: unknown) =>
  error instanceof kafkajs.KafkaJSConnectionError &&
  'code' in error &&
  /CERT|LEAF_SIGNATURE|CRL|CA_|ALTNAME/.test(String(error.code))

/** Turns an error of kafkajs into a CameoError. */
export function brokerError(connection: Pick<KafkaConnection, 'brokers'>, error: unknown): CameoError {
  if (error instanceof CameoError) return error
  const brokers = connection.brokers.join(', ')
  const cause = error instanceof kafkajs.KafkaJSNumberOfRetriesExceeded ? error.cause : error
  if (cause instanceof kafkajs.KafkaJSSASLAuthenticationError)
    return new CameoError('BROKER_REFUSED', `the broker ${brokers} refuses the user name or password`, {
      details: { remedy: 'check-credentials', brokers: connection.brokers },
    })
  if (cause instanceof kafkajs.KafkaJSProtocolError)
    return new CameoError('BROKER_REFUSED', `the broker ${brokers} answers: ${messageOf(cause)}`, { cause })
  if (isCertificateError(cause))
    return new CameoError(
      'BROKER_UNTRUSTED',
      `the certificate of the broker ${brokers} is not trusted (${messageOf(cause)})`,
      { cause, details: { remedy: 'trust-certificate', brokers: connection.brokers } },
    )
  // The types of kafkajs do not export this class.
  if (cause instanceof Error && cause.name === 'KafkaJSConnectionClosedError')
    return new CameoError(
      'BROKER_UNREACHABLE',
      `the broker ${brokers} closes the connection; try again, or use TLS or SASL if it requires them`,
      { cause, details: { remedy: 'secure-connection', brokers: connection.brokers } },
    )
  return new CameoError('BROKER_UNREACHABLE', `no broker answers at ${brokers} (${messageOf(error)})`, {
    cause: error,
    details: { remedy: 'start-broker', brokers: connection.brokers },
  })
}

/** True for every error that kafkajs throws. */
export const isBrokerError = (error: unknown): boolean =>
  error instanceof Error && error.name.startsWith('KafkaJS')

/** Whether the same request may succeed later: brokers are unavailable, restart or elect leaders. */
export function isTransient(error: unknown): boolean {
  // After nested retries kafkajs marks a temporary error as final. The original error is its cause.
  for (let cause = error; cause instanceof kafkajs.KafkaJSError; cause = cause.cause)
    if (cause.retriable) return !isCertificateError(cause)
  return false
}

/**
 * Ends the process shortly after its work, if it does not end by itself. If a broker was unavailable,
 * connections and retries of kafkajs can stay open. Call it after everything is closed.
 */
export function endProcessSoon(): void {
  setTimeout(() => process.exit(), 2000).unref()
}

export function isUnknownTopic(error: unknown): boolean {
  const cause = error instanceof kafkajs.KafkaJSNumberOfRetriesExceeded ? error.cause : error
  return cause instanceof kafkajs.KafkaJSProtocolError && cause.type === 'UNKNOWN_TOPIC_OR_PARTITION'
}

/** New topics have no leaders yet, and brokers elect new leaders: asks again for some seconds. */
export async function whenSettled<T>(ask: () => Promise<T>): Promise<T> {
  return pRetry(ask, { retries: 19, minTimeout: 500, factor: 1, shouldRetry: ({ error }) => passesBy(error) })
}

/** Whether the broker's answer is temporary. */
function passesBy(error: unknown): boolean {
  if (error instanceof kafkajs.KafkaJSNumberOfRetriesExceeded) return passesBy(error.cause)
  if (error instanceof kafkajs.KafkaJSAggregateError) return error.errors.every(passesBy)
  return error instanceof kafkajs.KafkaJSProtocolError && error.retriable
}

export interface Publisher {
  /**
   * Resolves when all in-sync brokers have the messages. Throws MESSAGE_TOO_LARGE before any is sent, else
   * kafkajs's errors.
   */
  send(messages: readonly OutMessage[]): Promise<void>
  disconnect(): Promise<void>
}

/** Messages that are sent within this time go in one request. */
const lingerMs = 20

/**
 * Messages arrive at least once: a broker that stops may have stored a message without confirming it. Readers
 * tolerate duplicates and any order. So nothing needs kafkajs's idempotent producer, which does not survive a
 * broker's restart.
 */
export async function createPublisher(kafka: KafkaClient): Promise<Publisher> {
  const producer = kafka.producer({
    allowAutoTopicCreation: false,
    createPartitioner: kafkajs.Partitioners.DefaultPartitioner,
  })
  await producer.connect()
  let pending: PendingSend[] = []
  let timer: NodeJS.Timeout | undefined

  async function sendTogether(sends: readonly PendingSend[]): Promise<void> {
    try {
      await producer.sendBatch({
        acks: -1,
        // One entry per message: kafkajs groups the messages of a topic.
        topicMessages: sends.flatMap(({ messages }) =>
          messages.map(({ topic, key, value }) => ({
            topic,
            messages: [{ key, value: value === null ? null : asBuffer(value) }],
          })),
        ),
      })
      for (const { resolve } of sends) resolve()
    } catch (error) {
      for (const { reject } of sends) reject(error)
    }
  }

  function flush(): void {
    timer = undefined
    const sends = pending
    pending = []
    for (const group of inRequests(sends, ({ bytes }) => bytes)) void sendTogether(group)
  }

  function enqueue(messages: readonly OutMessage[]): Promise<void> {
    return new Promise((resolve, reject) => {
      pending.push({ messages, bytes: bytesOf(messages), resolve, reject })
      timer ??= setTimeout(flush, lingerMs)
    })
  }

  return {
    async send(messages) {
      checkSizes(messages)
      await Promise.all(inRequests(messages, (message) => bytesOf([message])).map(enqueue))
    },
    disconnect: () => producer.disconnect(),
  }
}

interface PendingSend {
  readonly messages: readonly OutMessage[]
  readonly bytes: number
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

const asBuffer = (bytes: Uint8Array) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)

/** The partitions of a topic that a member of a group reads; undefined during a rebalance. */
export function assignedPartitions(
  { memberAssignment }: { readonly memberAssignment: Buffer },
  topic: string,
): readonly number[] | undefined {
  if (memberAssignment.length === 0) return undefined
  return kafkajs.AssignerProtocol.MemberAssignment.decode(memberAssignment)?.assignment[topic] ?? []
}
