import type { OutMessage } from '../../workers/kafka/broker/out-messages.js'
import { createKafka } from '../../workers/kafka/broker/client.js'
import type { WorkerContext } from '../../workers/kafka/stages/shared/stage-worker.js'
import { createSilentLog } from '../../workers/service/log.js'
import { createMetrics } from '../../workers/service/metrics.js'

/** What a log of names needs, without a broker: `send` gets its messages. */
export function namesContext(send: (messages: readonly OutMessage[]) => Promise<void>): WorkerContext {
  const log = createSilentLog()
  const connection = {
    ...{ brokers: ['127.0.0.1:1'], clientId: 'test', prefix: 'test' },
    ...{ tls: undefined, sasl: undefined },
  }
  return {
    kafka: createKafka(connection, log, 'prompt'),
    ...{ connection, log, metrics: createMetrics('index') },
    publisher: { send, disconnect: () => Promise.resolve() },
  }
}
