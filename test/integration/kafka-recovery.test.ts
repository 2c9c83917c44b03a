import assert from 'node:assert/strict'
import { cpSync, mkdirSync, realpathSync, rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { z } from 'zod'
import { setTimeout as pause } from 'node:timers/promises'
import { openArchive } from '../../index/archive/open-archive.js'
import { lastJournalEntry } from '../../index/store/journal.js'
import { readMeta } from '../../index/store/meta.js'
import { ffmpegVersion } from '../../pipeline/decode/ffmpeg.js'
import { createKafka } from '../../workers/kafka/broker/client.js'
import { createTopics } from '../../workers/kafka/broker/create-topics.js'
import { createSilentLog } from '../../workers/service/log.js'
import { startWorker, testBroker, type TestBroker } from '../support/broker.js'
import { cameo, jsonLines, temporaryDir } from '../support/cameo.js'
import { makeFaceClip, makeFacePhoto } from '../support/faces.js'
import { createQueue, heldAfterReplay, until } from '../support/queue.js'

const dir = realpathSync(temporaryDir())
let broker: TestBroker

async function folderWithOne(name: string): Promise<string> {
  const folder = join(dir, name)
  mkdirSync(folder)
  await makeFaceClip(join(folder, 'one.mp4'), 'sofa left')
  return folder
}

const shownNameSchema = z.object({
  name: z.string(),
  corrections: z.array(z.object({ verdict: z.string(), found: z.boolean() })),
  faces: z.array(z.object({ picture: z.string().nullable() })),
})

describe('Kafka: recovery from lost, restored and refused data', { timeout: 15 * 60_000 }, () => {
  before(async () => {
    broker = await testBroker()
  })

  after(() => broker.stop())

  it('the index worker notices topics that were created again, and a replay starts over', async () => {
    const queue = await createQueue(broker, 'anew')
    const folder = await folderWithOne('anew clips')
    queue.startHere('faces')
    queue.startHere('describe')
    const index = queue.startHere('index')
    assert.equal((await queue.run('submit', folder)).code, 0)
    assert.equal(await index.stop(), 0)
    const kafka = createKafka(queue.connection, createSilentLog(), 'prompt')
    const admin = kafka.admin()
    await admin.connect()
    await admin.deleteTopics({ topics: [`${queue.connection.prefix}.descriptors`] })
    await admin.disconnect()
    await pause(1000)
    await createTopics(kafka, queue.connection)
    const refused = await queue.run('worker', 'index')
    assert.equal(refused.code, 2)
    assert.match(refused.stderr, /TOPIC_CHANGED/)
    assert.deepEqual(queue.counts(), { clips: 1, tracks: 1 })
    const replayed = await queue.run('replay', '--json')
    assert.equal(replayed.code, 0, replayed.stderr)
    assert.deepEqual(heldAfterReplay(replayed.stdout), [{ clips: 0, tracks: 0 }])
    // The status of the lost clip is deleted, so that the clip is not skipped as finished.
    queue.startHere('index')
    const again = await queue.run('submit', folder, '--json')
    assert.deepEqual(jsonLines(again.stdout).map(({ status }) => status), ['done']) // prettier-ignore
    assert.deepEqual(queue.counts(), { clips: 1, tracks: 1 })
    await queue.close()
  })

  it('an archive restored from a copy gets newer names, and nothing that was forgotten', async () => {
    const queue = await createQueue(broker, 'copy')
    const folder = join(dir, 'copied clips')
    mkdirSync(folder)
    for (const face of ['sofa left', 'bar left'] as const)
      await makeFaceClip(join(folder, `${face}.mp4`), face)
    const photo = await makeFacePhoto(join(dir, 'copied.jpg'), 'sofa left')
    const work = async (...commands: readonly (readonly string[])[]) => {
      const index = queue.startHere('index')
      for (const command of commands) assert.equal((await queue.run(...command)).code, 0)
      await until('names are published', () => {
        const opened = openArchive(queue.archive)
        const published = Number(readMeta(opened.database, 'kafka.journal_published') ?? -1)
        const last = lastJournalEntry(opened.database)
        opened.close()
        return published >= last
      })
      assert.equal(await index.stop(), 0)
    }
    queue.startHere('faces')
    queue.startHere('describe')
    const forgotten = join(folder, 'bar left.mp4')
    await work(['submit', folder], ['enroll', 'Bob', photo], ['enroll', 'Cleo', photo, forgotten, '--force'])
    const copy = join(dir, 'copy of the archive')
    cpSync(queue.archive, copy, { recursive: true })
    await work(
      ...[
        ['forget', '--clip', forgotten],
        ['forget', '--name', 'Bob'],
        ['enroll', 'Ada', photo],
        ['reject', 'Cleo', join(folder, 'sofa left.mp4')],
        ['people', 'alias', 'Ada', 'Countess'],
      ],
    )
    rmSync(queue.archive, { recursive: true })
    cpSync(copy, queue.archive, { recursive: true })
    const replayed = await queue.run('replay', '--json')
    assert.deepEqual(heldAfterReplay(replayed.stdout), [{ clips: 1, tracks: 1 }], replayed.stderr)
    const names = async () =>
      (JSON.parse((await queue.run('status', '--json')).stdout) as { identities: unknown }).identities
    const left = [
      { name: 'Ada', faces: 1 },
      { name: 'Cleo', faces: 1 },
    ]
    assert.deepEqual(await names(), left)
    /** What people said, and whether the faces have pictures. */
    const said = async () => {
      const shown = async (name: string) =>
        shownNameSchema.parse(JSON.parse((await queue.run('people', 'show', name, '--json')).stdout))
      const [cleo, countess] = [await shown('Cleo'), await shown('Countess')]
      return {
        cleo: cleo.corrections.map(({ verdict, found }) => [verdict, found]),
        countess: countess.name,
        pictures: [...cleo.faces, ...countess.faces].map(({ picture }) => picture !== null),
      }
    }
    const saidBefore = { cleo: [['rejected', true]], countess: 'Ada', pictures: [true, true] }
    assert.deepEqual(await said(), saidBefore)
    // It also does not come back into the topic for others.
    rmSync(queue.archive, { recursive: true })
    assert.equal((await queue.run('replay', '--json')).code, 0)
    assert.deepEqual(queue.counts(), { clips: 1, tracks: 1 })
    assert.deepEqual(await names(), left)
    assert.deepEqual(await said(), saidBefore)
    await queue.close()
  })

  it('a refused message is retried as a whole clip; an invalid letter does not hide the others', async () => {
    const queue = await createQueue(broker, 'refused')
    const folder = await folderWithOne('refused clips')
    queue.startHere('faces')
    queue.startHere('describe')
    const index = queue.startHere('index')
    assert.equal((await queue.run('submit', folder)).code, 0)
    const other = await queue.run('submit', folder, '--fps', '3', '--json')
    assert.equal(jsonLines(other.stdout)[0]?.['code'], 'ARCHIVE_OTHER_RECIPE')
    await queue.publisher.send([
      { topic: `${queue.connection.prefix}.dead-letters`, key: 'x', value: Buffer.from('?') },
    ])
    assert.equal((await queue.letters()).length, 1)
    assert.equal(await index.stop(), 0)
    queue.startHere('index', { reprocess: true })
    const retried = await queue.run('dead-letters', 'retry', '--json')
    assert.deepEqual(jsonLines(retried.stdout), [{ sent: 1 }], retried.stderr)
    assert.match(retried.stderr, /1 message of the topic is not a letter/)
    const done = await queue.run('submit', folder, '--fps', '3', '--json')
    assert.deepEqual(jsonLines(done.stdout).map(({ code }) => code), [undefined]) // prettier-ignore
    assert.equal((await queue.letters()).length, 0)
    await queue.close()
  })

  it('a worker that cannot work says so and ends; other workers process the queue', async () => {
    const queue = await createQueue(broker, 'broken')
    const folder = await folderWithOne('broken clips')
    const environment = { ...queue.environment, FFMPEG_PATH: '/nowhere/ffmpeg' }
    const broken = await cameo(['worker', 'faces', '--threads', '1'], environment)
    assert.equal(broken.code, 2)
    assert.match(broken.stderr, /FFMPEG_MISSING/)
    const away = await cameo(
      ['worker', 'faces', '--root', `/clips=${join(dir, 'no share')}`],
      queue.environment,
    )
    assert.equal(away.code, 2)
    assert.match(away.stderr, /no share; mount it.*--root.*ROOT_MISSING/)
    // A worker that loses ffmpeg during its work returns its messages.
    const link = join(dir, 'ffmpeg')
    symlinkSync((await ffmpegVersion()).path, link)
    const worker = startWorker('faces', { ...queue.environment, FFMPEG_PATH: link }, [
      '--threads',
      '1',
      '--drain',
      '1',
    ])
    await worker.said('joined the group')
    rmSync(link)
    assert.equal((await queue.run('submit', folder, '--no-wait')).code, 0)
    await worker.said('this worker cannot continue')
    for (const stage of ['faces', 'describe', 'index'] as const) queue.startHere(stage)
    assert.equal((await queue.run('submit', folder)).code, 0)
    assert.deepEqual(await queue.letters(), [])
    await queue.close()
  })
})
