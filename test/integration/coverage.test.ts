import assert from 'node:assert/strict'
import { copyFileSync, mkdirSync, readFileSync, realpathSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { before, describe, it } from 'node:test'
import {
  assertRefused,
  coverageReportSchema,
  coverageSchema,
  ingest,
  ingested,
  search,
} from '../support/answers.js'
import { segmentTrackIds } from '../support/archive-dump.js'
import { cameo, startCameo, temporaryDir } from '../support/cameo.js'
import { makeFaceClip, makeFacePhoto } from '../support/faces.js'

const dir = realpathSync(temporaryDir())
const folder = join(dir, 'clips')
const film = join(folder, 'a film.mp4')
/** Is opened in advance, while the film is worked on; the last one is not. */
const next = join(folder, 'late/next.mp4')
const last = join(folder, 'late/party.mp4')
const stopped = ['--archive', join(dir, 'stopped')]
const options = ['--segment', '1', '--threads', '1', '--json']
let photo: string

const says = /2 of 3 clips were not fully looked at/

async function coverage(...args: readonly string[]) {
  const run = await cameo(['coverage', ...args, '--json'])
  return { code: run.code, ...coverageReportSchema.parse(JSON.parse(run.stdout)) }
}

before(async () => {
  mkdirSync(join(folder, 'late'), { recursive: true })
  photo = await makeFacePhoto(join(dir, 'costumes.jpg'), 'costumes right')
  await makeFaceClip(film, 'costumes right', { seconds: 12 })
  await makeFaceClip(next, 'sofa left')
  await makeFaceClip(last, 'party first')
  const running = startCameo(['ingest', folder, ...stopped, ...options])
  const isNextDone = () => running.stdoutNow().includes('next.mp4')
  await running.until(() => isNextDone() && segmentTrackIds(join(dir, 'stopped')).size >= 3)
  running.kill('SIGKILL')
  await running.finished
})

describe('coverage: an ingest that was stopped in the middle of a film', () => {
  it('lists the film with its missing part, and the clip that was not started', async () => {
    const { code, clips, folders, coverage: sum } = await coverage(...stopped)
    assert.equal(code, 1)
    assert.deepEqual(
      clips.map(({ path, states }) => [path, states]),
      [
        [film, ['unfinished']],
        [last, ['unfinished']],
      ],
    )
    const { durationS, lookedAtS, notLookedAtS, notLookedAt } = clips[0] ?? assert.fail()
    assert.deepEqual([durationS, notLookedAt.at(-1)?.endS], [12, 12])
    assert.ok(lookedAtS >= 2 && lookedAtS < 12)
    assert.equal(lookedAtS + (notLookedAtS ?? 0), 12)
    assert.deepEqual([sum.clips, sum.incomplete, sum.unknownLength], [3, 2, 1])
    assert.ok(Math.abs(sum.hours * 3600 - 13.5) < 1e-9)
    assert.deepEqual(
      folders.map((each) => [each.folder, each.clips]),
      [
        [folder, 1],
        [join(folder, 'late'), 2],
      ],
    )
    assert.deepEqual((await coverage(join(folder, 'late'), ...stopped)).clips.length, 1)
    const text = await cameo(['coverage', ...stopped])
    assert.match(text.stdout, /a film\.mp4\n {4}unfinished: 0:\d\d\.0–0:12\.0 was not looked at/)
    assert.match(text.stdout, /party\.mp4\n {4}unfinished: none of it was looked at/)
  })

  it('is reported in every answer, with the missing part of a found film', async () => {
    const sheet = join(dir, 'sheet.html')
    const run = await cameo(['search', '--image', photo, '--html', sheet, ...stopped])
    assert.equal(run.code, 0, run.stderr)
    assert.match(run.stdout, /a film\.mp4\n.*\n +unfinished: .*–0:12\.0 was not looked at\n/)
    assert.match(run.stdout, says)
    const page = readFileSync(sheet, 'utf8')
    assert.match(page, /unfinished: .*–0:12\.0 was not looked at/)
    assert.match(page, says)
    const answer = await search(['--image', photo, ...stopped])
    assert.deepEqual(answer.results[0]?.coverage?.states, ['unfinished'])
    assert.equal(answer.coverage.incomplete, 2)

    const truth = join(dir, 'truth.txt')
    writeFileSync(truth, 'party.mp4 1\na film.mp4 2\n')
    const map = await cameo([
      'eval',
      'map',
      '--gallery',
      truth,
      '--ground-truth',
      truth,
      ...stopped,
      '--json',
    ])
    assert.match(map.stderr, says)
  })

  it('is shown by status in hours, and doctor does not report the archive as fully intact', async () => {
    const status = await cameo(['status', ...stopped])
    assert.match(status.stdout, /1 clip, \d+ tracks, 0 failed files\n/)
    assert.match(status.stdout, /[\d.]+ of 14 s of video looked at\n/)
    assert.match(status.stdout, says)
    assert.match(status.stdout, /2 unfinished\n/)
    assert.match(status.stdout, /head: none.*\n.*4 frames of each second.*segments of 1 s\n/)
    const json = JSON.parse((await cameo(['status', ...stopped, '--json'])).stdout) as Record<string, unknown>
    assert.deepEqual([json['unfinished'], json['partial'], json['missing']], [2, 0, 0])
    assert.ok(Number(json['hours']) < Number(json['totalHours']))
    coverageSchema.parse(json['coverage'])
    const doctor = await cameo(['doctor', ...stopped])
    assert.match(doctor.stdout, /its file is intact, but 2 of 3 clips were not fully looked at/)
  })

  it('is complete after the ingest is run again, and nothing is reported', async () => {
    const run = ingested(await cameo(['ingest', folder, ...stopped, ...options]))
    assert.equal(run.code, 0, run.stderr)
    assert.doesNotMatch(run.stderr, says)
    const { code, clips, coverage: sum } = await coverage(...stopped)
    assert.deepEqual([code, clips, sum.incomplete], [0, [], 0])
    const listed = await coverage(...stopped, '--state', 'complete')
    assert.equal(listed.clips.length, 3)
    assert.match((await cameo(['doctor', ...stopped])).stdout, /3 clips, \d+ tracks, its file is intact$/m)
  })
})

describe('coverage: files that failed, are truncated or missing', () => {
  const own = ['--archive', join(dir, 'mixed')]
  const clip = (name: string) => join(dir, 'mixed clips', name)

  before(async () => {
    mkdirSync(join(dir, 'mixed clips'))
    await makeFaceClip(clip('gone.mp4'), 'costumes right')
    copyFileSync(film, clip('whole.mp4'))
    writeFileSync(clip('cut.ts'), '')
    await makeFaceClip(clip('long.mkv'), 'party first', { seconds: 12 })
    writeFileSync(clip('cut.mkv'), readFileSync(clip('long.mkv')).subarray(0, 40_000))
    const run = await ingest([join(dir, 'mixed clips'), ...own])
    assert.equal(run.code, 1, run.stderr)
    renameSync(clip('gone.mp4'), join(dir, 'elsewhere.mp4'))
  })

  it('lists each with its reason', async () => {
    const { clips } = await coverage(...own)
    const stateOf = (name: string) => clips.find(({ path }) => path === clip(name))
    assert.deepEqual([stateOf('cut.ts')?.states, stateOf('cut.ts')?.code], [['failed'], 'CLIP_EMPTY'])
    assert.deepEqual(
      [stateOf('gone.mp4')?.states, stateOf('gone.mp4')?.missing],
      [['complete', 'missing'], true],
    )
    const cut = stateOf('cut.mkv')
    assert.deepEqual(cut?.states, ['truncated'])
    const [lost] = cut.notLookedAt
    assert.ok(lost !== undefined && lost.startS > 0 && lost.endS === cut.durationS, JSON.stringify(cut))
    assert.equal(stateOf('whole.mp4'), undefined)
  })

  it('reports a missing file in a search, not its old path', async () => {
    const answer = await search(['--image', photo, ...own])
    const missing = answer.results.filter((result) => result.missing === true)
    assert.deepEqual(
      missing.map(({ path }) => path),
      [clip('gone.mp4')],
    )
    const sheet = join(dir, 'gone.html')
    const run = await cameo(['search', '--image', photo, '--html', sheet, ...own])
    assert.match(run.stdout, /missing \(was .*gone\.mp4\)/)
    const page = readFileSync(sheet, 'utf8')
    assert.match(page, /gone\.mp4<\/bdi> \(missing\)/)
    assert.doesNotMatch(page, /href="file:[^"]*gone\.mp4/)
    const status = await cameo(['status', ...own])
    assert.match(status.stdout, /missing: was .*gone\.mp4\n/)
  })

  it('refuses an unknown state', async () => {
    assertRefused(await cameo(['coverage', ...own, '--state', 'lost', '--json']), 'USAGE', 'unfinished')
  })
})
