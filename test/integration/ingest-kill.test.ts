import assert from 'node:assert/strict'
import { cpSync, mkdirSync, realpathSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { before, describe, it } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { comparable, ingest, ingested, search, type Ingested } from '../support/answers.js'
import { dumpArchive, segmentTrackIds } from '../support/archive-dump.js'
import { startCameo, temporaryDir } from '../support/cameo.js'
import { faceNames, makeFaceClip, makeFacePhoto } from '../support/faces.js'
import { seededRandom } from '../support/random.js'

const dir = realpathSync(temporaryDir())
const folder = join(dir, 'clips')
const killed = join(dir, 'killed')
const whole = join(dir, 'whole')

const shortClips = 42
/** Number of segments of one clip. */
const filmSegments = 8
const segments = shortClips + filmSegments
const seed = 20_261_124
const kills = 10

interface Moment {
  readonly afterMs: number
  /** Kills earlier if this many clips are reported as done, in case the machine is faster now than before. */
  readonly clipsAtMost: number
}

/** Runs the ingest until the moment, then kills its process. */
async function ingestUntil({ afterMs, clipsAtMost }: Moment): Promise<Ingested> {
  const startedMs = performance.now()
  const running = startIngest(killed)
  const clipsDone = () => running.stdoutNow().split('"status":"done"').length - 1
  while (performance.now() - startedMs < afterMs && clipsDone() < clipsAtMost) await pause(5)
  running.kill('SIGKILL')
  const run = ingested(await running.finished)
  // The last clips are reported together. After that the process only shuts down, and may have ended before
  // the signal.
  if (run.code !== 0 || storedSegments().size < segments)
    assert.equal(run.code, null, `it should have been killed while it ran: ${run.stdout}${run.stderr}`)
  return run
}

const startIngest = (archive: string) =>
  startCameo(['ingest', folder, '--archive', archive, '--segment', '1', '--threads', '2', '--json'])

/** The stored segments, read from a copy: the archive itself stays as the killed process left it. */
function storedSegments(): ReadonlyMap<string, string> {
  const copy = join(dir, 'copy')
  cpSync(killed, copy, { recursive: true })
  const stored = segmentTrackIds(copy)
  rmSync(copy, { recursive: true })
  return stored
}

describe('ingest: killed at any moment', () => {
  const runs: Ingested[] = []
  /** Times of the ingest that is never killed: to its first result, and from there to its end. */
  let startMs = 0
  let workMs = 0

  before(async () => {
    mkdirSync(folder)
    await makeFaceClip(join(folder, '00 film.mp4'), 'costumes right', {
      seconds: filmSegments,
      then: ['sofa left', 'party third'],
    })
    for (let number = 0; number < shortClips; number++) {
      const face = faceNames[number % faceNames.length] ?? 'sofa left'
      const variant = Math.floor(number / faceNames.length)
      const name = `${String(number + 1).padStart(2, '0')} ${face}.mp4`
      await makeFaceClip(join(folder, name), face, { seconds: 1, variant })
    }
    const startedMs = performance.now()
    const running = startIngest(whole)
    await running.until(() => running.stdoutNow() !== '')
    startMs = performance.now() - startedMs
    const { code, stderr } = await running.finished
    assert.equal(code, 0, stderr)
    workMs = performance.now() - startedMs - startMs
  })

  it(`${kills} times at random moments and once in the middle of a film, it keeps its stored rows`, async (test) => {
    // In the middle of the film: some of its segments are stored, and no clip is done.
    const first = startIngest(killed)
    await first.until(() => segmentTrackIds(killed).size >= filmSegments / 2)
    first.kill('SIGKILL')
    runs.push(ingested(await first.finished))

    const random = seededRandom(seed)
    let stored = storedSegments()
    assert.ok(stored.size >= filmSegments / 2)
    for (let number = 0; number < kills; number++) {
      const left = segments - stored.size
      const shareMs = (workMs * left) / segments / (kills - number + 1)
      const afterMs = random() < 0.2 ? random() * startMs : startMs + 1.5 * random() * shareMs
      const moment = { afterMs: Math.round(afterMs), clipsAtMost: Math.ceil(left / 2) }
      runs.push(await ingestUntil(moment))
      const now = storedSegments()
      for (const [segment, trackIds] of stored)
        assert.equal(now.get(segment), trackIds, `${segment} is written once`)
      test.diagnostic(
        `kill ${number + 1} (seed ${seed}): ${JSON.stringify(moment)}, ${now.size} segments stored`,
      )
      stored = now
    }
    const last = ingested(await startIngest(killed).finished)
    assert.equal(last.code, 0, last.stderr)
    runs.push(last)
    const end = segmentTrackIds(killed)
    for (const [segment, trackIds] of stored)
      assert.equal(end.get(segment), trackIds, `${segment} is written once`)
    assert.equal(end.size, segments)
  })

  it('does not repeat a clip that was reported done', () => {
    const done = new Set<string>()
    for (const { lines } of runs)
      for (const { path, status } of lines) {
        if (done.has(path)) assert.equal(status, 'unchanged', path)
        else if (status === 'done') done.add(path)
        else assert.equal(status, 'unchanged', `${path} was stored, and the process killed before it said so`)
      }
    assert.ok(done.size > shortClips / 2)
    assert.equal(runs.at(-1)?.lines.length, shortClips + 1)
  })

  it('the archive equals the archive of an ingest that was never killed', () => {
    assert.deepEqual(dumpArchive(killed), dumpArchive(whole))
  })

  it('and gives the same answers', async () => {
    for (const face of ['costumes right', 'sofa left', 'window third'] as const) {
      const photo = await makeFacePhoto(join(dir, `${face}.jpg`), face)
      const ask = async (archive: string) =>
        comparable(
          await search(['--image', photo, '--archive', archive, '--min-score', '0.1', '--top', '100']),
        )
      const answer = await ask(killed)
      assert.ok(answer.results.length >= 2)
      assert.deepEqual(answer, await ask(whole))
    }
  })

  it('a complete archive reports everything as unchanged', async () => {
    const run = await ingest([folder, '--archive', killed])
    assert.equal(run.code, 0)
    assert.ok(run.lines.every(({ status }) => status === 'unchanged'))
  })
})
