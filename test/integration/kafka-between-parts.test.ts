import assert from 'node:assert/strict'
import { mkdirSync, realpathSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { startBroker, type TestBroker } from '../support/broker.js'
import { temporaryDir } from '../support/cameo.js'
import { writeLongEmbedder } from '../support/encoders.js'
import { faceNames, makeFaceClip } from '../support/faces.js'
import { openGate, type Gate } from '../support/gate.js'
import { createQueue, until } from '../support/queue.js'

const dir = realpathSync(temporaryDir())
const folder = join(dir, 'clips')

const people = faceNames.slice(0, 6)

/**
 * A face takes 32 KB with its mirror image. Eight faces of one person are a part of their own, and those of six people
 * 1.6 MB.
 */
const dimension = 8192
const embedder = writeLongEmbedder(dir, dimension)
const settings = ['--fps', '8', '--faces-per-track', '8', '--keep-mirrored', '--embedder', embedder]

/** A request of up to 900 KB passes completely, and only a part of the next one. */
const heldAfterBytes = 1_000_000

let broker: TestBroker
let gate: Gate

describe('Kafka: a faces worker is killed between two parts of a segment', { timeout: 10 * 60_000 }, () => {
  before(async () => {
    mkdirSync(folder)
    const [first = 'sofa left', ...then] = people
    await makeFaceClip(join(folder, 'people.mp4'), first, { seconds: people.length, fps: 8, then })
    let brokerPort = 0
    gate = await openGate(() => brokerPort)
    const file = join(dir, 'broker.properties')
    writeFileSync(file, `advertised.listeners=BROKER://127.0.0.1:${gate.port}\n`)
    broker = await startBroker({ CAMEO_KAFKA_SETTINGS: file })
    brokerPort = Number(broker.brokers.split(':')[1])
  })

  after(async () => {
    gate.close()
    await broker.stop()
  })

  it('leaves nothing visible, and the next worker’s segment arrives complete', async () => {
    const queue = await createQueue(broker, 'between')
    const messages = async () => {
      const { topics, groups } = await queue.status()
      const of = (kind: string) => topics.find(({ topic }) => topic.endsWith(`.${kind}`))?.messages ?? 0
      const lag = groups.filter(({ stage }) => stage !== 'faces').reduce((sum, group) => sum + group.lag, 0)
      return { embeddings: of('embeddings'), descriptors: of('descriptors'), lag }
    }
    assert.equal((await queue.run('submit', folder, '--no-wait', ...settings)).code, 0)
    queue.startHere('describe')
    queue.startHere('index')
    const held = gate.holdAfter(heldAfterBytes)
    const worker = queue.start('faces', '--embedder', embedder)
    await held
    await worker.kill()

    await until('some parts have arrived and are read', async () => {
      const { embeddings, descriptors, lag } = await messages()
      return embeddings > 0 && lag === 0 && descriptors === embeddings
    })
    const torn = await messages()
    assert.deepEqual(queue.counts(), { clips: 0, tracks: 0 })

    queue.start('faces', '--embedder', embedder)
    const run = await queue.run('submit', folder, ...settings)
    assert.equal(run.code, 0, run.stderr)
    const { clips, tracks } = queue.counts()
    assert.deepEqual({ clips, tracks }, { clips: 1, tracks: people.length })
    const whole = await messages()
    assert.ok(whole.embeddings - torn.embeddings >= 3, 'at least two parts and the closing message')
    await queue.close()
  })
})
