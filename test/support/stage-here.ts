import { after } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { pino } from 'pino'
import { usualLimits } from '../../pipeline/common/transfer-pace.js'
import { readHeadFile } from '../../pipeline/describe/head/head-file.js'
import { defaultPackName, findPack } from '../../pipeline/models/packs/catalog.js'
import { noEncoders } from '../../pipeline/models/packs/encoder-file.js'
import { defaultModelsDir } from '../../pipeline/models/packs/models-dir.js'
import { createRecipe, defaultSettings } from '../../pipeline/recipe/recipe.js'
import { createKafka, createPublisher } from '../../workers/kafka/broker/client.js'
import type { KafkaConnection } from '../../workers/kafka/broker/connection.js'
import { startDescribeWorker } from '../../workers/kafka/stages/describe/describe-worker.js'
import { createFacesStage } from '../../workers/kafka/stages/faces/faces-stage.js'
import { startIndexWorker } from '../../workers/kafka/stages/index/index-worker.js'
import type { StageWorker, WorkerContext } from '../../workers/kafka/stages/shared/stage-worker.js'
import { createClipAccess, everywhere, type Root } from '../../workers/remote-clips/clip-access.js'
import { createMetrics } from '../../workers/service/metrics.js'
import { startDescriber } from '../../workers/threads/describe-handle.js'
import type { LogLine, Stage, TestWorker } from './broker.js'
import { temporaryDir } from './cameo.js'

/** A worker in the test's process: it can be stopped, but not killed. */
export type WorkerHere = Pick<TestWorker, 'stage' | 'log' | 'said' | 'stop'>

export interface StageHere {
  readonly connection: KafkaConnection
  /** Of an index worker. */
  readonly archive: string
  /** Of a describe or an index worker. */
  readonly head?: string
  /** Of a faces worker. Default: everywhere. */
  readonly root?: Root
  /** Of an index worker: accept other settings than those of the archive. */
  readonly reprocess?: boolean
}

const running = new Set<WorkerHere>()
// Those that a failed test leaves running would keep its file's process alive.
after(async () => {
  // Their broker may be gone: then they never stop.
  setTimeout(() => process.exit(), 10_000).unref()
  await Promise.race([
    Promise.all([...running].map((worker) => worker.stop().catch(() => undefined))),
    pause(5000, undefined, { ref: false }),
  ])
})

/** The work of `cameo worker …` without the start of a process: most of the time of a short test. */
export function startStageHere(stage: Stage, options: StageHere): WorkerHere {
  const log: LogLine[] = []
  let fatal: unknown
  const starting = start(stage, options, log, (error) => (fatal = error))
  starting.catch((error: unknown) => (fatal = error))
  const worker: WorkerHere = {
    ...{ stage, log },
    async said(text, times = 1) {
      while (log.filter(({ msg }) => msg.includes(text)).length < times) {
        if (fatal !== undefined) throw new Error(`the ${stage} worker cannot continue`, { cause: fatal })
        await pause(20)
      }
    },
    async stop() {
      running.delete(worker)
      await (
        await starting
      )()
      return fatal === undefined ? 0 : 2
    },
  }
  running.add(worker)
  return worker
}

/** Resolves with a function that stops the worker. */
async function start(
  stage: Stage,
  options: StageHere,
  lines: LogLine[],
  onFatal: (error: unknown) => void,
): Promise<() => Promise<void>> {
  const connection = { ...options.connection, clientId: `${stage}-${process.pid}-${Math.random()}` }
  const log = pino(
    { formatters: { level: (label) => ({ level: label }) } },
    { write: (line: string) => void lines.push(JSON.parse(line) as LogLine) },
  )
  const kafka = createKafka(connection, log, 'patient')
  const publisher = await createPublisher(kafka)
  const context = { kafka, connection, publisher, log, metrics: createMetrics(stage) }
  const worker = await starts[stage](context, options, onFatal)
  return async () => {
    await worker.stop(20_000)
    await publisher.disconnect()
  }
}

type Start = (
  context: WorkerContext,
  options: StageHere,
  onFatal: (error: unknown) => void,
) => Promise<StageWorker>

const starts: Readonly<Record<Stage, Start>> = {
  faces(context, { root = everywhere }, onFatal) {
    const access = createClipAccess({
      ...{ rules: { roots: [root], hosts: new Set() }, limits: usualLimits },
      ...{ scratchDir: temporaryDir(), scratchBytes: 1024 ** 3 },
    })
    const pack = findPack(defaultPackName)
    return createFacesStage(context, {
      ...{ access, onFatal, device: { kind: 'cpu' }, threads: 1, maxDeaths: 12, encoders: noEncoders },
      ...{ modelsDir: defaultModelsDir(), loadPack: (name) => Promise.resolve(findPack(name)) },
      usual: createRecipe(pack, defaultSettings),
    })
  },
  async describe(context, { head }) {
    const file = head === undefined ? undefined : await readHeadFile(head)
    const describer = startDescriber({ headFile: head, device: { kind: 'cpu' } })
    const worker = await startDescribeWorker({ context, describer, head: file })
    return {
      groupId: worker.groupId,
      get isHealthy() {
        return worker.isHealthy
      },
      async stop(drainMs) {
        await worker.stop(drainMs)
        await describer.stop()
      },
    }
  },
  async index(context, { archive, head, reprocess = false }, onFatal) {
    const file = head === undefined ? undefined : await readHeadFile(head)
    return startIndexWorker({ context, archiveDir: archive, reprocess, onFatal, head: file })
  },
}
