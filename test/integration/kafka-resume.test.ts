import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readdirSync, realpathSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { dumpArchive } from '../support/archive-dump.js'
import { testBroker, type TestBroker } from '../support/broker.js'
import { cameo, temporaryDir } from '../support/cameo.js'
import { makeFaceClip } from '../support/faces.js'
import { createQueue, until } from '../support/queue.js'

const dir = realpathSync(temporaryDir())
const folder = join(dir, 'clips')
const whole = join(dir, 'whole')
let broker: TestBroker

/**
 * One clip has one segment. The other has three in a container that cannot be cut, so they are one job.
 * Segments are long enough to be seen in work on a fast machine.
 */
const segmentS = 30
const settings = ['--segment', `${segmentS}`]
const everyS = 3

function filesBelow(checkpoints: string): string[] {
  return existsSync(checkpoints) ? readdirSync(checkpoints, { recursive: true, encoding: 'utf8' }) : []
}

describe('Kafka: faces workers that are killed within a segment', { timeout: 10 * 60_000 }, () => {
  before(async () => {
    mkdirSync(folder)
    for (const [name, seconds] of [
      ['film.mp4', segmentS],
      ['film.flv', 2.25 * segmentS],
    ] as const)
      await makeFaceClip(join(folder, name), 'costumes right', {
        seconds,
        then: ['sofa left', 'party third'],
      })
    const run = await cameo(['ingest', folder, '--archive', whole, ...settings])
    assert.equal(run.code, 0, run.stderr)
    broker = await testBroker()
  })

  after(() => broker.stop())

  it('others continue from there, to the same archive, and no face is left in their folder', async () => {
    const queue = await createQueue(broker, 'resume')
    const checkpoints = join(dir, 'checkpoints')
    const faces = queue.start('faces', '--checkpoints', checkpoints, '--checkpoint-every', `${everyS}`)
    queue.startHere('describe')
    queue.startHere('index')
    const submitted = queue.run('submit', folder, ...settings)
    const states = () => filesBelow(checkpoints).filter((name) => name.endsWith('/state'))
    // Within the first segment of either clip, and within a later one. The order of the clips is unknown.
    await until('there is a checkpoint', () => states().length > 0)
    await faces.killAndRestart()
    await until('a later segment is in work', () => states().some((name) => !name.endsWith('/0/state')))
    await faces.killAndRestart()
    const run = await submitted
    assert.equal(run.code, 0, run.stderr)
    const places = faces.log.filter(({ msg }) => msg === 'continuing within a segment')
    assert.ok(places.length >= 2, JSON.stringify(places))
    assert.ok(
      places.some(({ segment }) => segment !== 0),
      'published segments of the clip that cannot be cut are not repeated',
    )
    assert.deepEqual(dumpArchive(queue.archive), dumpArchive(whole))
    await queue.close()
    assert.deepEqual(filesBelow(checkpoints), [])
  })
})
