import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { after } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { openArchive } from '../../index/archive/open-archive.js'
import { createKafka, createPublisher, type Publisher } from '../../workers/kafka/broker/client.js'
import type { KafkaConnection } from '../../workers/kafka/broker/connection.js'
import { readConnection } from '../../scripts/cli/kafka-connection.js'
import { createTopics } from '../../workers/kafka/broker/create-topics.js'
import { clusterStatus, type ClusterStatus } from '../../workers/kafka/broker/cluster-status.js'
import { topicName, type TopicKind } from '../../workers/kafka/broker/topics.js'
import { readDeadLetters, type DeadLetters } from '../../workers/kafka/messages/dead-letters.js'
import { createSilentLog } from '../../workers/service/log.js'
import { queueEnvironment, startWorker, type Stage, type TestBroker, type TestWorker } from './broker.js'
import { cameo, jsonLines, temporaryDir } from './cameo.js'
import { startStageHere, type StageHere, type WorkerHere } from './stage-here.js'

export interface Queue {
  readonly environment: NodeJS.ProcessEnv
  readonly connection: KafkaConnection
  readonly publisher: Publisher
  readonly archive: string
  /** As a process, which can be killed. */
  start(stage: Stage, ...args: readonly string[]): TestWorker
  /** In this process, which is faster. */
  startHere(stage: Stage, options?: Omit<StageHere, 'connection' | 'archive'>): WorkerHere
  run(...args: readonly string[]): ReturnType<typeof cameo>
  letters(): Promise<DeadLetters['letters']>
  status(): Promise<ClusterStatus>
  /** Number of messages in a topic. */
  messages(kind: TopicKind): Promise<number>
  counts(): { readonly clips: number; readonly tracks: number }
  close(): Promise<void>
}

const publishers = new Set<Publisher>()
// Connections that a failed test leaves open would keep its file's process alive.
after(() => Promise.all([...publishers].map((publisher) => publisher.disconnect())))

/** Topics, an archive and workers for one test. */
export async function createQueue(broker: TestBroker, name: string): Promise<Queue> {
  const archive = join(temporaryDir(), 'archive')
  // A shared broker may keep topics of earlier runs.
  const prefix = `${name}.${process.pid}`
  const environment = queueEnvironment(broker.brokers, prefix, archive)
  const connection = readConnection(broker.brokers, environment)
  const kafka = createKafka(connection, createSilentLog(), 'prompt')
  await createTopics(kafka, connection, { jobs: 2 })
  const publisher = await createPublisher(kafka)
  publishers.add(publisher)
  const workers: WorkerHere[] = []
  const queue: Queue = {
    ...{ environment, connection, publisher, archive },
    start(stage, ...args) {
      const worker = startWorker(stage, environment, [
        ...args,
        ...(stage === 'faces' ? ['--threads', '1'] : []),
      ])
      workers.push(worker)
      return worker
    },
    run: (...args) => cameo(args, environment),
    startHere(stage, options = {}) {
      const worker = startStageHere(stage, { ...options, connection, archive })
      workers.push(worker)
      return worker
    },
    letters: async () => (await readDeadLetters(kafka, connection, createSilentLog())).letters,
    status: () => clusterStatus(kafka, connection),
    messages: (kind) => messagesIn(connection, kind),
    counts: () => countsOf(archive),
    async close() {
      await Promise.all(workers.map((worker) => worker.stop()))
      publishers.delete(publisher)
      await publisher.disconnect()
    },
  }
  return queue
}

/** What an archive holds; nothing if it does not exist yet. */
export function countsOf(archive: string): { readonly clips: number; readonly tracks: number } {
  if (!existsSync(join(archive, 'cameo.sqlite'))) return { clips: 0, tracks: 0 }
  const opened = openArchive(archive)
  const { clips, tracks } = opened.clips.counts()
  opened.close()
  return { clips, tracks }
}

/** Number of messages in a topic. */
export async function messagesIn(connection: KafkaConnection, kind: TopicKind): Promise<number> {
  const { topics } = await clusterStatus(createKafka(connection, createSilentLog(), 'prompt'), connection)
  return topics.find(({ topic }) => topic === topicName(connection, kind))?.messages ?? 0
}

/** The `replay --json` lines about what the archive holds. */
export const heldAfterReplay = (stdout: string) =>
  jsonLines(stdout).map(({ clips, tracks }) => ({ clips, tracks }))

export async function until(what: string, isSo: () => boolean | Promise<boolean>): Promise<void> {
  const startedMs = performance.now()
  // A command takes seconds if other work loads the machine.
  while (performance.now() - startedMs < 180_000) {
    if (await isSo()) return
    await pause(100)
  }
  assert.fail(`not within three minutes: ${what}`)
}
