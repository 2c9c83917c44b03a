import assert from 'node:assert/strict'
import { mkdirSync, realpathSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { demoPhotosDir, photos } from '../../scripts/demo/demo-photos.js'
import { startBroker, type TestBroker } from '../support/broker.js'
import { temporaryDir } from '../support/cameo.js'
import { facePhotos, ffmpeg, x264 } from '../support/faces.js'
import { openGate, type Gate } from '../support/gate.js'
import { createQueue, until } from '../support/queue.js'

const dir = realpathSync(temporaryDir())
const folder = join(dir, 'clips')

/**
 * With its mirror image each face takes some 2.6 KB. 21 people with 28 faces each give 1.5 MB in several
 * parts.
 */
const settings = ['--fps', '8', '--faces-per-track', '28', '--keep-mirrored']

/** A request of up to 900 KB passes completely, and only a part of the next one. */
const heldAfterBytes = 1_000_000

let broker: TestBroker
let gate: Gate

/** The group photos, one after the other, each moving a little. */
async function makeCrowdClip(path: string): Promise<void> {
  await facePhotos()
  const files = Object.values(photos).map(({ file }) => join(demoPhotosDir(), file))
  const shots = files.map(
    (_, i) =>
      `[${i}:v]scale=1000:-2,loop=loop=31:size=1,setpts=N/8/TB,crop=in_w-8:in_h-8:x='mod(n,8)':y=0,` +
      `scale=960:640:force_original_aspect_ratio=decrease,pad=960:640,setsar=1,format=yuv420p,fps=8[shot${i}]`,
  )
  const graph = `${shots.join(';')};${files.map((_, i) => `[shot${i}]`).join('')}concat=n=${files.length}:v=1:a=0[clip]`
  const inputs = files.flatMap((file) => ['-i', file])
  await ffmpeg(...inputs, '-filter_complex', graph, '-map', '[clip]', ...x264, path)
}

describe('Kafka: a faces worker is killed between two parts of a segment', { timeout: 10 * 60_000 }, () => {
  before(async () => {
    mkdirSync(folder)
    await makeCrowdClip(join(folder, 'crowd.mp4'))
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
    const worker = queue.start('faces')
    await held
    await worker.kill()

    await until('some parts have arrived and are read', async () => {
      const { embeddings, descriptors, lag } = await messages()
      return embeddings > 0 && lag === 0 && descriptors === embeddings
    })
    const torn = await messages()
    assert.deepEqual(queue.counts(), { clips: 0, tracks: 0 })

    queue.start('faces')
    const run = await queue.run('submit', folder, ...settings)
    assert.equal(run.code, 0, run.stderr)
    const { clips, tracks } = queue.counts()
    assert.equal(clips, 1)
    assert.ok(tracks >= 18, `${tracks} tracks`)
    const whole = await messages()
    assert.ok(whole.embeddings - torn.embeddings >= 3, 'at least two parts and the closing message')
    await queue.close()
  })
})
