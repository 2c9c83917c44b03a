import assert from 'node:assert/strict'
import { copyFileSync, mkdirSync, realpathSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { encode } from '@msgpack/msgpack'
import { segmentMessages } from '../../workers/kafka/messages/segment-messages.js'
import { createKafka } from '../../workers/kafka/broker/client.js'
import { groupName, maxMessageBytes, topicName } from '../../workers/kafka/broker/topics.js'
import { createSilentLog } from '../../workers/service/log.js'
import { encodeMessage, type WirePlan, type WireRecipe } from '../../workers/kafka/messages/schemas.js'
import { findPack } from '../../pipeline/models/packs/catalog.js'
import { createRecipe, defaultSettings } from '../../pipeline/recipe/recipe.js'
import { openArchive } from '../../index/archive/open-archive.js'
import { lockArchive } from '../../index/store/locks.js'
import { sessionTimeoutS, testBroker, startWorker, type TestBroker } from '../support/broker.js'
import { cameo, jsonLines, startCameo, temporaryDir } from '../support/cameo.js'
import { fakeFfmpeg, waitWhile } from '../support/fake-ffmpeg.js'
import { makeFaceClip } from '../support/faces.js'
import { createQueue, until } from '../support/queue.js'
import { seededRandom } from '../support/random.js'
import type { SegmentOutput, TrackOutput } from '../../pipeline/segments/segment.js'

const dir = realpathSync(temporaryDir())
let broker: TestBroker

const clipId = 'c'.repeat(64)
const dimension = 512

function wireRecipe(): WireRecipe {
  const { digest, embedderDigest, spaceDigest, packName, settings } = createRecipe(
    findPack('lite'),
    defaultSettings,
  )
  return { digest, embedderDigest, spaceDigest, packName, settings }
}

const plan: WirePlan = {
  ...{ clipId, dimension, segments: 1, cuttable: true },
  stamp: { device: '1', inode: '2', sizeBytes: 3, mtimeNs: '4' },
  facts: { sizeBytes: 3, widthPx: 640, heightPx: 360, codec: 'h264', container: 'mov' },
}

/** A segment with a crowd: its messages take several megabytes. */
function crowd(tracks: number): SegmentOutput {
  const random = seededRandom(7)
  const halves = () => Uint16Array.from({ length: dimension }, () => 0x3000 + Math.floor(random() * 0x800))
  const track = (number: number): TrackOutput => ({
    number,
    spansS: [[number / 10, number / 10 + 1]],
    ...{ samples: 8, quality: 0.5 },
    faces: Array.from({ length: 8 }, (_, i) => ({
      timeS: number / 10 + i / 8,
      boxXyxyPx: [1, 2, 30, 40],
      landmarksPx: [
        { x: 1, y: 2 },
        { x: 3, y: 4 },
        { x: 5, y: 6 },
        { x: 7, y: 8 },
        { x: 9, y: 10 },
      ],
      ...{ detectionScore: 0.9, quality: 0.5 },
      embedding: { float16: halves(), norm: 5 },
    })),
    descriptor: new Float32Array(dimension),
    thumbnailJpeg: Uint8Array.from({ length: 3000 }, () => Math.floor(random() * 256)),
  })
  return {
    segment: { index: 0, startS: 0, endS: Infinity },
    tracks: Array.from({ length: tracks }, (_, number) => track(number)),
    ...{ frames: 100, faces: 8 * tracks, truncated: false, provider: 'cpu' },
  }
}

/** Longer than the time after which a silent member is removed from its group. */
const slowS = 2 * sessionTimeoutS
/** An ffmpeg that takes `slowS` per clip. */
const slowFfmpeg = () => fakeFfmpeg(join(dir, 'slow-ffmpeg'), `*filter_complex*) sleep ${slowS} ;;`)

describe('Kafka: failures', { timeout: 30 * 60_000 }, () => {
  before(async () => {
    broker = await testBroker()
  })

  after(() => broker.stop())

  it('a segment of several megabytes arrives complete, without the parts that a killed worker left', async () => {
    const queue = await createQueue(broker, 'parts')
    const tracks = 400
    const context = { recipe: wireRecipe(), source: { uri: '/clips/crowd.mp4', root: '/clips' }, plan }
    const send = (attempt: string, pick: (count: number) => readonly number[]) => {
      const messages = segmentMessages(crowd(tracks), { ...context, attempt })
      const values = messages.map(encodeMessage)
      assert.ok(values.every(({ byteLength }) => byteLength <= maxMessageBytes))
      assert.ok(values.length > 6, `${values.length} messages`)
      return queue.publisher.send(
        pick(values.length).map((i) => ({
          ...{ topic: `${queue.connection.prefix}.embeddings`, key: clipId },
          value: values[i] ?? null,
        })),
      )
    }
    const all = (count: number) => Array.from({ length: count }, (_, i) => i)
    queue.startHere('describe')
    const index = queue.start('index')
    const appliedAll = async () => {
      const { groups } = await queue.status()
      return groups.length >= 2 && groups.every(({ lag }) => lag === 0)
    }

    // A worker that dies between two parts: the closing message and a part are missing.
    await send('first', (count) => all(count).slice(0, count - 2))
    await until('the parts are read', appliedAll)
    assert.deepEqual(queue.counts(), { clips: 0, tracks: 0 })

    // The next worker: the closing message comes first, and the index worker is killed before the rest
    // arrives.
    await send('second', (count) => [count - 1, ...all(count).slice(0, 3)])
    await until('the parts are read', appliedAll)
    assert.deepEqual(queue.counts(), { clips: 0, tracks: 0 })
    await index.killAndRestart()
    await send('second', (count) =>
      all(count)
        .slice(2, count - 1)
        .reverse(),
    )
    await until('the segment is there', () => queue.counts().clips === 1)
    assert.deepEqual(queue.counts(), { clips: 1, tracks })

    // All of it again, from a third worker.
    await send('third', all)
    await until('the parts are read', appliedAll)
    assert.deepEqual(queue.counts(), { clips: 1, tracks })
    const opened = openArchive(queue.archive)
    const { database } = opened
    const count = (sql: string) => database.prepare<[], number>(sql).pluck().get()
    assert.equal(count('SELECT count(*) FROM pending_parts'), 0)
    assert.equal(count('SELECT count(*) FROM embeddings'), 8 * tracks)
    assert.equal(count('SELECT max(track_id) FROM tracks'), tracks, 'written once')
    opened.close()
    await queue.close()
  })

  it('processes a clip that takes longer than the session once, and the group stays together', async () => {
    const queue = await createQueue(broker, 'slow')
    const folder = join(dir, 'slow clips')
    mkdirSync(folder)
    await makeFaceClip(join(folder, 'slow.mp4'), 'sofa left')
    Object.assign(queue.environment, { FFMPEG_PATH: slowFfmpeg() })
    const faces = queue.start('faces')
    queue.startHere('describe')
    queue.startHere('index')
    const run = await queue.run('submit', folder, '--json')
    assert.equal(run.code, 0, run.stderr)
    assert.equal(jsonLines(run.stdout)[0]?.['status'], 'done')
    const said = (text: string) => faces.log.filter(({ msg }) => msg === text)
    assert.equal(said('done').length, 1)
    assert.ok(Number(said('done')[0]?.['seconds']) >= slowS)
    // The worker also reads other topics, for example that of names.
    const own = said('joined the group').filter(({ group }) => group === groupName(queue.connection, 'faces'))
    assert.equal(own.length, 1)
    assert.equal(await queue.messages('embeddings'), 2)
    await queue.close()
  })

  it('topics status shows how much work each worker has left', async () => {
    const queue = await createQueue(broker, 'lag')
    const folder = join(dir, 'lagging clips')
    mkdirSync(folder)
    const first = await makeFaceClip(join(folder, '0.mp4'), 'sofa left')
    // Enough clips that both partitions certainly get some: keys are spread by their hash. None of them is
    // ever done.
    const clips = 40
    for (let i = 1; i < clips; i++) copyFileSync(first, join(folder, `${i}.mp4`))
    const stuck = fakeFfmpeg(join(dir, 'stuck ffmpeg'), `*filter_complex*) ${waitWhile('true')} ;;`)
    Object.assign(queue.environment, { FFMPEG_PATH: stuck })
    const workers = [queue.start('faces', '--drain', '0'), queue.start('faces', '--drain', '0')]
    assert.equal((await queue.run('submit', folder, '--no-wait')).code, 0)
    const group = async () => {
      const { groups } = JSON.parse((await queue.run('topics', 'status', '--json')).stdout) as {
        groups: { lag: number; workers: { partitions: number; lag: number }[] }[]
      }
      return groups[0] ?? { lag: 0, workers: [] }
    }
    await until('each has a partition', async () => {
      const [faces] = (await queue.status()).groups
      const status = faces ?? { workers: [] }
      return status.workers.length === 2 && status.workers.every(({ partitions }) => partitions === 1)
    })
    const status = await group()
    const [one = Number.NaN, other = Number.NaN] = status.workers.map(({ lag }) => lag)
    assert.equal(status.lag, clips)
    assert.equal(one + other, clips)
    assert.ok(one > 0 && other > 0, 'both partitions have keys')
    const shown = (await queue.run('topics', 'status')).stdout
    assert.match(shown, new RegExp(`: 1 partition, ${one} messages? to do`))
    assert.deepEqual(await Promise.all(workers.map((worker) => worker.stop())), [0, 0])
    await queue.close()
  })

  it('invalid messages go to the dead letters, the rest continues, and repaired clips are tried again', async () => {
    const queue = await createQueue(broker, 'poison')
    const root = join(dir, 'root')
    mkdirSync(root)
    const clip = await makeFaceClip(join(root, 'good.mp4'), 'sofa left')
    copyFileSync(await makeFaceClip(join(dir, 'other.mp4'), 'bar left'), join(root, 'gone.mp4'))
    const outside = await makeFaceClip(join(dir, 'outside.mp4'), 'bar right')
    writeFileSync(join(root, 'text.mp4'), 'no video')
    const job = { v: 1, kind: 'clip', recipe: wireRecipe(), source: { uri: clip, root } }
    const poison = [
      Buffer.from('{"not": "MessagePack"'),
      encode({ v: 1, kind: 'clip', recipe: 'none' }),
      encode({ ...job, v: 99 }),
      encode({ ...job, source: { uri: '/etc/hostname', root: '/etc' } }),
      encode({ ...job, source: { uri: 'http://127.0.0.1:1/clip.mp4', root: 'http://127.0.0.1:1' } }),
      encode({ ...job, recipe: { ...job.recipe, digest: 'f'.repeat(64) } }),
      // Messages that would fill a worker's memory: spans of too many segments, and lists with missing
      // elements.
      encode({ ...job, kind: 'segment', plan: { ...plan, segments: 1e9 }, segment: 1 }),
      Buffer.concat(Array.from({ length: 50_000 }, () => Buffer.from([0xdd, 0, 0, 0xff, 0xff]))),
      encode({ ...job, source: { uri: join(root, 'folder.mp4'), root } }),
    ]
    mkdirSync(join(root, 'folder.mp4'))
    const crowded = segmentMessages(crowd(0), { ...job, plan, attempt: 'crowded' }).at(-1)
    await queue.publisher.send(
      // Before all clips: each partition gets some.
      poison.flatMap((value, i) =>
        ['a', 'b', 'c'].map((key) => ({
          topic: `${queue.connection.prefix}.jobs`,
          key: `${key}${i}`,
          value,
        })),
      ),
    )
    for (const topic of [`${queue.connection.prefix}.embeddings`, `${queue.connection.prefix}.descriptors`])
      await queue.publisher.send([
        { topic, key: 'x', value: Buffer.from([0xc1]) },
        // The description of its faults is longer than a letter can hold.
        {
          topic,
          key: 'x',
          value: encode({ v: 1, kind: 'tracks', tracks: Array.from({ length: 40_000 }, () => 1) }),
        },
        { topic, key: 'x', value: encode({ ...crowded, plan: { ...plan, segments: 1e9 } }) },
      ])
    renameSync(join(root, 'gone.mp4'), join(dir, 'away.mp4'))
    queue.startHere('faces', { root: { submitted: root, mounted: root } })
    queue.startHere('describe')
    queue.startHere('index')
    await queue.publisher.send([
      {
        topic: `${queue.connection.prefix}.jobs`,
        key: 'gone',
        value: encode({ ...job, source: { uri: join(root, 'gone.mp4'), root } }),
      },
    ])
    const run = await queue.run('submit', root, outside, '--json')
    assert.equal(run.code, 1, run.stderr)
    const of = new Map(jsonLines(run.stdout).map((line) => [line['path'], line]))
    assert.equal(of.get(clip)?.['status'], 'done')
    assert.equal(of.get(outside)?.['code'], 'CLIP_NOT_ALLOWED')
    assert.equal(of.get(join(root, 'text.mp4'))?.['status'], 'failed')

    await until(
      'all invalid messages are in the dead letters',
      async () => (await queue.letters()).length >= 36,
    )
    const letters = jsonLines((await queue.run('dead-letters', 'list', '--json')).stdout)
    const codes = new Map<unknown, number>()
    for (const { code } of letters) codes.set(code, (codes.get(code) ?? 0) + 1)
    assert.deepEqual(Object.fromEntries(codes), {
      MESSAGE_INVALID: 18,
      MESSAGE_NEWER: 3,
      CLIP_NOT_ALLOWED: 7,
      RECIPE_MISMATCH: 3,
      CLIP_GONE: 1,
      CLIP_NOT_VIDEO: 4,
    })
    assert.deepEqual(new Set(letters.map(({ stage }) => stage)), new Set(['faces', 'describe', 'index']))
    assert.ok(letters.every(({ bytes, attempts, at }) => Number(bytes) > 0 && attempts === 1 && at !== ''))

    renameSync(join(dir, 'away.mp4'), join(root, 'gone.mp4'))
    const gone = letters.find(({ code }) => code === 'CLIP_GONE')
    const retried = await queue.run('dead-letters', 'retry', String(gone?.['id']))
    assert.equal(retried.code, 0, retried.stderr)
    await until('the restored clip is indexed', () => queue.counts().clips === 2)
    const left = await queue.letters()
    assert.equal(left.length, letters.length - 1)
    const status = await queue.run('topics', 'status', '--json')
    assert.equal((JSON.parse(status.stdout) as { deadLetters: number }).deadLetters, left.length)
    assert.equal((await queue.run('dead-letters', 'retry', 'none/0/0')).code, 2)
    await queue.close()
  })

  it('one index worker per archive, which waits for a command that writes; a missing broker is reported clearly', async () => {
    const queue = await createQueue(broker, 'lone')
    mkdirSync(queue.archive)
    const shortly = lockArchive(queue.archive)
    const index = queue.start('index')
    await index.said('waiting for it')
    shortly.release()
    await index.said('working')
    const second = await queue.run('worker', 'index')
    assert.equal(second.code, 2)
    assert.match(second.stderr, /ARCHIVE_BUSY/)
    const away = await cameo(['topics', 'status', '--brokers', '127.0.0.1:1'])
    assert.equal(away.code, 2)
    assert.match(away.stderr, /127\.0\.0\.1:1 .*\[BROKER_UNREACHABLE\]/)
    assert.equal((await cameo(['submit', dir, '--brokers', 'nonsense'])).code, 2)
    const replay = startCameo([
      'replay',
      '--brokers',
      '127.0.0.1:1',
      '--archive',
      join(dir, 'none'),
      '--json',
    ])
    await replay.until(() => replay.stderrNow().includes('connecting'))
    replay.kill('SIGINT')
    const { code, stdout, stderr } = await replay.finished
    assert.deepEqual([code, stdout], [130, ''], 'reports no counts of an incomplete archive')
    assert.match(stderr, /stopped before its end/)
    await queue.close()
  })

  it('existing topics keep their partitions, and a request for another number is answered', async () => {
    const queue = await createQueue(broker, 'partitions')
    const other = await queue.run('topics', 'create', '--partitions', '5', '--json')
    assert.deepEqual([other.code, jsonLines(other.stdout)], [0, [{ created: [] }]])
    assert.match(other.stderr, /jobs exists with 2 partitions and stays unchanged/)
    for (const wish of [['--partitions', '2'], []]) {
      const run = await queue.run('topics', 'create', ...wish)
      assert.deepEqual([run.code, run.stderr], [0, ''])
    }
    await queue.close()
  })

  it('a worker that its group refuses ends and says why', async () => {
    const queue = await createQueue(broker, 'stranger')
    const kafka = createKafka(queue.connection, createSilentLog(), 'prompt')
    const stranger = kafka.consumer({
      groupId: groupName(queue.connection, 'describe'),
      partitionAssigners: [
        () => ({
          ...{ name: 'another', version: 1, assign: () => Promise.resolve([]) },
          protocol: () => ({ name: 'another', metadata: Buffer.alloc(0) }),
        }),
      ],
    })
    const hasJoined = new Promise((resolve) => stranger.on(stranger.events.GROUP_JOIN, resolve))
    await stranger.connect()
    await stranger.subscribe({ topic: topicName(queue.connection, 'embeddings') })
    await stranger.run({ eachMessage: () => Promise.resolve() })
    await hasJoined
    const refused = await queue.run('worker', 'describe')
    await stranger.disconnect()
    assert.equal(refused.code, 2, refused.stderr)
    assert.match(refused.stderr, /protocol.*\[BROKER_REFUSED\]/)
    await queue.close()
  })

  it('serves health and metrics; no log has a password', async () => {
    const queue = await createQueue(broker, 'metrics')
    const folder = join(dir, 'metrics clips')
    mkdirSync(folder)
    await makeFaceClip(join(folder, 'one.mp4'), 'sofa left')
    const faces = queue.start('faces', '--metrics-port', '0')
    queue.startHere('describe')
    queue.startHere('index')
    assert.equal((await queue.run('submit', folder)).code, 0)
    const port = faces.log.find(({ msg }) => msg.includes('/metrics'))?.['port']
    const health = await fetch(`http://127.0.0.1:${String(port)}/healthz`)
    assert.deepEqual([health.status, await health.json()], [200, { healthy: true }])
    const text = await (await fetch(`http://127.0.0.1:${String(port)}/metrics`)).text()
    assert.match(text, /^cameo_messages_processed_total\{stage="faces"\} 1$/m)
    assert.match(text, /^cameo_stage_seconds_count\{stage="faces"\} 1$/m)
    assert.match(text, /^cameo_worker_info\{.*provider="cpu".*\} 1$/m)
    assert.match(text, /^cameo_messages_in_work\{stage="faces"\} 0$/m)
    await queue.close()

    const secret = 'correct horse battery staple'
    const worker = startWorker('describe', {
      ...queue.environment,
      ...{ KAFKA_SASL_MECHANISM: 'plain', KAFKA_SASL_USERNAME: 'ada', KAFKA_SASL_PASSWORD: secret },
      CAMEO_LOG_LEVEL: 'trace',
    })
    await worker.said('connecting')
    await until('it tried to log in', () =>
      worker.log.some(({ level }) => level === 'error' || level === 'warn'),
    )
    await worker.kill()
    assert.ok(!JSON.stringify(worker.log).includes(secret))
    assert.ok(!JSON.stringify(worker.log).includes(Buffer.from(secret).toString('base64')))
  })
})
