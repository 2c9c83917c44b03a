import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readFileSync, realpathSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { openArchive } from '../../index/archive/open-archive.js'
import { testBroker, type TestBroker } from '../support/broker.js'
import { jsonLines, temporaryDir } from '../support/cameo.js'
import { fakeFfmpeg } from '../support/fake-ffmpeg.js'
import { makeFaceClip } from '../support/faces.js'
import { createQueue, until } from '../support/queue.js'

const dir = realpathSync(temporaryDir())
const folder = join(dir, 'clips')
const killed = join(dir, 'killed')
let broker: TestBroker

/**
 * An ffmpeg that kills the process that starts it, as a crash in native code or the kernel would. It does so
 * when `film.mp4` is opened for the first time, and on its first segment of one second. (A graph's cut lies a
 * second behind the segment's end.)
 */
function deadlyFfmpeg(): string {
  const die = `{ echo x >> '${killed}'; kill -9 $PPID; }`
  return fakeFfmpeg(
    join(dir, 'ffmpeg'),
    `*film*trim=end=2,*) ${die} ;;`,
    '*film*filter_complex*trim=*) ;;',
    `*film*filter_complex*) [ -e '${killed}' ] || ${die} ;;`,
  )
}

const deaths = () => (existsSync(killed) ? readFileSync(killed, 'utf8').trim().split('\n').length : 0)

describe('Kafka: a clip that kills its workers', { timeout: 10 * 60_000 }, () => {
  before(async () => {
    mkdirSync(folder)
    await makeFaceClip(join(folder, 'film.mp4'), 'costumes right', {
      seconds: 3,
      then: ['sofa left', 'party third'],
    })
    for (const [i, face] of (['sofa middle', 'bar left', 'bar right'] as const).entries())
      await makeFaceClip(join(folder, `good ${i}.mp4`), face)
    broker = await testBroker()
  })

  after(() => broker.stop())

  it('loses only the segment that killed too many workers; its other segments and the clips processed beside it are done', async () => {
    const queue = await createQueue(broker, 'deaths')
    Object.assign(queue.environment, { FFMPEG_PATH: deadlyFfmpeg() })
    const faces = queue.start('faces', '--max-deaths', '2')
    queue.startHere('describe')
    queue.startHere('index')
    const submitted = queue.run('submit', folder, '--segment', '1', '--json')
    for (const count of [1, 2, 3]) {
      await until(`worker ${count} died`, () => deaths() === count)
      await faces.killAndRestart()
    }
    const run = await submitted
    assert.equal(run.code, 1, run.stderr)
    const outcome = Object.fromEntries(
      jsonLines(run.stdout).map(({ path, status, code }) => [
        String(path).slice(folder.length + 1),
        code ?? status,
      ]),
    )
    assert.deepEqual(outcome, {
      'film.mp4': 'CLIP_ENDS_WORKERS',
      'good 0.mp4': 'done',
      'good 1.mp4': 'done',
      'good 2.mp4': 'done',
    })
    assert.equal(deaths(), 3)
    assert.ok(faces.log.some(({ msg }) => msg.includes('handled alone')))
    assert.deepEqual(
      (await queue.letters()).map(({ stage, failure }) => [stage, failure.code]),
      [['faces', 'CLIP_ENDS_WORKERS']],
    )
    const archive = openArchive(queue.archive)
    const { clips, partial } = archive.clips.counts()
    archive.close()
    assert.deepEqual({ clips, partial }, { clips: 4, partial: 1 })
    await queue.close()
  })
})
