/** People without names, with real faces and through the command. */
import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { before, describe, it } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { z } from 'zod'
import { checkDeeply } from '../../index/archive/deep-check.js'
import { openArchive } from '../../index/archive/open-archive.js'
import { PeopleRows } from '../../index/store/people-rows.js'
import { fillWithTracks } from '../../scripts/bench/people/synthetic.js'
import { openCameo } from '../../workers/cameo.js'
import { cameo, startCameo, temporaryDir } from '../support/cameo.js'
import { makeFaceClip } from '../support/faces.js'

const dir = temporaryDir()
const at = (...names: string[]) => join(dir, ...names)
const films = at('films')
const here = ['--archive', at('archive')]

async function run(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await cameo([...args, ...here])
  assert.equal(code, 0, stderr)
  return stdout
}

async function refused(...args: string[]): Promise<string> {
  const { code, stderr } = await cameo([...args, ...here])
  assert.equal(code, 2)
  return stderr
}

const pageSchema = z.object({
  people: z.array(
    z.object({
      personId: z.int(),
      name: z.string().nullable(),
      tracks: z.int(),
      clips: z.int(),
      thumbnail: z.string().startsWith('data:image/jpeg;base64,/9j/'),
    }),
  ),
  next: z.string().nullable(),
})
const listed = async (...args: string[]) =>
  pageSchema
    .parse(JSON.parse(await run('people', 'list', ...args, '--json')))
    .people.map(({ personId, name, tracks }) => [personId, name, tracks])

before(async () => {
  mkdirSync(films)
  // One person in two different photos, and two others.
  await makeFaceClip(join(films, 'costumes.mp4'), 'costumes right')
  await makeFaceClip(join(films, 'bar.mp4'), 'bar middle', { seconds: 3, then: ['party first'] })
  await makeFaceClip(join(films, 'window.mp4'), 'window third')
  await run('ingest', films)
})

describe('cameo people', () => {
  it('groups the faces of an archive', async () => {
    const report = z
      .object({ tracks: z.int(), people: z.int(), grouped: z.int() })
      .parse(JSON.parse(await run('people', 'group', '--json')))
    assert.deepEqual(report, { tracks: 4, people: 1, grouped: 2 })
    assert.deepEqual(await listed(), [[1, null, 2]])
    assert.match(
      await run('people', 'list'),
      /^ {3}1 {2}\(no name\): 2 clips, 2 tracks, [\d.]+ s, \d{4}-\d\d-\d\d$/m,
    )
  })

  it('shows where a person is seen, as text, table and contact sheet; cut takes the answer', async () => {
    const text = await run('people', 'show', '1', '--html', at('sheet.html'))
    assert.match(text, /costumes\.mp4\n +0:00\.0–0:01\.\d/)
    assert.match(readFileSync(at('sheet.html'), 'utf8'), /<img alt="face 2"/)
    assert.equal(statSync(at('sheet.html')).mode & 0o777, 0o600)
    const table = await run('people', 'show', '1', '--format', 'csv')
    assert.equal(table.split('\r\n').filter((line) => line.includes(',person 1,')).length, 2)
    await run('cut', '--out', at('cuts'))
    assert.ok(existsSync(at('cuts')))
  })

  it('gives a name, which searches and clips use, also for clips that come later', async () => {
    assert.match(
      await run('people', 'name', '1', 'Ada'),
      /^person 1 is "Ada", enrolled with 2 faces \(2 added\)$/m,
    )
    assert.match(await run('show', join(films, 'costumes.mp4')), /Ada: /)
    await makeFaceClip(join(films, 'later.mp4'), 'costumes right', { variant: 1 })
    await run('ingest', films)
    const found = z
      .object({ results: z.array(z.object({ path: z.string() })) })
      .parse(JSON.parse(await run('search', '--name', 'Ada', '--json')))
    assert.equal(found.results.length, 3)
    await run('people', 'group')
    assert.deepEqual(await listed('--named'), [[1, 'Ada', 3]])
  })

  it('parts, joins and hides people, and undoes it', async () => {
    assert.match(
      await run('people', 'split', '1', '--clip', join(films, 'bar.mp4')),
      /^1 track became person 2/,
    )
    assert.deepEqual(await listed(), [[1, 'Ada', 2], [2, null, 1]]) // prettier-ignore
    await run('people', 'group', '--again')
    assert.deepEqual(await listed(), [[1, 'Ada', 2], [2, null, 1]]) // prettier-ignore
    await run('people', 'merge', '1', '2')
    assert.deepEqual(await listed(), [[1, 'Ada', 3]])
    assert.match(await run('people', 'undo'), /^undone: change \d+, .*: merge of 1, 2, 1 track$/m)
    assert.match(await run('people', 'undo'), /split/)
    await run('people', 'hide', '1')
    assert.deepEqual([await listed(), await listed('--hidden')], [[], [[1, 'Ada', 3]]])
    await run('people', 'unhide', '1')
    assert.match(await run('people', 'log'), /: show of 1\n.*: hide of 1\n.*: merge of 1, 2 \(undone\)\n/)
  })

  it('says what is wrong with a command', async () => {
    assert.match(await refused('people', 'show', '77'), /no person 77.*\[PERSON_UNKNOWN\]/)
    assert.match(
      await refused('people', 'split', '1', '--clip', join(films, 'window.mp4')),
      /no such track.*\[USAGE\]/,
    )
    assert.match(await refused('people', 'split', '1', '--range', '5'), /two times in seconds/)
    assert.match(await refused('people', 'merge', '1', '1'), /two or more different people/)
    assert.match(await refused('people', 'name', '1', ' '), /name is empty/)
    assert.match(await refused('people', 'undo', '99'), /no change 99/)
    assert.match(await refused('people', 'show', 'x'), /a number is needed/)
  })

  it('a program can do the same', async () => {
    const library = await openCameo({ archive: at('archive') })
    const { people } = await library.people({ named: true })
    assert.deepEqual(people.map(({ personId, name }) => [personId, name]), [[1, 'Ada']]) // prettier-ignore
    const { clips } = await library.showPerson({ personId: 1 })
    assert.equal(clips.length, 3)
    const report = await library.groupPeople({ again: true })
    assert.deepEqual([report.people, report.changed], [1, 0])
    const { personId, changeId } = await library.splitPerson({ personId: 1, clip: clips[0]?.clipId })
    await library.hidePeople([personId])
    await library.undoPeople()
    await library.undoPeople(changeId)
    const [, , last] = await library.peopleChanges()
    assert.equal(last?.action, 'show')
    await library.close()
  })
})

