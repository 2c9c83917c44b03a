import { createKafka, type Consumer, type KafkaClient } from '../../workers/kafka/broker/client.js'
import { createSilentLog } from '../../workers/service/log.js'

type RunConfig = NonNullable<Parameters<Consumer['run']>[0]>
type Commits = Parameters<Consumer['commitOffsets']>[0]

/** One of kafkajs's consumers: it has no broker, and what a broker would do is said by the test. */
export interface ScriptedConsumer {
  readonly commits: Commits
  /** Hands out a batch; there from `run` on. */
  readonly handOut: NonNullable<RunConfig['eachBatch']> | undefined
  readonly isDisconnected: boolean
  emit(event: 'HEARTBEAT' | 'GROUP_JOIN' | 'CRASH', payload: unknown): void
}

/** @param refusals one for each consumer made: the error that its group answers with, or undefined */
export function scriptedKafka(refusals: readonly (Error | undefined)[] = []) {
  const made: ScriptedConsumer[] = []
  const connection = {
    ...{ brokers: ['127.0.0.1:1'], clientId: 'test', prefix: 'test' },
    ...{ tls: undefined, sasl: undefined },
  }
  const real = createKafka(connection, createSilentLog(), 'prompt')
  const kafka: Pick<KafkaClient, 'consumer'> = {
    consumer(config) {
      const consumer = real.consumer(config)
      const scripted = script(consumer, refusals[made.length])
      made.push(scripted.script)
      return { ...consumer, ...scripted.verbs }
    },
  }
  return { kafka, made }
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
      // As kafkajs does: it resolves all the same.
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
