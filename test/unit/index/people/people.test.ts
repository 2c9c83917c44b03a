import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { listAudit } from '../../../../index/audit/list-audit.js'
import { listReceipts } from '../../../../index/erasure/list-receipts.js'
import type { FilledArchive } from '../../../../index/archive/open-archive.js'
import { checkDeeply } from '../../../../index/archive/deep-check.js'
import { forgetClip } from '../../../../index/identities/forget.js'
import { correctTracks } from '../../../../index/identities/corrections.js'
import { forgetName } from '../../../../index/identities/identities.js'
import { tracksOfClip } from '../../../../index/identities/verdicts.js'
import { hidePeople, mergePeople, splitPerson } from '../../../../index/people/correct-people.js'
import { listGroups, type PeopleRequest } from '../../../../index/people/list-groups.js'
import { chooseTracks, namePerson } from '../../../../index/people/name-person.js'
import { showPerson } from '../../../../index/people/show-person.js'
import { listChanges, undoChange } from '../../../../index/people/undo-change.js'
import { eraseUnnamed } from '../../../../index/retention/unnamed-tracks.js'
import { trackIdsOf } from '../../../../index/store/retention.js'
import { listIdentities } from '../../../../index/store/identities.js'
import { lockPeople } from '../../../../index/store/locks.js'
import { referenceFaces } from '../../../../index/store/reference-faces.js'
import { findPack } from '../../../../pipeline/models/packs/catalog.js'
import { undoPeople } from '../../../../workers/archive/undo-people.js'
import { eve, searchEntry, withLog } from '../../../support/audit.js'
import { temporaryDir } from '../../../support/cameo.js'
import { group, namelessArchive, personsOf } from '../../../support/made-people.js'
import { addMadeClip, madeClipId, quietCaller, type MadeClip } from '../../../support/people-archive.js'
import { refusedWith } from '../../../support/refused-with.js'

const [ada, bo] = [{ Ada: 0.9 }, { Bo: 0.9 }]
const film = (path: string, ...tracks: MadeClip['tracks']): MadeClip => ({ path, tracks })
const seen = (like: Record<string, number>, startS: number, quality = 0.5) => ({
  ...{ like, quality },
  spansS: [[startS, startS + 2] as const],
})

/** Ada in four clips, Bo in two of them; strangers in the last. */
const films = [
  film('a.mp4', seen(ada, 0, 0.9), seen(bo, 1)),
  film('b.mp4', seen(ada, 0, 0.8), seen(ada, 10, 0.3)),
  film('c.mp4', seen(bo, 0), seen(ada, 5, 0.7)),
  film('d.mp4', seen(ada, 3, 0.6), seen({}, 8)),
]

process.setMaxListeners(50)

const archiveOf = (clips: readonly MadeClip[] = films) =>
  namelessArchive(temporaryDir(), ['Ada', 'Bo'], clips)

async function groupedArchive(clips?: readonly MadeClip[]): Promise<FilledArchive> {
  const opened = archiveOf(clips)
  await group(opened)
  return opened
}

const personsIn = ({ archive }: FilledArchive) => films.map((_, i) => personsOf(archive, madeClipId(i)))
const listed = ({ archive }: FilledArchive, request: PeopleRequest = {}) =>
  listGroups(archive, request).people.map(({ personId, name, tracks, clips }) => [personId, name, tracks, clips]) // prettier-ignore
const pack = findPack('lite')
const asGrouped = [[1, 2], [1, 1], [2, 1], [1, undefined]] // prettier-ignore

describe('corrections of a name', () => {
  it('take tracks into the person with the name, and keep others out', async () => {
    const opened = await groupedArchive()
    const { database } = opened.archive
    namePerson(opened, { pack }, { personId: 1, name: 'Ada' })
    const [, stranger] = tracksOfClip(database, madeClipId(3))
    const [own] = tracksOfClip(database, madeClipId(1))
    assert.ok(stranger !== undefined && own !== undefined)
    correctTracks(database, 'Ada', { clipId: madeClipId(3), tracks: [stranger], verdict: 'confirmed' })
    await group(opened)
    assert.deepEqual(personsIn(opened), [[1, 2], [1, 1], [2, 1], [1, 1]]) // prettier-ignore
    correctTracks(database, 'Ada', { clipId: madeClipId(1), tracks: [own], verdict: 'rejected' })
    await group(opened, { again: true })
    assert.deepEqual(personsIn(opened), [[1, 2], [undefined, 1], [2, 1], [1, 1]]) // prettier-ignore
  })
})