it('cameo eval groups compares people with ground truth', async () => {
  writeFileSync(at('gt.txt'), 'ada costumes.mp4 bar.mp4 later.mp4\ncy window.mp4\n')
  const measured = z
    .object({
      bcubed: z.object({ precision: z.number(), recall: z.number() }),
      people: z.int(),
      groups: z.int(),
      alone: z.int(),
    })
    .parse(JSON.parse(await run('eval', 'groups', '--ground-truth', at('gt.txt'), '--json')))
  assert.deepEqual(measured, { bcubed: { precision: 1, recall: 1 }, people: 2, groups: 2, alone: 1 })
  assert.match(
    await refused('eval', 'groups', '--ground-truth', at('none.txt')),
    /none\.txt.*\[GROUND_TRUTH_INVALID\]/,
  )
})

it('a grouping that is killed has changed nothing, or is complete', async () => {
  const spread = { withinMean: 0.55, withinDeviation: 0.1, betweenDeviation: 0.08 }
  const archive = at('made')
  fillWithTracks(archive, 3000, spread)
  const membersNow = () => {
    const opened = openArchive(archive)
    try {
      assert.deepEqual(checkDeeply(opened.database), { damage: [], structure: [] })
      return new PeopleRows(opened.database).memberships().size
    } finally {
      opened.close()
    }
  }
  const complete = async () => {
    const { code, stderr } = await startCameo(['people', 'group', '--archive', archive]).finished
    assert.equal(code, 0, stderr)
    return membersNow()
  }
  const counts: number[] = []
  for (const afterMs of [0, 400, 900]) {
    const started = startCameo(['people', 'group', '--archive', archive])
    await started.until(() => existsSync(join(archive, 'people.lock')))
    await pause(afterMs)
    started.kill('SIGKILL')
    await started.finished
    counts.push(membersNow())
  }
  const all = await complete()
  assert.ok(all > 1000)
  assert.ok(
    counts.every((count) => count === 0 || count === all),
    `${counts.join(', ')} of ${all}`,
  )
})
