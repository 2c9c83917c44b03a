/**
 * Measures the same clips through Kafka (one faces, one describe and one index worker) and in the embedded
 * mode, in turns. Exit code 1 if the target is missed, 2 if it could not run.
 *
 *   node dist/scripts/bench/kafka.js [--images DIR] [--threads 2] [--clips N] [--rounds 3] [--json]
 *
 * Uses all short clips of bench:ingest unless --clips is given. With more clips the end counts less, when
 * stages wait for each other's last messages.
 *
 * Both modes have the same number of threads. The other workers and the broker (KAFKA_BROKERS, else one that
 * is started) share the same cores. In both modes throughput is measured from the moment when a tenth of the
 * clips is reported to the last clip, so start-up and warm-up do not count.
 */
import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { rmSync, statSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs, promisify } from 'node:util'
import { openArchive } from '../../index/archive/open-archive.js'
import { countContent } from '../../index/store/counts.js'
import { databaseFileName } from '../../index/store/database.js'
import { emptyLog } from '../../index/store/erasure.js'
import { createKafka } from '../../workers/kafka/broker/client.js'
import { readConnection } from '../cli/kafka-connection.js'
import { startTopicReader } from '../../workers/kafka/broker/topic-reader.js'
import { topicName, type TopicKind } from '../../workers/kafka/broker/topics.js'
import { createSilentLog } from '../../workers/service/log.js'
import { everyNth, findImages, linkInto, prepareClips } from './clips.js'
import { median } from './measure.js'
import { usePack } from '../cli/caller.js'
import { defaultPackName } from '../../pipeline/models/packs/catalog.js'
import { numberWithin } from '../cli/options.js'
import { exitCodes, note, print, printJson, reportError } from '../cli/output.js'

const targetShare = 0.9

const command = fileURLToPath(new URL('../cameo.js', import.meta.url))
const kafkaScript = fileURLToPath(new URL('../../../scripts/kafka.sh', import.meta.url))
const outputDir = resolve('bench-output')

interface Round {
  readonly embeddedClipsPerS: number
  readonly kafkaClipsPerS: number
}

interface Figures {
  readonly clips: number
  readonly threads: number
  readonly rounds: readonly Round[]
  /** Median over the rounds. */
  readonly share: number
  readonly embeddedClipsPerS: number
  readonly kafkaClipsPerS: number
  /** Bytes of all messages of a clip, by topic. */
  readonly bytesAClip: Readonly<Record<string, number>>
  readonly totalBytesAClip: number
  /** What the archive holds of a clip. */
  readonly archived: Archived
}

interface Archived {
  readonly secondsAClip: number
  readonly tracksAClip: number
  readonly facesATrack: number
  /** Bytes of the SQLite file. There are too few vectors for a snapshot of the index. */
  readonly bytesAClip: number
}

function measureArchive(dir: string): Archived {
  const archive = openArchive(dir)
  const { clips, tracks, faces, durationS } = countContent(archive.database)
  emptyLog(archive.database)
  archive.close()
  const bytes = statSync(join(dir, databaseFileName)).size
  return {
    secondsAClip: durationS / clips,
    tracksAClip: tracks / clips,
    facesATrack: faces / tracks,
    bytesAClip: bytes / clips,
  }
}

/** Share of the clips that are reported before the clock starts. */
const warmUpShare = 0.1

/** Clips/s from the end of the warm-up to the last clip in a `--json` output. */
async function clipsPerS(args: readonly string[], env: NodeJS.ProcessEnv, clips: number): Promise<number> {
  const child = spawn(process.execPath, [command, ...args, '--json'], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let complaints = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => (complaints += text))
  const times: number[] = []
  for await (const line of createInterface(child.stdout)) {
    const { status } = JSON.parse(line) as { status?: string }
    if (status !== 'done') throw new Error(`a clip was not done: ${line}`)
    times.push(performance.now())
  }
  const warm = Math.floor(warmUpShare * clips)
  const [first, last] = [times[warm], times.at(-1)]
  if (times.length !== clips || first === undefined || last === undefined)
    throw new Error(`${times.length} of ${clips} clips were done: ${complaints.slice(-2000)}`)
  return ((clips - 1 - warm) * 1000) / (last - first)
}

function startThreads(env: NodeJS.ProcessEnv, threads: number): ChildProcess[] {
  return (['faces', 'describe', 'index'] as const).map((stage) =>
    spawn(
      process.execPath,
      [command, 'worker', stage, ...(stage === 'faces' ? ['--threads', `${threads}`] : [])],
      { env: { ...env, CAMEO_LOG_LEVEL: 'warn' }, stdio: ['ignore', 'ignore', 'inherit'] },
    ),
  )
}

async function stopAll(workers: readonly ChildProcess[]): Promise<void> {
  await Promise.all(
    workers.map(
      (worker) =>
        new Promise((done) => {
          if (worker.exitCode !== null) done(undefined)
          worker.on('exit', done)
          worker.kill('SIGTERM')
        }),
    ),
  )
}

const measuredTopics: readonly TopicKind[] = ['jobs', 'embeddings', 'descriptors', 'status']

async function bytesByTopic(brokers: string, prefix: string): Promise<Map<TopicKind, number>> {
  const connection = { ...readConnection(brokers), prefix }
  const log = createSilentLog()
  const kafka = createKafka(connection, log, 'prompt')
  const bytes = new Map<TopicKind, number>()
  for (const kind of measuredTopics) {
    let sum = 0
    const reader = await startTopicReader({
      ...{ kafka, connection, log },
      topic: topicName(connection, kind),
      onMessage: ({ key, value }) => (sum += (key?.byteLength ?? 0) + (value?.byteLength ?? 0)),
    })
    await reader.caughtUp
    await reader.stop()
    bytes.set(kind, sum)
  }
  return bytes
}