describe('erasing tracks', () => {
  it('leaves no place of them, and no person without tracks', async () => {
    const opened = await groupedArchive()
    const { database } = opened.archive
    splitPerson(opened.archive, { personId: 1, clip: madeClipId(3) })
    for (const [i] of films.entries())
      eraseUnnamed(database, madeClipId(i), trackIdsOf(database, madeClipId(i)))
    assert.deepEqual(listed(opened), [])
    const count = (table: string) => database.prepare(`SELECT count(*) FROM ${table}`).pluck().get()
    assert.deepEqual([count('people'), count('people_anchors'), count('people_links'), count('people_moves')], [0, 0, 0, 0]) // prettier-ignore
    assert.deepEqual(checkDeeply(database), { damage: [], structure: [] })
  })
})

describe('grouping an archive', () => {
  it('makes people of tracks, and leaves out tracks that are like no others', async () => {
    const opened = archiveOf()
    const report = await group(opened)
    assert.deepEqual(personsIn(opened), asGrouped)
    assert.deepEqual({ ...report, minSimilarity: 0 }, { tracks: 8, grouped: 7, people: 2, added: 2, changed: 7, minSimilarity: 0 }) // prettier-ignore
    assert.deepEqual(listed(opened), [[1, undefined, 5, 4], [2, undefined, 2, 2]]) // prettier-ignore
    assert.deepEqual(checkDeeply(opened.archive.database), { damage: [], structure: [] })
  })

  it('adds new clips to the people who are known, and makes new ones', async () => {
    const opened = await groupedArchive()
    addMadeClip(opened.archive, 4, film('e.mp4', seen(ada, 0), seen(bo, 5)), ['Ada', 'Bo'])
    const { added, changed } = await group(opened)
    assert.deepEqual([added, changed, personsOf(opened.archive, madeClipId(4))], [0, 2, [1, 2]])
    assert.deepEqual(await group(opened).then((again) => again.changed), 0)
  })

  it('makes a person when the second track comes, and keeps ids when all is grouped again', async () => {
    const opened = await groupedArchive([films[0]!, film('x.mp4', seen(ada, 0))])
    assert.deepEqual(personsOf(opened.archive, madeClipId(0)), [1, undefined])
    addMadeClip(opened.archive, 2, film('y.mp4', seen(bo, 0)), ['Ada', 'Bo'])
    await group(opened)
    assert.deepEqual(personsOf(opened.archive, madeClipId(0)), [1, 2])
    const report = await group(opened, { again: true })
    assert.deepEqual([report.added, report.changed], [0, 0])
    assert.deepEqual(listChanges(opened.archive), [])
  })

  it('keeps tracks apart that share frames', async () => {
    const opened = await groupedArchive([
      film('twins.mp4', seen(ada, 0), seen(ada, 1)),
      film('b.mp4', seen(ada, 0)),
    ])
    const twins = personsOf(opened.archive, madeClipId(0))
    assert.equal(twins.filter((person) => person !== undefined).length, 1)
  })

  it('is stored completely or not at all', async () => {
    const opened = archiveOf()
    const { database } = opened.archive
    database.exec(
      "CREATE TEMP TRIGGER disk_full BEFORE INSERT ON people_tracks WHEN NEW.track_id = 5 BEGIN SELECT RAISE(ABORT, 'disk full'); END",
    )
    await assert.rejects(group(opened), /disk full/)
    assert.deepEqual(personsIn(opened).flat().filter((person) => person !== undefined), []) // prettier-ignore
    assert.equal(database.prepare('SELECT count(*) FROM people').pluck().get(), 0)
    database.exec('DROP TRIGGER disk_full')
    assert.equal((await group(opened)).grouped, 7)
  })

  it('changes nothing if it is stopped, or while somebody else changes people', async () => {
    const opened = archiveOf()
    await assert.rejects(
      group(opened, { signal: AbortSignal.abort() }),
      refusedWith('INTERRUPTED', /was stopped/),
    )
    const lock = lockPeople(opened.archive.dir)
    await assert.rejects(group(opened), refusedWith('ARCHIVE_BUSY', /another process/))
    lock.release()
    assert.deepEqual(listed(opened), [])
    assert.equal((await group(opened)).people, 2)
  })
})

