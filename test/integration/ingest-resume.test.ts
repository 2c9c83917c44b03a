import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, realpathSync } from 'node:fs'
import { join } from 'node:path'
import { before, describe, it } from 'node:test'
import { openArchive } from '../../index/archive/open-archive.js'
import { databaseFileName } from '../../index/store/database.js'
import { dumpArchive } from '../support/archive-dump.js'
import { cameo, startCameo, temporaryDir } from '../support/cameo.js'
import { writeTinyContext, writeTwinEmbedder } from '../support/encoders.js'
import { makeFaceClip } from '../support/faces.js'

const dir = realpathSync(temporaryDir())
const folder = join(dir, 'clips')
const seconds = 20
/** Checkpoint interval of the tests, s of video: nine times as often as for users. */
const every = 5

/** A clip in one segment, in a container that can be cut and in one that cannot. */
const films = ['film.mp4', 'film.flv']

const args = (archive: string) => ['ingest', folder, '--archive', archive, '--threads', '1', '--checkpoint-every', `${every}`] // prettier-ignore

/** The checkpoints of running segments in an archive. */
function checkpointsOf(archive: string): Buffer[] {
  if (!existsSync(join(archive, databaseFileName))) return []
  const opened = openArchive(archive)
  try {
    return opened.database
      .prepare<[], Buffer>('SELECT bytes FROM checkpoints ORDER BY clip_id, segment, part')
      .pluck()
      .all()
  } finally {
    opened.close()
  }
}

/** Changes with every checkpoint. */
const digestOf = (checkpoints: readonly Buffer[]) =>
  createHash('sha256').update(Buffer.concat(checkpoints)).digest('hex')

/** Runs until there is a new checkpoint, or to its end. */
async function runUntilCheckpoint(archive: string, signal: NodeJS.Signals, ...more: readonly string[]) {
  const known = digestOf(checkpointsOf(archive))
  const running = startCameo([...args(archive), ...more])
  let hasEnded = false
  void running.finished.then(() => (hasEnded = true))
  await running.until(() => {
    const now = hasEnded ? [] : checkpointsOf(archive)
    return hasEnded || (now.length > 0 && digestOf(now) !== known)
  })
  running.kill(signal)
  return running.finished
}

/** Times at which runs continued, s. */
const wentOnAt = (stderr: string) =>
  [...stderr.matchAll(/continuing .*\/(\S+) at (\d+):(\d+\.\d)/g)].map(([, name, minutes, rest]) => ({
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

  it('finishes although each run is killed within a segment: each continues where the one before was killed', async () => {
    const archive = join(dir, 'killed')
    const places: { name: string | undefined; timeS: number }[] = []
    for (let run = 0; ; run++) {
      assert.ok(run < 20, 'it makes progress')
      const { code, stderr } = await runUntilCheckpoint(
        archive,
        run === 1 ? 'SIGTERM' : 'SIGKILL',
        ...encoders,
      )
      places.push(...wentOnAt(stderr))
      if (code === 0) break
    }
    for (const film of films) {
      const own = places.filter(({ name }) => name === film).map(({ timeS }) => timeS)
      assert.ok(own.length >= 2, `${film} was killed within its only segment: ${own.join()}`)
      assert.deepEqual(own, [...own].sort((a, b) => a - b), 'no run starts before the end of the run before') // prettier-ignore
    }
    assert.deepEqual(dumpArchive(archive), dumpArchive(whole))
    assert.deepEqual(checkpointsOf(archive), [])
  })

  it('a clip that is forgotten half-way leaves no picture of a face in the archive', async () => {
    const archive = join(dir, 'forgotten')
    await runUntilCheckpoint(archive, 'SIGKILL')
    const [state] = checkpointsOf(archive)
    assert.ok(state !== undefined)
    // From the middle of a picture. The state of a visible track consists almost only of the picture.
    const pixels = state.subarray(state.length >> 1, (state.length >> 1) + 64)
    const holdsThem = () =>
      readdirSync(archive, { recursive: true, withFileTypes: true }).some(
        (file) => file.isFile() && readFileSync(join(file.parentPath, file.name)).includes(pixels),
      )
    assert.ok(holdsThem())
    const opened = openArchive(archive)
    const clipId = opened.database.prepare<[], string>('SELECT clip_id FROM checkpoints').pluck().get() ?? ''
    opened.close()
    const run = await cameo(['forget', '--clip', clipId, '--archive', archive])
    assert.equal(run.code, 0, run.stderr)
    assert.deepEqual(checkpointsOf(archive), [])
    assert.equal(holdsThem(), false)
  })
})
