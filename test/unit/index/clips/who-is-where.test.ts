import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { withModels } from '../../../../index/archive/archive-models.js'
import { openFilledArchive, type FilledArchive } from '../../../../index/archive/open-archive.js'
import { listClips, type ClipListRequest, type ListParts } from '../../../../index/clips/list-clips.js'
import { listPeople } from '../../../../index/clips/list-people.js'
import { showClip } from '../../../../index/clips/show-clip.js'
import { temporaryDir } from '../../../support/cameo.js'
import { madeClipId, peopleArchive, quietCaller } from '../../../support/people-archive.js'
import { refusedWith } from '../../../support/refused-with.js'

const dir = temporaryDir()
let opened: FilledArchive

const ask = <T>(question: (parts: ListParts) => Promise<T>) =>
  withModels(opened, { device: { kind: 'cpu' } }, quietCaller(), (models) => question({ opened, models }))

/** Each person of a clip: the name, the score and the times. */
async function shown(clip: string) {
  const { people } = await ask((parts) => showClip(parts, { clip }, quietCaller()))
  return people.map(({ name, score, ranges }) => [
    ...[name ?? 'unnamed', score?.toFixed(2)],
    ranges.map(({ startS, endS }) => [startS, endS]),
  ])
}

async function listed(request: ClipListRequest): Promise<string[]> {
  const { clips } = await ask((parts) => listClips(parts, request, quietCaller()))
  return clips.map(({ path }) => path.slice('/films/'.length))
}

before(() => {
  const [ada, bo, nobody] = [{ Ada: 0.8 }, { Bo: 0.7 }, {}]
  const archive = peopleArchive(dir, ['Ada', 'Bo', 'Cy'], [
    { path: 'a/all.mp4', tracks: [
      { like: nobody, spansS: [[0, 2]] }, { like: nobody, spansS: [[2, 9]] },
      { like: bo, spansS: [[1, 2]] }, { like: { Bo: 0.65 }, spansS: [[2.5, 3]] }, { like: ada, spansS: [[4, 9]] },
    ] },
    { path: 'a/both.mp4', tracks: [{ like: { Ada: 0.5, Bo: 0.6 }, spansS: [[0, 5]] }], durationS: 600 },
    { path: 'b/alike.mp4', tracks: [{ like: { Ada: 0.9 }, spansS: [[0, 5]] }, { like: { Ada: 0.4 }, spansS: [[6, 8]] }] },
    { path: 'c/empty.mp4', tracks: [], writtenAt: new Date(2020, 0, 1) },
    { path: 'd/faint.mp4', tracks: [{ like: { Ada: 0.2 }, spansS: [[3, 4]] }] },
  ]) // prettier-ignore
  archive.database
    .prepare("UPDATE runs SET state = 'working', segments = 2 WHERE clip_id = ?")
    .run(madeClipId(4))
  archive.close()
  opened = openFilledArchive(dir, () => undefined)
})

describe('who is in a clip', () => {
  it('names come first, then those who are seen longest; nearby ranges of a name are one', async () => {
    assert.deepEqual(await shown('/films/a/all.mp4'), [
      ['Ada', '0.80', [[4, 9]]],
      ['Bo', '0.70', [[1, 3]]],
      ['unnamed', undefined, [[2, 9]]],
      ['unnamed', undefined, [[0, 2]]],
    ]) // prettier-ignore
  })

  it('a track has the one name that it matches best', async () => {
    assert.deepEqual(await shown(madeClipId(1)), [['Bo', '0.60', [[0, 5]]]])
  })

  it('a look-alike beside the person has no name, as it is in no answer of a search', async () => {
    assert.deepEqual(await shown('/films/b/alike.mp4'), [
      ['Ada', '0.90', [[0, 5]]],
      ['unnamed', undefined, [[6, 8]]],
    ]) // prettier-ignore
  })

  it('a track that reaches no threshold has no name; a clip may be empty', async () => {
    assert.deepEqual(await shown('/films/d/faint.mp4'), [['unnamed', undefined, [[3, 4]]]])
    assert.deepEqual(await shown('/films/c/empty.mp4'), [])
  })

  it('comes with thumbnails, the date and what was looked at', async () => {
    const clip = await ask((parts) => showClip(parts, { clip: '/films/d/faint.mp4' }, quietCaller()))
    assert.deepEqual([...(clip.people[0]?.thumbnailJpeg ?? [])], [0xff, 0xd8, 0])
    assert.equal(clip.date?.toISOString(), '2024-05-01T12:00:00.000Z')
    assert.deepEqual([clip.isMissing, clip.coverage.states], [true, ['unfinished']])
  })

  it('refuses a clip that the archive does not hold', async () => {
    for (const clip of ['/films/none.mp4', 'ffffffff'])
      await assert.rejects(shown(clip), refusedWith('CLIP_UNKNOWN', /has no clip/))
  })
})