async function measure(
  brokers: string,
  imagesDir: string,
  threads: number,
  clipCount: number,
  roundCount: number,
): Promise<Figures> {
  await usePack(defaultPackName)
  const { short } = await prepareClips(imagesDir)
  const chosen = everyNth(short, Math.min(clipCount, short.length))
  const folder = linkInto(resolve(outputDir, 'chosen'), chosen)
  const rounds: Round[] = []
  let bytes = new Map<TopicKind, number>()
  for (let round = 1; round <= roundCount; round++) {
    const prefix = `bench.${process.pid}.${round}`
    const archive = (name: string) => resolve(outputDir, `archive-${name}`)
    const env = { ...process.env, KAFKA_BROKERS: brokers, KAFKA_TOPIC_PREFIX: prefix }
    for (const name of ['embedded', 'kafka']) rmSync(archive(name), { recursive: true, force: true })
    note(`round ${round} of ${roundCount}: ${chosen.length} clips, embedded …`)
    const embeddedClipsPerS = await clipsPerS(
      ['ingest', folder, '--archive', archive('embedded'), '--threads', `${threads}`],
      env,
      chosen.length,
    )
    note('and through Kafka …')
    const workers = startThreads({ ...env, CAMEO_ARCHIVE: archive('kafka') }, threads)
    try {
      const kafkaClipsPerS = await clipsPerS(['submit', folder], env, chosen.length)
      rounds.push({ embeddedClipsPerS, kafkaClipsPerS })
    } finally {
      await stopAll(workers)
    }
    bytes = await bytesByTopic(brokers, prefix)
  }
  const medianOf = (pick: (round: Round) => number) => median(rounds.map(pick))
  const bytesAClip = Object.fromEntries(
    [...bytes].map(([kind, sum]) => [kind, Math.round(sum / chosen.length)]),
  )
  return {
    ...{ clips: chosen.length, threads, rounds, bytesAClip },
    share: medianOf((round) => round.kafkaClipsPerS / round.embeddedClipsPerS),
    embeddedClipsPerS: medianOf((round) => round.embeddedClipsPerS),
    kafkaClipsPerS: medianOf((round) => round.kafkaClipsPerS),
    archived: measureArchive(resolve(outputDir, 'archive-kafka')),
    totalBytesAClip: Object.values(bytesAClip).reduce((sum, of) => sum + of, 0),
  }
}

function report(figures: Figures): void {
  const { clips, threads, rounds, share, bytesAClip, totalBytesAClip, archived } = figures
  print(`${clips} clips, ${threads} threads, ${rounds.length} rounds, clips/s after the first tenth`)
  for (const { embeddedClipsPerS, kafkaClipsPerS } of rounds)
    print(
      `  embedded ${embeddedClipsPerS.toFixed(2)}, through Kafka ${kafkaClipsPerS.toFixed(2)}: ${(kafkaClipsPerS / embeddedClipsPerS).toFixed(3)}`,
    )
  print(
    `  messages of a clip: ${(totalBytesAClip / 1000).toFixed(1)} KB (${Object.entries(bytesAClip)
      .map(([topic, bytes]) => `${topic} ${(bytes / 1000).toFixed(1)}`)
      .join(', ')})`,
  )
  print(
    `  in the archive: ${(archived.bytesAClip / 1000).toFixed(1)} KB per clip of ${archived.secondsAClip.toFixed(2)} s, ${archived.tracksAClip.toFixed(2)} tracks of ` +
      `${archived.facesATrack.toFixed(1)} faces`,
  )
  print(
    `${share >= targetShare ? 'reached' : 'MISSED '} throughput at least ${targetShare} of the embedded mode's: ${share.toFixed(3)} (median)`,
  )
}

/** Brokers of the environment, else one that ends with this process. */
async function withBrokers<T>(work: (brokers: string) => Promise<T>): Promise<T> {
  const { KAFKA_BROKERS: given } = process.env
  if (given !== undefined && given !== '') return work(given)
  const brokers = '127.0.0.1:19092'
  const env = {
    ...process.env,
    KAFKA_BROKERS: brokers,
    CAMEO_KAFKA_DIR: resolve(outputDir, 'kafka'),
    CAMEO_KAFKA_WITH: `${process.pid}`,
  }
  rmSync(resolve(outputDir, 'kafka'), { recursive: true, force: true })
  await promisify(execFile)(kafkaScript, ['start'], { env })
  try {
    return await work(brokers)
  } finally {
    await promisify(execFile)(kafkaScript, ['stop'], { env })
  }
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      images: { type: 'string' },
      threads: { type: 'string', default: '2' },
      clips: { type: 'string' },
      rounds: { type: 'string', default: '3' },
      json: { type: 'boolean', default: false },
    },
  })
  try {
    const count = (text: string, low: number) => numberWithin(low, 1e6, 'integer')(text)
    const figures = await withBrokers((brokers) =>
      measure(
        brokers,
        findImages(values.images),
        count(values.threads, 1),
        values.clips === undefined ? Infinity : count(values.clips, 2),
        count(values.rounds, 1),
      ),
    )
    if (values.json) printJson(figures)
    else report(figures)
    return figures.share >= targetShare ? exitCodes.ok : exitCodes.someFailed
  } catch (error) {
    reportError(error, values.json)
    return exitCodes.failed
  }
}

process.exitCode = await main()
