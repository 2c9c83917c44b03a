import assert from 'node:assert/strict'
import { join } from 'node:path'
import { before, describe, it } from 'node:test'
import { withModels } from '../../../../index/archive/archive-models.js'
import {
  openFilledArchive,
  type Archive,
  type FilledArchive,
} from '../../../../index/archive/open-archive.js'
import { openIndexFor } from '../../../../index/archive/use-index.js'
import { listClips, type ClipListRequest } from '../../../../index/clips/list-clips.js'
import { listPeople } from '../../../../index/clips/list-people.js'
import { showClip } from '../../../../index/clips/show-clip.js'
import { showSeenName } from '../../../../index/clips/show-seen-name.js'
import { readStatus } from '../../../../index/coverage/read-status.js'
import { reportCoverage } from '../../../../index/coverage/report-coverage.js'
import { correctTracks } from '../../../../index/identities/corrections.js'
import { enroll } from '../../../../index/identities/identities.js'
import { tracksOfClip } from '../../../../index/identities/verdicts.js'
import { listGroups, type PeopleRequest } from '../../../../index/people/list-groups.js'
import { namePerson } from '../../../../index/people/name-person.js'
import { showPerson } from '../../../../index/people/show-person.js'
import {
  searchArchive,
  type SearchParts,
  type SearchRequest,
} from '../../../../index/search/search-archive.js'
import { CameoError } from '../../../../pipeline/common/errors.js'
import { encodeFloat16 } from '../../../../pipeline/data/float16.js'
import { findPack } from '../../../../pipeline/models/packs/catalog.js'
import { temporaryDir } from '../../../support/cameo.js'
import { group, personsOf } from '../../../support/made-people.js'
import { madeClipId, peopleArchive, quietCaller, type MadeClip } from '../../../support/people-archive.js'
import { seededRandom } from '../../../support/random.js'

/** Cy is seen in hidden clips only, Dee nowhere. */
const names = ['Ada', 'Bo', 'Cy', 'Dee']
const seenFolder = '/films/seen'
const folders = [seenFolder]

const random = seededRandom(16)

/** A clip with tracks of people and strangers, more or less alike. */
function madeClip(path: string, people: readonly string[]): MadeClip {
  const tracks = Array.from({ length: 1 + Math.floor(3 * random()) }, (_, i) => {
    const name = people[Math.floor(people.length * random())]
    const startS = 4 * i + random()
    return {
      like: name === undefined || random() < 0.3 ? {} : { [name]: 0.3 + 0.68 * random() },
      spansS: [[startS, startS + 2]] as const,
      quality: random(),
    }
  })
  return { path, tracks, durationS: 20 + Math.floor(20 * random()), writtenAt: dayOf(random()) }
}

const dayOf = (share: number) => new Date(Date.UTC(2024, 0, 1 + Math.floor(100 * share)))

const range = (length: number) => Array.from({ length }, (_, i) => i)

const surelySeen = (name: string): MadeClip['tracks'][number] => ({
  ...{ like: { [name]: 0.95 }, spansS: [[18, 19]], quality: 0.7 },
})

const seenClips = range(14).map((i) => {
  const clip = madeClip(`seen/${i % 2 === 0 ? 'a' : 'b'}/${i}.mp4`, ['Ada', 'Bo'])
  const sure = i === 3 || i === 4 ? ['Ada'] : i === 5 || i === 6 ? ['Bo'] : []
  return { ...clip, tracks: [...clip.tracks, ...sure.map(surelySeen)] }
})
/** One of the folders begins with the same letters, one comes first in the order of paths. */
const hiddenClips = range(30).map((i) =>
  madeClip(`${['another', 'hidden', 'seen-not'][i % 3] ?? ''}/${i}.mp4`, ['Ada', 'Bo', 'Cy']),
)
const hiddenIds = hiddenClips.map((_, i) => madeClipId(seenClips.length + i))

/** The archive of which a part may be seen, and one that holds only this part. */
let whole: FilledArchive
let part: FilledArchive
const base = temporaryDir()

const stampAt = (path: string, writtenAt: Date) => ({
  ...{ device: '1', inode: path, sizeBytes: 9, mtimeNs: `${writtenAt.getTime()}000000` },
})

const copiedAt = new Date('2023-01-01')

function recordCopy({ files }: Archive, path: string, index: number, writtenAt = copiedAt): void {
  files.record(files.rootFor('/films').rootId, path, stampAt(path, writtenAt), madeClipId(index))
}

