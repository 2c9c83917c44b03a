import pRetry from 'p-retry'
import kafkajs from 'kafkajs'
import type { Admin, Consumer, EachBatchPayload, Kafka, KafkaConfig, KafkaMessage, LogEntry } from 'kafkajs'
import type { Logger } from 'pino'
import { CameoError, messageOf } from '../../../pipeline/common/errors.js'
import type { KafkaConnection } from './connection.js'
import { bytesOf, checkSizes, inRequests, type OutMessage } from './out-messages.js'

/** The only file that talks to kafkajs. Everything else sees these few verbs. */
export type KafkaClient = Kafka
export type KafkaAdmin = Admin
export type { Consumer, EachBatchPayload, KafkaMessage }

/**
 * `patient` goes on trying while brokers are away, as workers must; `prompt` gives up within some ten seconds, as a person
 * at a terminal expects.
 */
export type Patience = 'patient' | 'prompt'

export function createKafka(connection: KafkaConnection, log: Logger, patience: Patience): KafkaClient {
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

/** Of kafkajs's entries only the fields that are known to hold no settings. */
function tellLog(log: Logger, { level, namespace, log: entry }: LogEntry): void {
  const { message, error, broker, groupId, memberId } = entry as LogEntry['log'] & {
    readonly error?: unknown
    readonly broker?: unknown
    readonly groupId?: unknown
    readonly memberId?: unknown
  }
  const fields = { from: `kafkajs ${namespace}`, error, broker, groupId, memberId }
  // Whoever asked is told, and tries again or complains: while topics are made and groups arranged, such answers are usual.
  const isAnswer = namespace === 'Connection' && message.startsWith('Response ')
  if (isAnswer) log.debug(fields, message)
  else if (level === kafkajs.logLevel.ERROR) log.error(fields, message)
  else if (level === kafkajs.logLevel.WARN) log.warn(fields, message)
  else log.debug(fields, message)
}

/** Connects an admin client for the length of `work`. Throws BROKER_UNREACHABLE where no broker answers. */
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

/** By the codes of OpenSSL and of Node (node:tls, "X509 certificate error codes"), which kafkajs hands on. */
const isCertificateError = (error: unknown) =>
  error instanceof kafkajs.KafkaJSConnectionError &&
  'code' in error &&
  /CERT|LEAF_SIGNATURE|CRL|CA_|ALTNAME/.test(String(error.code))

/** The CameoError for an error of kafkajs. */
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
  // kafkajs's types do not export its class.
  if (cause instanceof Error && cause.name === 'KafkaJSConnectionClosedError')
    return new CameoError(
      'BROKER_UNREACHABLE',
      `the broker ${brokers} closes the connection; try again, or use TLS or SASL where it asks for it`,
      { cause, details: { remedy: 'secure-connection', brokers: connection.brokers } },
    )
  return new CameoError('BROKER_UNREACHABLE', `no broker answers at ${brokers} (${messageOf(error)})`, {
    cause: error,
    details: { remedy: 'start-broker', brokers: connection.brokers },
  })
}

/** Anything that kafkajs throws. */
export const isBrokerError = (error: unknown): boolean =>
  error instanceof Error && error.name.startsWith('KafkaJS')

/** Whether the same request may succeed later: brokers that are away, restart or elect leaders. */
export function isTransient(error: unknown): boolean {
  // Where a retry within a retry ends, kafkajs calls what may pass final; the reason is below.
  for (let cause = error; cause instanceof kafkajs.KafkaJSError; cause = cause.cause)
    if (cause.retriable) return !isCertificateError(cause)
  return false
}

/**
 * Ends the process a moment after its work, if it does not end by itself: where a broker was away, connections and retries of
 * kafkajs may live on. To be called when everything is closed.
 */
export function endProcessSoon(): void {
  setTimeout(() => process.exit(), 2000).unref()
}

export function isUnknownTopic(error: unknown): boolean {
  const cause = error instanceof kafkajs.KafkaJSNumberOfRetriesExceeded ? error.cause : error
  return cause instanceof kafkajs.KafkaJSProtocolError && cause.type === 'UNKNOWN_TOPIC_OR_PARTITION'
}

/** Topics that were made a moment ago have no leaders yet, and brokers elect new ones: asked again for some seconds. */
export async function whenSettled<T>(ask: () => Promise<T>): Promise<T> {
  return pRetry(ask, { retries: 19, minTimeout: 500, factor: 1, shouldRetry: ({ error }) => passesBy(error) })
}

/** Whether it is a broker's answer that it gives for a while only. */
function passesBy(error: unknown): boolean {
  if (error instanceof kafkajs.KafkaJSNumberOfRetriesExceeded) return passesBy(error.cause)
  if (error instanceof kafkajs.KafkaJSAggregateError) return error.errors.every(passesBy)
  return error instanceof kafkajs.KafkaJSProtocolError && error.retriable
}

export interface Publisher {
  /** Resolves when all brokers in sync have the messages. Throws MESSAGE_TOO_LARGE before any is sent, else kafkajs's errors. */
  send(messages: readonly OutMessage[]): Promise<void>
  disconnect(): Promise<void>
}

/** What is to be sent within this time goes in one request. */
const lingerMs = 20

/**
 * Messages arrive at least once: a broker that stops may have taken what it did not confirm. What reads them tolerates
 * that, and their order too, so nothing depends on kafkajs's idempotent producer, which does not outlive a broker's restart.
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
        // One entry a message: kafkajs puts those of a topic together.
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

/** The partitions of a topic that a member of a group reads; undefined while the group is arranged anew. */
export function assignedPartitions(
  { memberAssignment }: { readonly memberAssignment: Buffer },
  topic: string,
): readonly number[] | undefined {
  if (memberAssignment.length === 0) return undefined
  return kafkajs.AssignerProtocol.MemberAssignment.decode(memberAssignment)?.assignment[topic] ?? []
}
