import assert from 'node:assert/strict'
import { beforeEach, describe, it } from 'node:test'
import { withModels } from '../../../../index/archive/archive-models.js'
import type { Archive, FilledArchive } from '../../../../index/archive/open-archive.js'
import { correctClip, type CorrectionRequest } from '../../../../index/clips/correct-clip.js'
import { listPeople } from '../../../../index/clips/list-people.js'
import type { ListParts } from '../../../../index/clips/list-clips.js'
import { showClip } from '../../../../index/clips/show-clip.js'
import { forgetClip } from '../../../../index/identities/forget.js'
import { forgetName } from '../../../../index/identities/identities.js'
import {
  readCorrections,
  tracksOfClip,
  verdictsOf,
  type ClipTrack,
} from '../../../../index/identities/verdicts.js'
import { searchArchive, type SearchRequest } from '../../../../index/search/search-archive.js'
import { searchClips } from '../../../../index/search/search-clips.js'
import { journalAfter, publishedKey } from '../../../../index/store/journal.js'
import { activeSpace, writeMeta } from '../../../../index/store/meta.js'
import { encodeFloat16 } from '../../../../pipeline/data/float16.js'
import { damageRows } from '../../../support/damage-rows.js'
import { temporaryDir } from '../../../support/cameo.js'
import { madeClipId, peopleArchive, quietCaller } from '../../../support/people-archive.js'
import { refusedWith } from '../../../support/refused-with.js'

let archive: Archive
let opened: FilledArchive

const [hit, alike, faint, twoFaint, both] = [0, 1, 2, 3, 4].map(madeClipId) as [
  string,
  string,
  string,
  string,
  string,
]

const makeArchive = () => {
  archive = peopleArchive(temporaryDir(), ['Ada', 'Bo'], [
    { path: 'hit.mp4', tracks: [{ like: { Ada: 0.8 }, spansS: [[0, 5]] }, { like: { Ada: 0.7 }, spansS: [[10, 15]] }] },
    { path: 'alike.mp4', tracks: [{ like: { Ada: 0.6 }, spansS: [[1, 2]] }] },
    { path: 'faint.mp4', tracks: [{ like: { Ada: 0.05 }, spansS: [[3, 4]] }] },
    { path: 'two-faint.mp4', tracks: [{ like: { Ada: 0.05 }, spansS: [[0, 2]] }, { like: {}, spansS: [[4, 6]] }] },
    { path: 'both.mp4', tracks: [{ like: { Ada: 0.6, Bo: 0.58 }, spansS: [[0, 2]] }, { like: { Bo: 0.7 }, spansS: [[0, 2]] }] },
  ]) // prettier-ignore
  const { recipe } = archive
  assert.ok(recipe !== undefined)
  opened = { archive, recipe }
}

const ask = <T>(question: (parts: ListParts) => Promise<T>) =>
  withModels(opened, { device: { kind: 'cpu' } }, quietCaller(), (models) => question({ opened, models }))

const correct = (
  verdict: CorrectionRequest['verdict'],
  clip: string,
  more: Partial<CorrectionRequest> = {},
) => ask((parts) => correctClip(parts, { name: 'Ada', clip, verdict, ...more }))

const search = (asked: Partial<SearchRequest> = {}) =>
  searchArchive(
    opened,
    { subject: { kind: 'name', name: 'Ada' }, weak: true, ...asked, device: { kind: 'cpu' } },
    quietCaller(),
  )

/** The clips of an answer, with the times. */
async function found(asked: Partial<SearchRequest> = {}): Promise<Record<string, number[][]>> {
  const { answer } = await search(asked)
  return Object.fromEntries(
    [...answer.matches, ...answer.weak].map(({ clipId, ranges }) => [clipId, ranges.map(({ startS, endS }) => [startS, endS])]), // prettier-ignore
  )
}

const namesIn = (clip: string) =>
  ask(async (parts) => (await showClip(parts, { clip }, quietCaller())).people.map(({ name }) => name))

const refused = (work: Promise<unknown>, ...why: Parameters<typeof refusedWith>) =>
  assert.rejects(work, refusedWith(...why))