describe('a list of people', () => {
  it('is in pages, and can be of people with a name, without, hidden, or with many tracks', async () => {
    const opened = await groupedArchive()
    const { next } = listGroups(opened.archive, { limit: 1 })
    assert.equal(next, '5/1')
    assert.deepEqual(listed(opened, { limit: 1, after: next }), [[2, undefined, 2, 2]])
    namePerson(opened, { pack }, { personId: 2, name: 'Bo' })
    assert.deepEqual(listed(opened, { named: true }), [[2, 'Bo', 2, 2]])
    assert.deepEqual(listed(opened, { named: false }), [[1, undefined, 5, 4]])
    assert.deepEqual(listed(opened, { minTracks: 3 }), [[1, undefined, 5, 4]])
    hidePeople(opened.archive, [1], true)
    assert.deepEqual([listed(opened).length, listed(opened, { hidden: 'only' }).length, listed(opened, { hidden: 'with' }).length], [1, 1, 2]) // prettier-ignore
    assert.throws(() => listed(opened, { after: 'x' }), refusedWith('USAGE', /no place of a list/))
  })

  it('shows the clips, what is least like the person last', async () => {
    const opened = await groupedArchive([...films, film('e.mp4', seen({ Ada: 0.75 }, 0, 0.4))])
    const { person, clips } = showPerson(opened.archive, { personId: 1 }, quietCaller())
    assert.deepEqual([person.tracks, person.clips, person.seenS], [6, 5, 12])
    assert.equal(clips.at(-1)?.path, '/films/e.mp4')
    assert.deepEqual(
      clips.find(({ path }) => path === '/films/b.mp4')?.ranges.map(({ startS, endS }) => [startS, endS]),
      [[0, 2], [10, 12]],
    ) // prettier-ignore
    assert.deepEqual([...(person.thumbnailJpeg ?? [])], [0xff, 0xd8, 0])
    assert.equal(showPerson(opened.archive, { personId: 1, top: 2 }, quietCaller()).clips.length, 2)
    assert.throws(
      () => showPerson(opened.archive, { personId: 9 }, quietCaller()),
      refusedWith('PERSON_UNKNOWN', /no person 9/),
    )
  })
})

