import assert from 'node:assert/strict'
import { mkdirSync, realpathSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { createKafka, createPublisher } from '../../workers/kafka/broker/client.js'
import { createRetryingPublisher } from '../../workers/kafka/broker/retrying-publisher.js'
import { Submission } from '../../workers/kafka/submit/submission.js'
import { createSilentLog } from '../../workers/service/log.js'
import { findPack } from '../../pipeline/models/packs/catalog.js'
import { createRecipe, defaultSettings } from '../../pipeline/recipe/recipe.js'
import { assertRefused } from '../support/answers.js'
import { startBroker, type TestBroker } from '../support/broker.js'
import { cameo, jsonLines, temporaryDir } from '../support/cameo.js'
import { createQueue } from '../support/queue.js'

let broker: TestBroker

async function* clips(count: number) {
  for (let number = 0; number < count; number++) {
    await Promise.resolve()
    yield { kind: 'clip', folder: '/clips', path: `/clips/${number}.mp4`, sizeBytes: 1 } as const
  }
}

it('submit: refuses an invalid address, and one with a password, before it connects to a broker', async () => {
  for (const address of ['http://user:secret@host/a.mp4', 'http://user:sec/ret@host/a.mp4', 'http://']) {
    const run = await cameo(['submit', 'http://host/b.mp4', address, '--brokers', '127.0.0.1:1'])
    assert.equal(run.code, 2)
    assert.match(run.stderr, /address .*nothing was submitted/)
    assert.doesNotMatch(run.stderr + run.stdout, /secret|sec\/ret/)
  }
})

describe('Kafka: clips are submitted', { timeout: 10 * 60_000 }, () => {
  before(async () => {
    broker = await startBroker()
  })

  after(() => broker.stop())

  it('submits each clip once if a folder, its subfolder and a file of that are given; a wrong path fails alone', async () => {
    const queue = await createQueue(broker, 'once')
    const folder = realpathSync(temporaryDir())
    const below = join(folder, 'below')
    mkdirSync(below)
    for (const path of [join(folder, 'a.mp4'), join(below, 'b.mp4')]) writeFileSync(path, 'a clip')
    const url = 'http://127.0.0.1:1/c.mp4'
    const paths = [folder, below, join(below, 'b.mp4'), url, url, join(folder, 'gone.mp4')]
    const run = await queue.run('submit', ...paths, '--no-wait', '--json')
    assert.equal(run.code, 1, run.stderr)
    const told = jsonLines(run.stdout).map(
      (line) => `${basename(String(line['path']))} ${String(line['status'])}`,
    )
    assert.deepEqual(told.sort(), ['a.mp4 queued', 'b.mp4 queued', 'c.mp4 queued', 'gone.mp4 failed'])
    const none = await queue.run('submit', join(folder, 'gone.mp4'), '--no-wait', '--json')
    assertRefused(none, 'USAGE', 'gone.mp4')
    await queue.close()
  })
})

describe('Kafka: clips are submitted while the broker is unavailable', { timeout: 10 * 60_000 }, () => {
  before(async () => {
    broker = await startBroker()
  })

  after(() => broker.stop())

  it('all are in the queue when it is back, and this is reported once', async () => {
    const queue = await createQueue(broker, 'away')
    const { connection } = queue
    const stop = new AbortController()
    const said: string[] = []
    const publisher = createRetryingPublisher(
      await createPublisher(createKafka(connection, createSilentLog(), 'prompt')),
      { signal: stop.signal, onAway: () => said.push('away'), onBack: () => said.push('back') },
    )
    const { digest, embedderDigest, spaceDigest, packName, settings } = createRecipe(
      findPack('lite'),
      defaultSettings,
    )
    const queued: string[] = []
    const submission = new Submission({
      ...{ connection, publisher, again: false, wait: false, signal: stop.signal },
      recipe: { digest, embedderDigest, spaceDigest, packName, settings },
      events: {
        onFound: () => undefined,
        onAllFound: () => undefined,
        onSubmitted: () => undefined,
        onResult: ({ path, status }) => queued.push(`${status} ${path}`),
      },
    })
    await broker.stop()
    const submitting = submission.submit(clips(250))
    // Longer than the wait of a client that gives up soon.
    await pause(15_000)
    assert.deepEqual([queued, said], [[], ['away']])
    await broker.start()
    await submitting
    assert.equal(new Set(queued).size, 250)
    assert.deepEqual(said, ['away', 'back'])
    const jobs = await queue.messages('jobs')
    assert.ok(jobs >= 250, `${jobs} jobs: at least once each`)
    await publisher.disconnect()
    await queue.close()
  })
})