describe('a list of clips', () => {
  it('is in the order of paths, in pages that follow each other without gap', async () => {
    const all = await listed({})
    assert.deepEqual(all, ['a/all.mp4', 'a/both.mp4', 'b/alike.mp4', 'c/empty.mp4', 'd/faint.mp4'])
    const pages: string[][] = []
    let after: string | undefined
    do {
      const page = await ask((parts) => listClips(parts, { limit: 2, after }, quietCaller()))
      pages.push(page.clips.map(({ path }) => path.slice('/films/'.length)))
      after = page.next
    } while (after !== undefined)
    assert.deepEqual(pages.map(({ length }) => length), [2, 2, 1]) // prettier-ignore
    assert.deepEqual(pages.flat(), all)
  })

  it('has no next page where the last one is just full', async () => {
    const { next } = await ask((parts) => listClips(parts, { limit: 5 }, quietCaller()))
    assert.equal(next, undefined)
  })

  it('can be of a folder, a date, a length, a person, people without names, and what is unfinished', async () => {
    assert.deepEqual(await listed({ folder: '/films/a' }), ['a/all.mp4', 'a/both.mp4'])
    assert.deepEqual(await listed({ until: new Date(2021, 0, 1) }), ['c/empty.mp4'])
    assert.deepEqual(await listed({ minDurationS: 21 }), ['a/both.mp4'])
    assert.deepEqual(await listed({ maxDurationS: 20, folder: '/films/a' }), ['a/all.mp4'])
    assert.deepEqual(await listed({ person: 'Bo' }), ['a/all.mp4', 'a/both.mp4'])
    assert.deepEqual(await listed({ person: 'Cy' }), [])
    assert.deepEqual(await listed({ unnamed: true }), ['a/all.mp4', 'b/alike.mp4', 'd/faint.mp4'])
    assert.deepEqual(await listed({ unfinished: true }), ['d/faint.mp4'])
    assert.deepEqual(await listed({ unnamed: true, person: 'Bo' }), ['a/all.mp4'])
  })

  it('follows the threshold that is given', async () => {
    assert.deepEqual(await listed({ person: 'Ada', minScore: 0.85 }), ['b/alike.mp4'])
  })

  it('refuses an unknown name and what no clip can be', async () => {
    await assert.rejects(listed({ person: 'Dee' }), refusedWith('NAME_UNKNOWN', /"Dee"/))
    await assert.rejects(listed({ minDurationS: 2, maxDurationS: 1 }), refusedWith('USAGE', /no clip is 2 s/))
  })
})

describe('a list of people', () => {
  const people = async (request: ClipListRequest) => {
    const list = await ask((parts) => listPeople(parts, request, quietCaller()))
    return {
      ...list,
      people: list.people.map(({ name, clips, tracks, seenS }) => [name, clips, tracks, seenS]),
    }
  }

  it('counts clips, tracks and seconds of each name, and of those without', async () => {
    const list = await people({})
    assert.deepEqual(list.people, [
      ['Ada', 2, 2, 10],
      ['Bo', 2, 3, 7],
      ['Cy', 0, 0, 0],
    ])
    assert.deepEqual(list.unnamed, { clips: 3, tracks: 4, seenS: 12 })
  })

  it('of some clips, lists those who are seen in them', async () => {
    const list = await people({ person: 'Bo' })
    assert.deepEqual(list.people, [
      ['Ada', 1, 1, 5],
      ['Bo', 2, 3, 7],
    ])
  })

  it('comes in pages', async () => {
    const first = await people({ limit: 2 })
    assert.deepEqual([first.people.map(([name]) => name), first.next], [['Ada', 'Bo'], 'Bo'])
    const second = await people({ limit: 2, after: first.next })
    assert.deepEqual([second.people.map(([name]) => name), second.next], [['Cy'], undefined])
  })
})
