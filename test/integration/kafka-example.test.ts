import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdirSync, realpathSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { startWorker, testBroker, type TestBroker, type TestWorker } from '../support/broker.js'
import { cameo, temporaryDir } from '../support/cameo.js'
import { makeFaceClip } from '../support/faces.js'

const folder = join(realpathSync(temporaryDir()), 'clips')
const prefix = `example.${process.pid}`
const program = fileURLToPath(new URL('../../scripts/examples/consume-descriptors.js', import.meta.url))

let broker: TestBroker
let workers: TestWorker[] = []

describe('Kafka: the example that consumes descriptors', { timeout: 2 * 60_000 }, () => {
  before(async () => {
    mkdirSync(folder)
    await makeFaceClip(join(folder, 'two.mp4'), 'costumes right', { seconds: 3, then: ['sofa left'] })
    broker = await testBroker()
  })

  after(async () => {
    await Promise.all(workers.map((worker) => worker.stop()))
    await broker.stop()
  })

  it('prints the tracks of the workers', async () => {
    const environment = { KAFKA_BROKERS: broker.brokers, KAFKA_TOPIC_PREFIX: prefix }
    workers = [startWorker('faces', environment, ['--threads', '1']), startWorker('describe', environment)]
    const submitted = await cameo(['submit', folder, '--no-wait'], environment)
    assert.equal(submitted.code, 0, submitted.stderr)
    const topic = `${prefix}.descriptors`
    const { stdout } = await promisify(execFile)(process.execPath, [program, broker.brokers, topic, '1'])
    assert.match(
      stdout,
      /^two\.mp4, segment 0: 2 tracks\n( {2}\d\.\d–\d\.\d s: descriptor of 512 values\n){2}$/,
    )
  })
})
