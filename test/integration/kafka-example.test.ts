import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdirSync, realpathSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { testBroker, type TestBroker } from '../support/broker.js'
import { temporaryDir } from '../support/cameo.js'
import { makeFaceClip } from '../support/faces.js'
import { createQueue } from '../support/queue.js'

const folder = join(realpathSync(temporaryDir()), 'clips')
const program = fileURLToPath(new URL('../../scripts/examples/consume-descriptors.js', import.meta.url))

let broker: TestBroker

describe('Kafka: the example that consumes descriptors', { timeout: 2 * 60_000 }, () => {
  before(async () => {
    mkdirSync(folder)
    await makeFaceClip(join(folder, 'two.mp4'), 'costumes right', { seconds: 3, then: ['sofa left'] })
    broker = await testBroker()
  })

  after(() => broker.stop())

  it('prints the tracks of the workers', async () => {
    const queue = await createQueue(broker, 'example')
    queue.startHere('faces')
    queue.startHere('describe')
    const submitted = await queue.run('submit', folder, '--no-wait')
    assert.equal(submitted.code, 0, submitted.stderr)
    const topic = `${queue.connection.prefix}.descriptors`
    const { stdout } = await promisify(execFile)(process.execPath, [program, broker.brokers, topic, '1'])
    assert.match(
      stdout,
      /^two\.mp4, segment 0: 2 tracks\n( {2}\d\.\d–\d\.\d s: descriptor of 512 values\n){2}$/,
    )
    await queue.close()
  })
})