describe('corrections', () => {
  it('merge people for good, and can be undone', async () => {
    const opened = await groupedArchive()
    mergePeople(opened.archive, [2, 1])
    assert.deepEqual(listed(opened), [[2, undefined, 7, 4]])
    await group(opened, { again: true })
    assert.deepEqual(listed(opened), [[2, undefined, 7, 4]])
    undoChange(opened.archive)
    assert.deepEqual(personsIn(opened), asGrouped)
    await group(opened, { again: true })
    assert.deepEqual(personsIn(opened), asGrouped)
  })

  it('split a person for good, by clip and by time, and can be undone', async () => {
    const opened = await groupedArchive()
    const { personId, tracks } = splitPerson(opened.archive, {
      personId: 1,
      clip: '/films/b.mp4',
      range: [9, 11],
    })
    assert.deepEqual([personId, tracks], [3, 1])
    const split = [[1, 2], [1, 3], [2, 1], [1, undefined]] // prettier-ignore
    assert.deepEqual(personsIn(opened), split)
    await group(opened, { again: true })
    assert.deepEqual(personsIn(opened), split)
    undoChange(opened.archive)
    assert.deepEqual(personsIn(opened), asGrouped)
    for (const [request, said] of [
      [{ clip: '/films/a.mp4', range: [9, 10] as const }, /no such track/],
      [{}, /say which tracks/],
      [{ range: [9, 10] as const, trackIds: [1] }, /needs a clip/],
    ] as const)
      assert.throws(
        () => splitPerson(opened.archive, { personId: 1, ...request }),
        refusedWith('USAGE', said),
      )
    assert.throws(() => splitPerson(opened.archive, { personId: 2, trackIds: [2, 5] }), refusedWith('USAGE', /nothing would be left/)) // prettier-ignore
  })

  it('that contradict earlier ones win', async () => {
    const opened = await groupedArchive()
    const { personId } = splitPerson(opened.archive, { personId: 1, clip: '/films/b.mp4' })
    mergePeople(opened.archive, [1, personId])
    await group(opened, { again: true })
    assert.deepEqual(personsIn(opened), asGrouped)
  })

  it('are undone in order', async () => {
    const opened = await groupedArchive()
    const { changeId } = splitPerson(opened.archive, { personId: 1, clip: '/films/b.mp4' })
    hidePeople(opened.archive, [2], true)
    hidePeople(opened.archive, [1], true)
    assert.throws(
      () => undoChange(opened.archive, changeId),
      refusedWith('USAGE', /change 3 .* undo it first/),
    )
    // Another person's change does not matter.
    undoChange(opened.archive, 3)
    undoChange(opened.archive, changeId)
    assert.deepEqual(listed(opened), [[1, undefined, 5, 4]])
    assert.throws(() => undoChange(opened.archive, changeId), refusedWith('USAGE', /undone already/))
    assert.deepEqual(listChanges(opened.archive).map(({ action, isUndone }) => [action, isUndone]), [['hide', true], ['hide', false], ['split', true]]) // prettier-ignore
    undoChange(opened.archive)
    assert.throws(() => undoChange(opened.archive), refusedWith('USAGE', /nothing to undo/))
    assert.throws(() => undoChange(opened.archive, 77), refusedWith('NOT_FOUND', /no change 77/))
  })

  it('survive when clips are processed again', async () => {
    const opened = await groupedArchive()
    splitPerson(opened.archive, { personId: 1, clip: '/films/b.mp4', range: [9, 11] })
    hidePeople(opened.archive, [2], true)
    const before = personsIn(opened)
    for (const [i, clip] of films.entries()) addMadeClip(opened.archive, i, clip, ['Ada', 'Bo'])
    assert.deepEqual(
      personsIn(opened)
        .flat()
        .filter((person) => person !== undefined),
      [],
    )
    await group(opened)
    assert.deepEqual(personsIn(opened), before)
    assert.deepEqual(listed(opened, { hidden: 'only' }), [[2, undefined, 2, 2]])
    await group(opened, { again: true })
    assert.deepEqual(personsIn(opened), before)
    assert.deepEqual(checkDeeply(opened.archive.database), { damage: [], structure: [] })
  })
})

