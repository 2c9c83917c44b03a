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
 * One segment, and three of a container that cannot be cut, which are one job. They are long, so that a segment is under work
 * long enough to be seen on a fast machine.
 */
const segmentS = 60
const settings = ['--segment', `${segmentS}`]
const everyS = 5

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

  it('others go on from where they were, to the same archive, and nothing of a face is left in their folder', async () => {
    const queue = await createQueue(broker, 'resume')
    const checkpoints = join(dir, 'checkpoints')
    const faces = queue.start('faces', '--checkpoints', checkpoints, '--checkpoint-every', `${everyS}`)
    queue.start('describe')
    queue.start('index')
    const submitted = queue.run('submit', folder, ...settings)
    const states = () => filesBelow(checkpoints).filter((name) => name.endsWith('/state'))
    // Within the first segment of either clip, and within a later one; which clip a worker takes first is not known.
    await until('there is a checkpoint', () => states().length > 0)
    await faces.killAndRestart()
    await until('a later segment is under work', () => states().some((name) => !name.endsWith('/0/state')))
    await faces.killAndRestart()
    const run = await submitted
    assert.equal(run.code, 0, run.stderr)
    const places = faces.log.filter(({ msg }) => msg === 'continuing within a segment')
    assert.ok(places.length >= 2, JSON.stringify(places))
    assert.ok(
      places.some(({ segment }) => segment !== 0),
      'what was published of the clip that cannot be cut is not done again',
    )
    assert.deepEqual(dumpArchive(queue.archive), dumpArchive(whole))
    await queue.close()
    assert.deepEqual(filesBelow(checkpoints), [])
  })
})