function recordFailed({ files }: Archive, path: string, message: string): void {
  const failure = { code: 'CLIP_NOT_VIDEO', message }
  files.recordFailed(files.rootFor('/films').rootId, path, stampAt(path, new Date(0)), failure)
}

function correct({ database }: Archive, index: number, verdict: 'confirmed' | 'rejected'): void {
  const clipId = madeClipId(index)
  correctTracks(database, 'Ada', { clipId, tracks: tracksOfClip(database, clipId).slice(0, 1), verdict })
}

/** What both archives hold. */
function fillSeen(archive: Archive): void {
  recordCopy(archive, 'seen/b/copy-of-3.mp4', 3)
  recordFailed(archive, 'seen/broken.mp4', 'is no video')
  correct(archive, 1, 'confirmed')
  correct(archive, 2, 'rejected')
}

function fillHidden(archive: Archive): void {
  // Older, and earlier in the order of paths, than the file that may be seen.
  recordCopy(archive, 'another/0-copy-of-5.mp4', 5, new Date(0))
  recordFailed(archive, 'hidden/broken.mp4', 'is no hidden video')
  archive.files.recordFound(archive.files.rootFor('/films').rootId, 'hidden/not-opened.mp4', 9)
  correct(archive, seenClips.length, 'confirmed')
  correct(archive, seenClips.length + 3, 'rejected')
  archive.database.prepare("UPDATE runs SET state = 'partial' WHERE clip_id = ?").run(hiddenIds[4])
}

before(() => {
  const make = (dir: string, clips: readonly MadeClip[], fill: (archive: Archive) => void) => {
    const archive = peopleArchive(join(base, dir), names, clips)
    fill(archive)
    archive.close()
    return openFilledArchive(join(base, dir), () => undefined)
  }
  part = make('part', seenClips, fillSeen)
  whole = make('whole', [...seenClips, ...hiddenClips], (archive) => {
    fillSeen(archive)
    fillHidden(archive)
  })
})

const device = { kind: 'cpu' } as const
const ask = <T>(opened: FilledArchive, question: (parts: SearchParts) => T | Promise<T>) =>
  withModels(opened, { device }, quietCaller(), async (models) =>
    question({ opened, models, useIndex: openIndexFor(opened.archive, quietCaller()) }),
  )

/** An answer or an error, comparable, without what differs between two archives whatever they hold. */
async function answerOf(answer: Promise<unknown>): Promise<unknown> {
  try {
    return await answer
  } catch (error) {
    assert.ok(error instanceof CameoError, String(error))
    return { code: error.code, message: error.message, details: error.details }
  }
}

const textOf = (answer: unknown) =>
  JSON.stringify(answer, (_key, value: unknown) =>
    value instanceof Map ? [...(value as Map<unknown, unknown>)] : value,
  )

/** Nothing of a hidden clip: no id, no path, no name. */
function assertNothingHidden(answer: unknown, what: string): void {
  const text = textOf(answer)
  for (const foreign of [...hiddenIds, 'hidden', 'another', 'seen-not'])
    assert.equal(text.includes(foreign), false, `${what}: ${foreign}`)
}

/** Asks the whole archive about the folders, and the other one about all that it holds. */
async function assertSameAnswer(
  what: string,
  question: (opened: FilledArchive, scope: { readonly folders?: readonly string[] }) => Promise<unknown>,
): Promise<unknown> {
  const answer = await answerOf(question(whole, { folders }))
  assertNothingHidden(answer, what)
  assert.deepEqual(answer, await answerOf(question(part, {})), what)
  assert.deepEqual(await answerOf(question(part, { folders })), answer, `${what}, both limited`)
  return answer
}

const search = (opened: FilledArchive, asked: Partial<SearchRequest>, notices: string[] = []) =>
  searchArchive(opened, { subject: { kind: 'name', name: 'Ada' }, ...asked, device }, quietCaller(notices))