describe('naming a person', () => {
  it('can be undone: the log gets a receipt of the faces that go, and its key of the name is destroyed', async () => {
    const opened = await groupedArchive()
    const { archive } = opened
    namePerson(opened, { pack }, { personId: 1, name: 'Ada' })
    await withLog(archive.dir, (log) => log.append(searchEntry('Ada')))
    await undoPeople(archive, undefined, { notify: (notice) => assert.fail(notice) }, { actor: eve })
    await withLog(archive.dir, (log) => {
      const [receipt, ...more] = listReceipts(log)
      assert.ok(receipt !== undefined && more.length === 0)
      const { subject, erased, check, state } = receipt
      assert.deepEqual([state, subject.kind, subject.count, check.rowsFound], ['complete', 'face', 5, 0])
      const { identities, reference_faces } = erased.rows
      assert.deepEqual([identities, reference_faces, erased.auditKeys], [1, 5, 1])
      const [last, first] = listAudit(log).entries
      assert.deepEqual([last?.action, last?.actor], ['forget-face', eve])
      assert.deepEqual(
        first?.parts.map(({ state: read }) => read),
        ['erased'],
      )
    })
    mergePeople(archive, [2, 1])
    await undoPeople(archive, undefined, quietCaller())
    await withLog(archive.dir, (log) => assert.equal(listReceipts(log).length, 1, 'nothing was erased'))
  })

  it('enrols the best faces of several clips, which a search by name uses; undoing takes them away', async () => {
    const opened = await groupedArchive()
    const { database } = opened.archive
    const named = namePerson(opened, { pack }, { personId: 1, name: ' Ada ' })
    assert.deepEqual([named.name, named.faces, named.added, named.others], ['Ada', 5, 5, []])
    const sources = referenceFaces(database, 'Ada').map(({ source }) => source)
    assert.deepEqual(
      [...new Set(sources)],
      ['a', 'b', 'c', 'd'].map((letter) => `/films/${letter}.mp4`),
    )
    assert.deepEqual(listed(opened)[0], [1, 'Ada', 5, 4])
    undoChange(opened.archive)
    assert.deepEqual([listIdentities(database), listed(opened)[0]], [[], [1, undefined, 5, 4]])
  })

  it('adds to a name that is known, unless its faces are somebody else; two people may have one name', async () => {
    const opened = await groupedArchive()
    namePerson(opened, { pack }, { personId: 1, name: 'Ada' })
    assert.throws(() => namePerson(opened, { pack }, { personId: 2, name: 'Ada' }), refusedWith('FACES_DISAGREE', /most of the files/)) // prettier-ignore
    assert.deepEqual(listed(opened)[1], [2, undefined, 2, 2])
    const { others } = namePerson(opened, { pack }, { personId: 2, name: 'Ada', force: true })
    assert.deepEqual(others, [1])
    mergePeople(opened.archive, [1, 2])
    assert.deepEqual(listed(opened), [[1, 'Ada', 7, 4]])
  })

  it('different names keep people apart, and are no reason to lose one', async () => {
    const opened = await groupedArchive()
    namePerson(opened, { pack }, { personId: 1, name: 'Ada' })
    namePerson(opened, { pack }, { personId: 2, name: 'Bo' })
    assert.throws(
      () => mergePeople(opened.archive, [1, 2]),
      refusedWith('USAGE', /different names \("Ada", "Bo"\)/),
    )
    await group(opened, { again: true, minSimilarity: -1 })
    assert.deepEqual(new Set(listed(opened).map(([, name]) => name)), new Set(['Ada', 'Bo']))
    forgetName(opened.archive.database, 'Ada')
    assert.ok(listed(opened).some(([personId, name]) => personId === 1 && name === undefined))
  })

  it('takes the best track of each clip before the second best', () => {
    const members = ['a', 'a', 'a', 'b', 'c', 'b'].map((clipId, trackId) => ({
      trackId,
      clipId,
      spans: '[]',
      quality: 1,
    }))
    assert.deepEqual(
      chooseTracks(members, 5).map(({ trackId }) => trackId),
      [0, 3, 4, 1, 5],
    )
  })
})

describe('forgetting a clip', () => {
  it('takes its tracks from people, and leaves nothing of it in the log', async () => {
    const opened = await groupedArchive()
    const { database } = opened.archive
    namePerson(opened, { pack }, { personId: 1, name: 'Ada' })
    splitPerson(opened.archive, { personId: 1, clip: '/films/b.mp4' })
    assert.equal(placesOf(opened, madeClipId(1)) > 0, true)
    forgetClip(database, madeClipId(1))
    assert.equal(placesOf(opened, madeClipId(1)), 0)
    assert.deepEqual(listed(opened), [[1, 'Ada', 3, 3], [2, undefined, 2, 2]]) // prettier-ignore
    assert.ok(!referenceFaces(database, 'Ada').some(({ source }) => source === '/films/b.mp4'))
    for (const i of [0, 2]) forgetClip(database, madeClipId(i))
    assert.deepEqual(listed(opened), [[1, 'Ada', 1, 1]])
    undoChange(opened.archive)
    undoChange(opened.archive)
    assert.deepEqual(listed(opened), [[1, undefined, 1, 1]])
    assert.deepEqual(checkDeeply(database), { damage: [], structure: [] })
  })
})

/** Rows of people's tables that name a clip. */
const placesOf = ({ archive: { database } }: FilledArchive, clipId: string): number =>
  database
    .prepare<[string, string], number>(
      `SELECT (SELECT count(*) FROM people_anchors WHERE clip_id = ?) +
         (SELECT count(*) FROM people_enrolled WHERE clip_id = ?)`,
    )
    .pluck()
    .get(clipId, clipId) ?? 0