/** Stores a clip as another pass over it would find it: the track has another number, and a stranger is there, too. */
function processAgain(clipId: string, digest: string, { descriptor, spansS, recipe }: ClipTrack): void {
  const point = { x: 1, y: 1 }
  const spaceId = activeSpace(archive.database)?.spaceId ?? 0
  const key = { clipId, spaceId, recipe: digest, embedder: opened.recipe.embedderDigest }
  const facts = { sizeBytes: 9, durationS: 20, widthPx: 640, heightPx: 480, codec: 'h264', container: 'mp4' }
  const isSame = digest === recipe
  archive.clips.plan(key, facts, 1, true)
  archive.clips.storeSegment(key, {
    segment: { index: 0, startS: 0, endS: 20 },
    ...{ frames: 80, faces: 12, truncated: false, provider: 'cpu' },
    tracks: [isSame ? descriptor : descriptor.map((value) => -value), descriptor]
      .slice(isSame ? 1 : 0)
      .map((look, number) => ({
        ...{
          number,
          spansS,
          samples: 12,
          quality: 0.5,
          descriptor: look,
          thumbnailJpeg: Uint8Array.of(0xff),
        },
        faces: [
          {
            ...{ timeS: 1, detectionScore: 0.9, quality: 0.5 },
            boxXyxyPx: isSame || number === 1 ? [12, 22, 112, 122] : [300, 20, 400, 120],
            landmarksPx: [point, point, point, point, point],
            embedding: { float16: encodeFloat16(look), norm: 21 },
          },
        ],
      })),
  })
}

const actions = () => journalAfter(archive.database, 0, 99).map(({ action }) => action)

describe('a rejected track', () => {
  beforeEach(makeArchive)

  it('never again answers for the name: in a search, in a clip and in a list of people', async () => {
    assert.deepEqual(Object.keys(await found()).sort(), [hit, alike, both])
    const report = await correct('rejected', alike)
    assert.deepEqual([report.name, report.path, report.tracks[0]?.ranges], ['Ada', '/films/alike.mp4', [{ startS: 1, endS: 2 }]]) // prettier-ignore
    assert.deepEqual(Object.keys(await found()).sort(), [hit, both])
    assert.deepEqual(Object.keys(await found({ minScore: -1 })).includes(alike), false)
    assert.deepEqual(await namesIn(alike), [undefined])
    const { people } = await ask((parts) => listPeople(parts, {}, quietCaller()))
    assert.deepEqual(people.map(({ name, clips }) => [name, clips]), [['Ada', 2], ['Bo', 1]]) // prettier-ignore
  })

  it('leaves the other tracks of its clip alone', async () => {
    await correct('rejected', hit, { range: { startS: 11, endS: 12 } })
    assert.deepEqual((await found())[hit], [[0, 5]])
    await correct('rejected', hit)
    assert.equal((await found())[hit], undefined)
  })

  it('may answer for another name then', async () => {
    assert.deepEqual((await namesIn(both)).sort(), ['Ada', 'Bo'])
    await correct('rejected', both)
    assert.deepEqual(await namesIn(both), ['Bo'])
    assert.equal((await found({ subject: { kind: 'name', name: 'Bo' }, without: ['Ada'] }))[both]?.length, 1)
  })
})