describe('a search in some folders', () => {
  const wishes: Readonly<Record<string, Partial<SearchRequest>>> = {
    'as usual': {},
    'with weak hits': { weak: true },
    'of few clips': { top: 2, weak: true },
    'from a low score': { minScore: -1, top: 100 },
    'that expects few false matches': { expectFalse: 1e-6 },
    'with company': { with: ['Bo'], weak: true },
    'without company': { without: ['Bo'] },
    'in a folder of them': { folder: '/films/seen/b' },
    'in a hidden folder': { folder: '/films/hidden' },
    'in a folder above them': { folder: '/films' },
    'since a day': { since: dayOf(0.5), minScore: 0.2 },
    'until a day': { until: dayOf(0.5), minScore: 0.2 },
  }
  for (const [what, wish] of Object.entries(wishes))
    it(`${what} answers as if there were nothing else`, async () => {
      await assertSameAnswer(what, (opened, scope) => search(opened, { ...wish, ...scope }))
    })

  it('finds something, and less than a search of all clips', async () => {
    const [limited, all] = [await search(whole, { folders }), await search(whole, {})]
    assert.ok(limited.answer.matches.length > 2)
    assert.ok(all.answer.matches.length > limited.answer.matches.length)
    assert.ok(all.answer.tracksSearched > limited.answer.tracksSearched)
  })

  it('does not know a name that is seen in hidden clips only, even from the lowest score', async () => {
    for (const wish of [{}, { minScore: -1 }, { weak: true }, { expectFalse: 1e6 }]) {
      const asked = (name: string) =>
        answerOf(search(whole, { ...wish, folders, subject: { kind: 'name', name } }))
      const stranger = await asked('Eve')
      assert.deepEqual(stranger, {
        ...{ code: 'NAME_UNKNOWN', message: 'nobody is enrolled as "Eve"', details: undefined },
      })
      for (const name of ['Cy', 'Dee'])
        assert.deepEqual(textOf(await asked(name)).replace(name, 'Eve'), textOf(stranger))
    }
    assert.ok((await search(whole, { subject: { kind: 'name', name: 'Cy' } })).answer.matches.length > 0)
  })

  it('does not know it as company, either', async () => {
    for (const company of ['with', 'without'] as const)
      for (const name of ['Cy', 'Eve'])
        assert.deepEqual(await answerOf(search(whole, { folders, [company]: [name] })), {
          ...{ code: 'NAME_UNKNOWN', message: `nobody is enrolled as "${name}"`, details: undefined },
        })
  })

  it('says of a hidden folder what it says of one that does not exist', async () => {
    const noticesOf = async (folder: string) => {
      const notices: string[] = []
      await search(whole, { folders, folder }, notices)
      return notices
    }
    assert.deepEqual(await noticesOf('/films/hidden'), ['the archive knows of no clip below /films/hidden'])
    assert.deepEqual(await noticesOf('/films/none'), ['the archive knows of no clip below /films/none'])
    assert.deepEqual(await noticesOf('/films/seen/a'), [])
  })

  it('finds nothing in no folder', async () => {
    const answer = await answerOf(search(whole, { folders: [] }))
    assert.deepEqual(answer, {
      ...{ code: 'NAME_UNKNOWN', message: 'nobody is enrolled as "Ada"', details: undefined },
    })
  })

  it('follows the archive: a clip that is moved out of the folders is gone, and one that is moved in is found', async () => {
    const { files } = whole.archive
    const { rootId } = files.rootFor('/films')
    const idsOf = async () =>
      (await search(whole, { folders, minScore: -1, top: 100 })).answer.matches.map(({ clipId }) => clipId)
    const [first = ''] = hiddenIds
    assert.equal((await idsOf()).includes(first), false)
    recordCopy(whole.archive, 'seen/a/copy.mp4', seenClips.length)
    assert.equal((await idsOf()).includes(first), true)
    files.removePath(rootId, 'seen/a/copy.mp4')
    assert.equal((await idsOf()).includes(first), false)
  })
})

describe('lists in some folders', () => {
  const wishes: Readonly<Record<string, ClipListRequest>> = {
    'all': {}, // prettier-ignore
    'a person': { person: 'Bo' },
    'a person without clips': { person: 'Dee' },
    'people without names': { unnamed: true },
    'a folder': { folder: '/films/seen/a' },
    'a hidden folder': { folder: '/films/hidden' },
    'a folder above': { folder: '/films' },
    'dates': { since: dayOf(0.2), until: dayOf(0.7) }, // prettier-ignore
    'lengths': { minDurationS: 25, maxDurationS: 35 }, // prettier-ignore
  }
  for (const [what, wish] of Object.entries(wishes)) {
    it(`of clips hold what an archive with nothing else holds: ${what}`, async () => {
      await assertSameAnswer(what, (opened, scope) =>
        ask(opened, (parts) => listClips(parts, { ...wish, ...scope }, quietCaller())),
      )
    })

    it(`of people count what may be seen: ${what}`, async () => {
      const of = (opened: FilledArchive, limits: ClipListRequest) =>
        ask(opened, (parts) => listPeople(parts, { ...wish, ...limits }, quietCaller()))
      const answer = await of(whole, { folders })
      assertNothingHidden(answer, what)
      // A list of all clips also holds names that nobody has.
      const { people, ...rest } = await of(part, {})
      assert.deepEqual(answer, { ...rest, people: people.filter(({ tracks }) => tracks > 0) })
    })
  }

  it('of clips have pages that follow each other by what may be seen', async () => {
    const pages = async (opened: FilledArchive, scope: { readonly folders?: readonly string[] }) => {
      const found: unknown[] = []
      let after: string | undefined
      do {
        const page = await ask(opened, (parts) =>
          listClips(parts, { limit: 3, after, ...scope }, quietCaller()),
        )
        found.push(page)
        after = page.next
      } while (after !== undefined)
      return found
    }
    const answer = await assertSameAnswer('pages', pages)
    assert.ok(Array.isArray(answer) && answer.length === 5)
  })

  it('have no clips of a name that is unknown, or not seen in them', async () => {
    for (const person of ['Cy', 'Eve']) {
      const { clips } = await ask(whole, (parts) => listClips(parts, { person, folders }, quietCaller()))
      assert.deepEqual(clips, [], person)
    }
  })
})

