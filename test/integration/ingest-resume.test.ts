import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, readFileSync, realpathSync } from 'node:fs'
import { join } from 'node:path'
import { before, describe, it } from 'node:test'
import { openArchive } from '../../index/archive.js'
import { dumpArchive } from '../support/archive-dump.js'
import { cameo, startCameo, temporaryDir } from '../support/cameo.js'
import { writeTinyContext, writeTwinEmbedder } from '../support/encoders.js'
import { makeFaceClip } from '../support/faces.js'

const dir = realpathSync(temporaryDir())
const folder = join(dir, 'clips')
const seconds = 60
/** Of the tests, s of video; ten times as often as users have it. */
const every = 4.5

/** A clip in one segment, in a container that can be cut and in one that cannot. */
const films = ['film.mp4', 'film.flv']

const args = (archive: string) => ['ingest', folder, '--archive', archive, '--threads', '1', '--checkpoint-every', `${every}`] // prettier-ignore

/** Times of the checkpoints that lie in an archive, by what was written last. */
function checkpoints(archive: string): { readonly rows: number; readonly bytes: number } {
  try {
    const opened = openArchive(archive)
    const row = opened.database
      .prepare<[], { rows: number; bytes: number }>(
        'SELECT count(*) AS rows, coalesce(sum(length(bytes)), 0) AS bytes FROM checkpoints',
      )
      .get()
    opened.close()
    return row ?? { rows: 0, bytes: 0 }
  } catch {
    return { rows: 0, bytes: 0 } // there is no archive yet
  }
}

/** Where runs went on, s. */
const wentOnAt = (stderr: string) =>
  [...stderr.matchAll(/going on with .*\/(\S+) at (\d+):(\d+\.\d)/g)].map(([, name, minutes, rest]) => ({
    name,
    timeS: Number(minutes) * 60 + Number(rest),
  }))

describe('ingest: stopped within a segment', () => {
  const whole = join(dir, 'whole')
  const encoders = ['--embedder', writeTwinEmbedder(dir), '--context', writeTinyContext(dir), '--keep-mirrored'] // prettier-ignore

  before(async () => {
    mkdirSync(folder)
    for (const film of films)
      await makeFaceClip(join(folder, film), 'costumes right', {
        seconds,
        then: ['sofa left', 'party third'],
      })
    const run = await cameo([...args(whole), ...encoders])
    assert.equal(run.code, 0, run.stderr)
  })

  it('windows shorter than a segment come to an end, each goes on where the one before was killed', async () => {
    const archive = join(dir, 'killed')
    const places: { name: string | undefined; timeS: number }[] = []
    for (let run = 0; ; run++) {
      assert.ok(run < 40, 'it makes progress')
      const known = checkpointState(archive)
      const running = startCameo([...args(archive), ...encoders])
      let hasEnded = false
      void running.finished.then(() => (hasEnded = true))
      await running
        .until(() => hasEnded || (checkpointState(archive) !== known && checkpoints(archive).rows > 0))
        .catch(() => undefined)
      running.kill(run % 3 === 2 ? 'SIGTERM' : 'SIGKILL')
      const { code, stderr } = await running.finished
      places.push(...wentOnAt(stderr))
      if (code === 0) break
    }
    for (const film of films) {
      const own = places.filter(({ name }) => name === film).map(({ timeS }) => timeS)
      assert.ok(own.length >= 2, `${film} was killed within its only segment: ${own.join()}`)
      assert.deepEqual(own, [...own].sort((a, b) => a - b), 'no run begins before the one before') // prettier-ignore
    }
    assert.deepEqual(dumpArchive(archive), dumpArchive(whole))
    assert.deepEqual(checkpoints(archive), { rows: 0, bytes: 0 })
  })
})

/** Changes with every checkpoint and with every segment. */
function checkpointState(archive: string): string {
  try {
    const opened = openArchive(archive)
    const row = opened.database
      .prepare<[], string>(
        `SELECT coalesce(group_concat(clip_id || hex(substr(bytes, 1, 32))), '') FROM checkpoints WHERE part = 0`,
      )
      .pluck()
      .get()
    opened.close()
    return row ?? ''
  } catch {
    return ''
  }
}

void readdirSync
void readFileSync
