import assert from 'node:assert/strict'
import { mkdirSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { openArchive } from '../../index/archive/open-archive.js'
import { createSilentLog } from '../../workers/service/log.js'
import { createKafka } from '../../workers/kafka/broker/client.js'
import { readTopic } from '../../workers/kafka/broker/topic-reader.js'
import { decodeStatus } from '../../workers/kafka/messages/schemas.js'
import { dumpArchive } from '../support/archive-dump.js'
import { testBroker, type TestBroker } from '../support/broker.js'
import { cameo, jsonLines, temporaryDir, type CommandResult } from '../support/cameo.js'
import { fakeFfmpeg } from '../support/fake-ffmpeg.js'
import { makeFaceClip } from '../support/faces.js'
import { createQueue, type Queue } from '../support/queue.js'

const dir = realpathSync(temporaryDir())
const folder = join(dir, 'clips')
const clip = join(folder, 'film.mp4')
const embedded = join(dir, 'embedded')
const settings = ['--segment', '1', '--json']
/** While this file exists, ffmpeg fails at the segments from 1 s and from 2 s on. */
const trouble = join(dir, 'trouble')
const failingFfmpeg = join(dir, 'failing-ffmpeg')
const environment = { FFMPEG_PATH: failingFfmpeg }

let broker: TestBroker
let queue: Queue

/** The result of the clip, without times. */
function outcome({ stdout }: CommandResult): Record<string, unknown> {
  const [line, ...others] = jsonLines(stdout)
  assert.ok(line !== undefined && others.length === 0, stdout)
  const { seconds, ...rest } = line
  assert.ok(seconds === undefined || typeof seconds === 'number')
  return rest
}

async function statusOf(archive: string): Promise<Record<string, unknown>> {
  const run = await cameo(['status', '--failures', '--json', '--archive', archive])
  assert.equal(run.code, 0, run.stderr)
  return JSON.parse(run.stdout) as Record<string, unknown>
}

/** The newest message of the status topic about the clip. */
async function toldStatus() {
  const { connection } = queue
  const log = createSilentLog()
  const kafka = createKafka(connection, log, 'prompt')
  const statuses = await readTopic({ kafka, connection, log, topic: `${connection.prefix}.status` })
  const [value, ...others] = statuses.values()
  assert.ok(value !== undefined && others.length === 0)
  const { uri, state, tracks, failure } = decodeStatus(value)
  return { uri, state, tracks, failure }
}

async function assertSameAsEmbedded(): Promise<void> {
  assert.deepEqual(dumpArchive(queue.archive), dumpArchive(embedded))
  assert.deepEqual(await statusOf(queue.archive), await statusOf(embedded))
}

describe('Kafka: a clip with an unreadable part', { timeout: 10 * 60_000 }, () => {
  before(async () => {
    mkdirSync(folder)
    await makeFaceClip(clip, 'costumes right', { seconds: 4, then: ['sofa left'] })
    // A segment is decoded to a second after its end, because some frames are late.
    const late = '*trim=end=3,*|*trim=end=4,*'
    const fails = `[ -e '${trouble}' ] && { echo "[error] no such bytes" >&2; exit 1; }`
    fakeFfmpeg(failingFfmpeg, `${late}) ${fails} ;;`)
    writeFileSync(trouble, '')
    broker = await testBroker()
    queue = await createQueue(broker, 'partial')
    Object.assign(queue.environment, environment)
    queue.start('faces')
    queue.startHere('describe')
    queue.startHere('index')
  })

  after(async () => {
    await queue.close()
    await broker.stop()
  })

  it('is partial with the same reason as in the embedded mode: rows, status and topic', async () => {
    const own = await cameo(
      ['ingest', folder, '--archive', embedded, '--threads', '1', ...settings],
      environment,
    )
    const run = await queue.run('submit', folder, ...settings)
    assert.deepEqual([own.code, run.code], [1, 1], own.stderr + run.stderr)
    assert.equal(outcome(own)['status'], 'partial', own.stdout)
    assert.deepEqual(outcome(run), outcome(own))
    await assertSameAsEmbedded()
    const opened = openArchive(queue.archive)
    const [failure, ...others] = opened.files.failures()
    opened.close()
    assert.deepEqual([failure?.path, others], [clip, []])
    const { code, message } = outcome(own)
    assert.deepEqual([failure?.code, failure?.message], [code, message])
    const { tracks } = outcome(own)
    assert.deepEqual(await toldStatus(), { uri: clip, state: 'partial', tracks, failure: { code, message } })
  })

  it('is done when it is submitted again and can be read: nothing of the failure is left', async () => {
    rmSync(trouble)
    const own = await cameo(
      ['ingest', folder, '--archive', embedded, '--threads', '1', ...settings],
      environment,
    )
    const run = await queue.run('submit', folder, ...settings)
    assert.deepEqual([own.code, run.code], [0, 0], own.stdout + run.stdout)
    assert.equal(outcome(run)['status'], 'done')
    assert.deepEqual(outcome(run), outcome(own))
    await assertSameAsEmbedded()
    const { tracks } = outcome(own)
    assert.deepEqual(await toldStatus(), { uri: clip, state: 'indexed', tracks, failure: undefined })
  })
})