describe('a clip that is shown', () => {
  it('has what an archive with nothing else shows of it', async () => {
    for (const i of range(seenClips.length))
      await assertSameAnswer(`clip ${i}`, (opened, scope) =>
        ask(opened, (parts) => showClip(parts, { clip: madeClipId(i), ...scope }, quietCaller())),
      )
  })

  it('is unknown if it may not be seen, by its id, the first digits of it, or a path', async () => {
    const shown = (clip: string) =>
      answerOf(ask(whole, (parts) => showClip(parts, { clip, folders }, quietCaller())))
    const [hiddenId = ''] = hiddenIds
    for (const [clip, like] of [
      [hiddenId, 'f'.repeat(64)],
      ['/films/hidden/1.mp4', '/films/seen/none.mp4'],
      ['/films/another/0-copy-of-5.mp4', '/films/seen/none.mp4'],
    ] as const)
      assert.equal(textOf(await shown(clip)), textOf(await shown(like)).replace(like, clip))
    // The ids of all clips of this test begin with zeros.
    assert.match(textOf(await shown('0'.repeat(8))), /the ids of 14 clips/)
    assert.match(textOf(await shown('/films/seen/b/5.mp4')), /"clipId"/)
  })
})

describe('figures of some folders', () => {
  it('of coverage are those of an archive with nothing else', async () => {
    for (const wish of [{}, { folder: '/films/seen/a' }, { folder: '/films/hidden' }])
      await assertSameAnswer('coverage', (opened, scope) =>
        Promise.resolve(reportCoverage(opened.archive, { ...wish, ...scope }, quietCaller())),
      )
  })

  it('of the status are those of an archive with nothing else, without the names', () => {
    const answer = readStatus(whole.archive, { folders })
    assertNothingHidden(answer, 'status')
    assert.deepEqual(answer, { ...readStatus(part.archive), identities: [] })
    assert.equal(answer.failed, 1)
  })
})

describe('a name that is shown', () => {
  const shown = (opened: FilledArchive, name: string) =>
    ask(opened, (parts) => showSeenName(parts, { name, folders }, quietCaller()))

  it('has only what belongs to clips that may be seen', async () => {
    const answer = await shown(whole, 'Ada')
    assertNothingHidden(answer, 'name')
    // The corrections were made at different times.
    const withoutTimes = (text: string) => text.replaceAll(/"at":"[^"]+"/g, '')
    assert.equal(withoutTimes(textOf(answer)), withoutTimes(textOf(await shown(part, 'Ada'))))
    assert.deepEqual(answer.corrections.map(({ clipId }) => clipId), [madeClipId(1), madeClipId(2)]) // prettier-ignore
  })

  it('is unknown if nobody who may be seen has it', async () => {
    for (const name of ['Cy', 'Dee', 'Eve'])
      assert.deepEqual(await answerOf(shown(whole, name)), {
        ...{ code: 'NAME_UNKNOWN', message: `nobody is enrolled as "${name}"`, details: undefined },
      })
  })

  it('does not count faces of clips that may not be seen, and shows no folder of other files', async () => {
    const opened = openFilledArchive(join(base, 'whole'), () => undefined)
    const { archive, recipe } = opened
    const [track] = tracksOfClip(archive.database, madeClipId(0))
    assert.ok(track !== undefined)
    const face = (source: string) => ({
      ...{ source, embedding: { float16: encodeFloat16(track.descriptor), norm: 20 }, quality: 0.5 },
    })
    const sources = [
      ...['/films/hidden/1.mp4', '/films/seen-not/photo.jpg', '/films/seen/a/0.mp4'],
      ...['/films/another/0-copy-of-5.mp4', '/photos/secret case/bo.jpg'],
    ]
    enroll(archive.database, 'Bo', recipe.embedderDigest, sources.map(face))
    const { faces } = await shown(opened, 'Bo')
    assert.deepEqual(
      faces.map(({ source }) => source),
      ['Bo.jpg', '/films/seen/a/0.mp4', '/films/seen/b/5.mp4', 'bo.jpg'],
    )
    const { people } = await ask(opened, (parts) => listPeople(parts, { folders }, quietCaller()))
    assert.equal(people.find(({ name }) => name === 'Bo')?.faces, 4)
    archive.close()
  })
})

