import { createKafka, type Consumer, type KafkaClient } from '../../workers/kafka/broker/client.js'
import { createSilentLog } from '../../workers/service/log.js'

type RunConfig = NonNullable<Parameters<Consumer['run']>[0]>
type ConsumerConfig = NonNullable<Parameters<KafkaClient['consumer']>[0]>
type Commits = Parameters<Consumer['commitOffsets']>[0]

/** A consumer like kafkajs's, without a broker. The test plays the broker's part. */
export interface ScriptedConsumer {
  readonly commits: Commits
  /** Passes a batch to the consumer; defined after `run`. */
  readonly handOut: NonNullable<RunConfig['eachBatch']> | undefined
  readonly isDisconnected: boolean
  emit(event: 'HEARTBEAT' | 'GROUP_JOIN' | 'CRASH', payload: unknown): void
}

/** @param refusals one per created consumer: the error with which its group refuses it, or undefined */
export function scriptedKafka(refusals: readonly (Error | undefined)[] = []) {
  const made: ScriptedConsumer[] = []
  const configs: ConsumerConfig[] = []
  const connection = {
    ...{ brokers: ['127.0.0.1:1'], clientId: 'test', prefix: 'test' },
    ...{ tls: undefined, sasl: undefined },
  }
  const real = createKafka(connection, createSilentLog(), 'prompt')
  const kafka: Pick<KafkaClient, 'consumer'> = {
    consumer(config) {
      configs.push(config)
      const consumer = real.consumer(config)
      const scripted = script(consumer, refusals[made.length])
      made.push(scripted.script)
      return { ...consumer, ...scripted.verbs }
    },
  }
  return { kafka, made, configs }
}

function script({ events }: Consumer, refusal: Error | undefined) {
  const listeners = new Map<string, (event: never) => void>()
  const state: { -readonly [name in keyof ScriptedConsumer]: ScriptedConsumer[name] } = {
    ...{ commits: [], handOut: undefined, isDisconnected: false },
    emit(event, payload) {
      const listener = listeners.get(events[event]) as ((event: unknown) => void) | undefined
      listener?.({ payload })
    },
  }
  const verbs = {
    connect: () => Promise.resolve(),
    subscribe: () => Promise.resolve(),
    run(config?: RunConfig) {
      state.handOut = config?.eachBatch
      // As in kafkajs: it resolves anyway.
      if (refusal !== undefined) state.emit('CRASH', { error: refusal, restart: false })
      return Promise.resolve()
    },
    commitOffsets(offsets: Commits) {
      state.commits.push(...offsets)
      return Promise.resolve()
    },
    disconnect() {
      state.isDisconnected = true
      return Promise.resolve()
    },
    on(event: string, listener: (event: never) => void) {
      listeners.set(event, listener)
      return () => undefined
    },
  }
  return { script: state as ScriptedConsumer, verbs }
}