describe('a confirmed track', () => {
  beforeEach(makeArchive)

  it('always answers for the name, comes first, and helps to find others', async () => {
    const before = await search()
    await correct('confirmed', faint)
    const { answer } = await search({ minScore: 0.55 })
    assert.deepEqual(answer.matches.map(({ clipId, confirmed }) => [clipId, confirmed]).slice(0, 1), [[faint, true]]) // prettier-ignore
    assert.deepEqual(answer.matches[0]?.ranges.map(({ startS, endS, confirmed }) => [startS, endS, confirmed]), [[3, 4, true]]) // prettier-ignore
    assert.ok(answer.matches[0].score > 0.4, 'the query moved towards it')
    assert.deepEqual(await namesIn(faint), ['Ada'])
    assert.ok(before.answer.matches.every(({ confirmed }) => confirmed === undefined))
  })

  it('is found even if the index does not reach it', async () => {
    await correct('confirmed', faint)
    const verdicts = verdictsOf(readCorrections(archive.database, 'Ada'))
    const index = { size: 7, search: () => Promise.resolve([[]]) }
    const query = Float32Array.from({ length: 512 }, (_, i) => (i === 0 ? 1 : 0))
    const { matches } = await searchClips(archive, index, query, { top: 9, minScore: 0.5, verdicts })
    assert.deepEqual(matches.map(({ clipId }) => clipId), [faint]) // prettier-ignore
  })

  it('counts in the company of others, whatever its score', async () => {
    const bo = { subject: { kind: 'name', name: 'Bo' } } as const
    await correct('rejected', both)
    assert.deepEqual(Object.keys(await found({ ...bo, with: ['Ada'] })), [])
    const range = { startS: 0, endS: 2 }
    await ask((parts) =>
      correctClip(parts, { name: 'Ada', clip: both, verdict: 'rejected', range, undo: true }),
    )
    assert.deepEqual(Object.keys(await found({ ...bo, with: ['Ada'] })), [both])
    assert.deepEqual(Object.keys(await found({ ...bo, without: ['Ada'] })), [])
  })

  it('is the best of its clip, or the only one; otherwise the time range has to say which', async () => {
    assert.deepEqual(
      (await correct('confirmed', hit)).tracks.map(({ ranges }) => ranges[0]?.startS),
      [0],
    )
    await refused(
      correct('confirmed', twoFaint),
      'TRACK_UNCLEAR',
      /0:00\.0–0:02\.0 \(score 0\.0\d\)\n {2}0:04\.0–0:06\.0/,
    )
    await refused(correct('rejected', faint), 'TRACK_UNCLEAR', /no face answers for "Ada"/)
    await refused(
      correct('confirmed', hit, { range: { startS: 7, endS: 8 } }),
      'TRACK_UNCLEAR',
      /no face is seen/,
    )
    const { tracks } = await correct('confirmed', twoFaint, { range: { startS: 5, endS: 5 } })
    assert.deepEqual(tracks.map(({ ranges }) => ranges), [[{ startS: 4, endS: 6 }]]) // prettier-ignore
  })
})

describe('corrections', () => {
  beforeEach(makeArchive)

  it('can be taken back: then the answer is the same as before', async () => {
    const before = await found()
    await correct('rejected', alike)
    await correct('confirmed', faint)
    assert.notDeepEqual(await found(), before)
    await correct('rejected', alike, { undo: true })
    await correct('confirmed', faint, { undo: true })
    assert.deepEqual(await found(), before)
    assert.deepEqual(actions(), ['enroll', 'enroll'], 'nothing is left of them')
    await refused(
      correct('rejected', alike, { undo: true }),
      'TRACK_UNCLEAR',
      /nothing in this clip was rejected/,
    )
  })

  it('the newer one counts', async () => {
    await correct('rejected', alike)
    await correct('confirmed', alike)
    assert.deepEqual(Object.keys(await found()).includes(alike), true)
    assert.equal(readCorrections(archive.database, 'Ada').length, 1)
  })

  it('stay when the clip is processed again', async () => {
    const [before] = tracksOfClip(archive.database, alike)
    assert.ok(before !== undefined)
    await correct('rejected', alike)
    for (const digest of [opened.recipe.digest, 'f'.repeat(64)]) {
      processAgain(alike, digest, before)
      assert.ok(tracksOfClip(archive.database, alike).every(({ trackId }) => trackId > before.trackId))
      assert.equal((await found())[alike], undefined)
    }
  })

  it('are erased with the clip and with the name, and from the journal', async () => {
    await correct('rejected', alike)
    await correct('confirmed', faint)
    forgetClip(archive.database, alike)
    assert.deepEqual(readCorrections(archive.database, 'Ada').map(({ clipId }) => clipId), [faint]) // prettier-ignore
    assert.deepEqual(actions(), ['enroll', 'enroll', 'correct', 'forget-clip'])
    forgetName(archive.database, 'Ada')
    assert.equal(archive.database.prepare('SELECT count(*) FROM corrections').pluck().get(), 0)
    assert.deepEqual(actions(), ['enroll', 'forget-clip'])
  })

  it('that are damaged have no effect, and answers say so', async () => {
    await correct('rejected', alike)
    damageRows(archive.database, "UPDATE corrections SET verdict = 'confirmed'")
    const { answer, damaged } = await search()
    assert.deepEqual(damaged, [{ name: 'Ada', what: 'corrections' }])
    assert.equal(answer.matches.find(({ clipId }) => clipId === alike)?.confirmed, undefined)
  })

  it('in an archive that publishes its journal, it says that they are gone', async () => {
    writeMeta(archive.database, publishedKey, '0')
    await correct('rejected', alike)
    forgetClip(archive.database, alike)
    assert.deepEqual(actions(), ['enroll', 'enroll', 'correct', 'correct', 'forget-clip'])
  })
})