describe('people without names in some folders', () => {
  let grouped: FilledArchive
  before(async () => {
    grouped = openFilledArchive(join(base, 'whole'), () => undefined)
    await group(grouped)
  })

  /** By hand: the tracks of each person in the clips that may be seen. */
  function expectedTracks(): ReadonlyMap<number, number> {
    const tracks = new Map<number, number>()
    for (const i of range(seenClips.length))
      for (const personId of personsOf(grouped.archive, madeClipId(i)))
        if (personId !== undefined) tracks.set(personId, (tracks.get(personId) ?? 0) + 1)
    return tracks
  }

  const all = (request: PeopleRequest) => {
    const people = []
    let after: string | undefined
    do {
      const page = listGroups(grouped.archive, { ...request, after, limit: 2 })
      people.push(...page.people)
      after = page.next
    } while (after !== undefined)
    return people
  }

  it('are listed page by page with their visible tracks alone', () => {
    const people = all({ folders })
    assert.ok(people.length > 1)
    assert.deepEqual(
      people.map(({ personId, tracks }) => [personId, tracks]),
      [...expectedTracks()].sort(([a, own], [b, other]) => other - own || a - b),
    )
    assert.ok(all({}).length > people.length)
    assertNothingHidden(people, 'people')
    assert.deepEqual(all({ folders, minTracks: 3 }), people.filter(({ tracks }) => tracks >= 3)) // prettier-ignore
    assert.deepEqual(all({ folders: [] }), [])
  })

  it('are shown in visible clips alone, and are unknown without one', () => {
    const expected = expectedTracks()
    for (const { personId } of all({})) {
      const shown = () => showPerson(grouped.archive, { personId, folders }, quietCaller())
      if (expected.has(personId)) {
        const { person, clips } = shown()
        assert.equal(person.tracks, expected.get(personId))
        assert.equal(clips.length, person.clips)
        assertNothingHidden({ person, clips }, `person ${personId}`)
      } else
        assert.throws(shown, (error: Error) => {
          assert.equal(error.message, unknownText(personId))
          return true
        })
    }
    assert.throws(
      () => showPerson(grouped.archive, { personId: 999, folders }, quietCaller()),
      (error: Error) => error.message === unknownText(999),
    )
  })

  const unknownText = (personId: number) =>
    `there is no person ${personId}: list the people to see which there are`

  it('have the dates of files that may be seen', () => {
    // Clip 3 has an older copy that may be seen, clip 5 one that may not.
    const dateOf = (i: number) => (i === 3 ? copiedAt : seenClips[i]?.writtenAt)?.getTime() ?? Number.NaN
    const people = all({ folders })
    const isOf = (personId: number, i: number) => personsOf(grouped.archive, madeClipId(i)).includes(personId)
    for (const { personId, firstSeen, lastSeen } of people) {
      const dates = range(seenClips.length).flatMap((i) => (isOf(personId, i) ? dateOf(i) : []))
      assert.deepEqual([firstSeen?.getTime(), lastSeen?.getTime()], [Math.min(...dates), Math.max(...dates)])
    }
    assert.ok(people.some(({ personId }) => isOf(personId, 5)))
  })

  it('name the visible tracks when they are named', async () => {
    const [person] = all({ folders })
    assert.ok(person !== undefined)
    namePerson(grouped, { pack: findPack('lite') }, { personId: person.personId, name: 'Fay' })
    const answer = await search(grouped, { folders, subject: { kind: 'name', name: 'Fay' }, top: 100 })
    assertNothingHidden(answer, 'named')
    assert.ok(answer.answer.matches.length >= person.clips)
    assert.ok(all({ folders, named: true }).some(({ name }) => name === 'Fay'))
  })
})
