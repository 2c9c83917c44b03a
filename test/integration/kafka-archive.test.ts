import assert from 'node:assert/strict'
import { mkdirSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { readConnection } from '../../scripts/cli/kafka-connection.js'
import type { TopicKind } from '../../workers/kafka/broker/topics.js'
import { comparable, search } from '../support/answers.js'
import { dumpArchive } from '../support/archive-dump.js'
import {
  queueEnvironment,
  startBroker,
  startWorker,
  type Stage,
  type TestBroker,
  type TestWorker,
} from '../support/broker.js'
import { cameo, jsonLines, temporaryDir, type CommandResult } from '../support/cameo.js'
import { fakeFfmpeg, waitWhile } from '../support/fake-ffmpeg.js'
import { faceNames, makeFaceClip, makeFacePhoto } from '../support/faces.js'
import { countsOf, messagesIn, until } from '../support/queue.js'
import { seededRandom } from '../support/random.js'

const dir = realpathSync(temporaryDir())
/** The film and a few short clips: enough work for a break in the middle of it. */
const folder = join(dir, 'clips')
/** The other clips of the 60. */
const more = join(dir, 'more')
const all = [folder, more]
const embedded = join(dir, 'embedded')
const shortClips = 59
const shortClipsInFolder = 15
/** Enough segments that each of two workers certainly gets some: keys are spread by their hash. */
const filmSegments = 16
const settings = ['--segment', '1']
const seed = 20_261_124

const fleets: Fleet[] = []

/** A queue with its own archive and workers. */
class Fleet {
  readonly archive: string
  readonly environment: NodeJS.ProcessEnv
  readonly workers: TestWorker[] = []

  constructor(name: string) {
    fleets.push(this)
    this.archive = join(dir, name)
    this.environment = queueEnvironment(broker.brokers, name, this.archive)
  }

  start(stage: Stage, ...args: readonly string[]): TestWorker {
    // One thread each: this machine runs other workers too.
    const worker = startWorker(stage, this.environment, [
      ...args,
      ...(stage === 'faces' ? ['--threads', '1'] : []),
    ])
    this.workers.push(worker)
    return worker
  }

  startAll(stages: readonly Stage[] = ['faces', 'faces', 'describe', 'index']): void {
    for (const stage of stages) this.start(stage)
  }

  command(args: readonly string[]): Promise<CommandResult> {
    return cameo(args, this.environment)
  }

  submit(folders: readonly string[]): Promise<CommandResult> {
    return this.command(['submit', ...folders, ...settings, '--json'])
  }

  /** Number of messages in a topic. */
  messages(kind: TopicKind): Promise<number> {
    return messagesIn(readConnection(broker.brokers, this.environment), kind)
  }

  of(stage: Stage): TestWorker {
    const worker = this.workers.find((candidate) => candidate.stage === stage)
    assert.ok(worker)
    return worker
  }

  /** Number of segments that the faces workers have finished, including those that were done twice. */
  facesDone(): number {
    const logs = this.workers.filter(({ stage }) => stage === 'faces').flatMap(({ log }) => log)
    return logs.filter(({ msg }) => msg === 'done').length
  }

  async stop(): Promise<void> {
    const codes = await Promise.all(this.workers.map((worker) => worker.stop()))
    assert.deepEqual(
      codes,
      codes.map(() => 0),
      'workers end with exit code 0 when asked to',
    )
  }

  async discard(): Promise<void> {
    await Promise.all(this.workers.map((worker) => worker.kill()))
  }
}

let broker: TestBroker
/** Of all clips, and of those in `folder`. */
let wholeDump: string[] = []
let folderDump: string[] = []

async function assertSameAnswers(archive: string): Promise<void> {
  for (const face of ['costumes right', 'sofa left'] as const) {
    const photo = await makeFacePhoto(join(dir, `${face}.jpg`), face)
    const ask = async (of: string) =>
      comparable(await search(['--image', photo, '--archive', of, '--min-score', '0.1', '--top', '100']))
    const answer = await ask(archive)
    assert.ok(answer.results.length >= 2)
    assert.deepEqual(answer, await ask(embedded))
  }
}

async function assertComplete(fleet: Fleet, submitted: CommandResult, dump: string[]): Promise<void> {
  assert.equal(submitted.code, 0, submitted.stderr)
  assert.deepEqual(dumpArchive(fleet.archive), dump)
  const letters = await fleet.command(['dead-letters', 'list', '--json'])
  assert.equal(letters.code, 0, letters.stderr)
  assert.equal(letters.stdout, '')
}

describe('Kafka: the archive equals that of the embedded mode', { timeout: 28 * 60_000 }, () => {
  before(async () => {
    for (const made of all) mkdirSync(made)
    await makeFaceClip(join(folder, '00 film.mp4'), 'costumes right', {
      seconds: filmSegments,
      then: ['sofa left', 'party third'],
    })
    for (let number = 0; number < shortClips; number++) {
      const face = faceNames[number % faceNames.length] ?? 'sofa left'
      const variant = Math.floor(number / faceNames.length)
      const name = `${String(number + 1).padStart(2, '0')} ${face}.mp4`
      const path = join(number < shortClipsInFolder ? folder : more, name)
      await makeFaceClip(path, face, { seconds: 1, variant })
    }
    broker = await startBroker()
    const ingest = async (of: string) => {
      const run = await cameo(['ingest', of, '--archive', embedded, ...settings, '--threads', '2'])
      assert.equal(run.code, 0, run.stderr)
      return dumpArchive(embedded)
    }
    folderDump = await ingest(folder)
    wholeDump = await ingest(more)
  })

  after(async () => {
    for (const fleet of fleets) await fleet.discard()
    await broker.stop()
  })

  describe('two faces workers, one describe, one index', () => {
    let fleet: Fleet

    before(async () => {
      fleet = new Fleet('plain')
      fleet.startAll()
      // A worker that starts late would find the film done.
      for (const worker of fleet.workers) await worker.said('joined the group')
    })

    it('60 clips: same rows, same embeddings to the bit, same answers', async () => {
      const run = await fleet.submit(all)
      await assertComplete(fleet, run, wholeDump)
      const lines = jsonLines(run.stdout)
      assert.equal(lines.length, shortClips + 1)
      assert.ok(lines.every(({ status }) => status === 'done'))
      await assertSameAnswers(fleet.archive)
    })

    it('both faces workers worked on the film', () => {
      const shares = fleet.workers
        .filter(({ stage }) => stage === 'faces')
        .map(({ log }) => log.filter(({ msg, uri }) => msg === 'done' && String(uri).includes('film')).length)
      assert.equal(
        shares.reduce((sum, share) => sum + share, 0),
        filmSegments,
      )
      assert.ok(
        shares.every((share) => share > 0),
        `segments of the film per worker: ${shares.join(', ')}`,
      )
    })

    it('when submitted again, everything is unchanged and nothing is processed', async () => {
      const messages = async () => [
        await fleet.messages('jobs'),
        await fleet.messages('embeddings'),
        await fleet.messages('descriptors'),
      ]
      const before = await messages()
      const run = await fleet.submit(all)
      assert.equal(run.code, 0, run.stderr)
      assert.ok(jsonLines(run.stdout).every(({ status }) => status === 'unchanged'))
      assert.deepEqual(await messages(), before)
      assert.ok(before.every((count) => count > shortClips))
    })

    it('enrol, forget, replay: the name is there, forgotten clips stay forgotten', async () => {
      const photo = await makeFacePhoto(join(dir, 'ada.jpg'), 'costumes right')
      const gone = join(folder, '01 sofa left.mp4')
      const forgotten = join(folder, `02 ${faceNames[1] ?? ''}.mp4`)
      for (const args of [
        ['enroll', 'Ada', photo],
        ['enroll', 'Nobody', photo],
        ['forget', '--clip', forgotten],
        ['forget', '--name', 'Nobody'],
      ]) {
        const run = await fleet.command(args)
        assert.equal(run.code, 0, run.stderr)
      }
      assert.notEqual(gone, forgotten)
      const kept = dumpArchive(fleet.archive)
      // The index worker publishes names and erasures within a second: one message per command.
      await until('names and erasures are published', async () => (await fleet.messages('names')) >= 4)
      const index = fleet.of('index')
      await index.stop()
      const replayed = await fleet.command(['replay', '--json'])
      assert.equal(replayed.code, 0, replayed.stderr)
      assert.deepEqual(dumpArchive(fleet.archive), kept)
      const askForAda = async () => comparable(await search(['--name', 'Ada', '--archive', fleet.archive]))
      const named = await askForAda()
      assert.ok(named.results.length > 2)
      assert.equal((await fleet.command(['search', '--name', 'Nobody'])).code, 2)

      rmSync(fleet.archive, { recursive: true })
      const rebuilt = await fleet.command(['replay', '--json'])
      assert.equal(rebuilt.code, 0, rebuilt.stderr)
      assert.deepEqual(dumpArchive(fleet.archive), kept, 'also if the whole archive was lost')
      assert.deepEqual(await askForAda(), named)
      assert.equal((await fleet.command(['search', '--name', 'Nobody'])).code, 2)
      fleet.workers.splice(fleet.workers.indexOf(index), 1)
    })

    it('an index worker rebuilds a deleted archive', async () => {
      rmSync(fleet.archive, { recursive: true })
      const index = fleet.start('index')
      await index.said('joined the group')
      await until('all clips but the forgotten one are there', () => countsOf(fleet.archive).clips === 59)
      assert.equal(wholeDump.filter((line) => line.startsWith('clips ')).length, 60)
      assert.equal(dumpArchive(fleet.archive).filter((line) => line.startsWith('clips ')).length, 59)
    })

    it('all end by themselves when asked to', () => fleet.stop())
  })

  it('kill -9 of every kind of worker, ten times at random moments', async (test) => {
    const fleet = new Fleet('killed')
    fleet.startAll()
    const random = seededRandom(seed)
    const progress = { isDone: false }
    const submitted = fleet.submit(all).finally(() => (progress.isDone = true))
    const kills = 10
    const killed = new Set<string>()
    for (let number = 1; number <= kills; number++) {
      const afterMs = 500 + random() * 2500
      // Earlier if the work is faster: some of it must be left for each later kill.
      const doneAtMost = ((shortClips + filmSegments) * number) / (kills + 2)
      const startedMs = performance.now()
      while (performance.now() - startedMs < afterMs && fleet.facesDone() < doneAtMost) await pause(5)
      assert.ok(!progress.isDone, `the work should last until the last kill, not until kill ${number}`)
      const worker = fleet.workers[Math.floor(random() * fleet.workers.length)]
      assert.ok(worker)
      test.diagnostic(`kill ${number} (seed ${seed}): ${worker.stage}`)
      killed.add(worker.stage)
      await worker.killAndRestart()
    }
    assert.deepEqual([...killed].sort(), ['describe', 'faces', 'index'], 'each kind was killed')
    await assertComplete(fleet, await submitted, wholeDump)
    await fleet.discard()
  })

  it('a broker that is unavailable for 20 s', async () => {
    const fleet = new Fleet('broker')
    fleet.startAll()
    for (const worker of fleet.workers) await worker.said('working')
    const submitted = fleet.submit([folder])
    await fleet.of('faces').said('done', 5)
    await broker.stop()
    await pause(20_000)
    await broker.start()
    await assertComplete(fleet, await submitted, folderDump)
    await fleet.stop()
  })

  it('a worker that joins and one that leaves during the work', async () => {
    const fleet = new Fleet('moving')
    // The work waits until the second worker has joined.
    const hold = join(dir, 'hold')
    fleet.environment['FFMPEG_PATH'] = fakeFfmpeg(
      join(dir, 'held ffmpeg'),
      `*filter_complex*) ${waitWhile(`[ -e '${hold}' ]`)} ;;`,
    )
    fleet.startAll(['faces', 'describe', 'index'])
    const submitted = fleet.submit([folder])
    await fleet.of('faces').said('done', 8)
    writeFileSync(hold, '')
    const joined = fleet.start('faces')
    await joined.said('joined the group')
    rmSync(hold)
    await joined.said('done', 4)
    assert.equal(await fleet.of('faces').stop(), 0)
    fleet.workers.splice(0, 1)
    await assertComplete(fleet, await submitted, folderDump)
    await fleet.stop()
  })
})
