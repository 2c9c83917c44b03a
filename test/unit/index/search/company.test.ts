import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { openFilledArchive, type FilledArchive } from '../../../../index/archive/open-archive.js'
import { rangesWithin } from '../../../../index/search/company.js'
import { searchArchive, type SearchRequest } from '../../../../index/search/search-archive.js'
import { temporaryDir } from '../../../support/cameo.js'
import { peopleArchive, quietCaller } from '../../../support/people-archive.js'
import { refusedWith } from '../../../support/refused-with.js'

const dir = temporaryDir()
let opened: FilledArchive

type Asked = Omit<Partial<SearchRequest>, 'subject' | 'device'>

const search = (asked: Asked = {}, name = 'Ada', notices: string[] = []) =>
  searchArchive(
    opened,
    { ...asked, subject: { kind: 'name', name }, device: { kind: 'cpu' } },
    quietCaller(notices),
  )

/** The names of the clips' files, and when the person is seen. */
async function found(asked: Asked, name?: string): Promise<Record<string, number[][]>> {
  const { answer } = await search(asked, name)
  return Object.fromEntries(
    answer.matches.map(({ path, ranges }) => [path.slice('/films/'.length), ranges.map(({ startS, endS }) => [startS, endS])]), // prettier-ignore
  )
}

before(() => {
  const [ada, bo, cy] = [{ Ada: 0.8 }, { Bo: 0.7 }, { Cy: 0.6 }]
  const at = (day: string) => new Date(`${day}T12:00:00`)
  peopleArchive(dir, ['Ada', 'Bo', 'Cy'], [
    { path: 'alone.mp4', tracks: [{ like: ada, spansS: [[0, 5]] }], writtenAt: at('2023-12-31') },
    { path: 'one/after.mp4', tracks: [{ like: ada, spansS: [[0, 5]] }, { like: bo, spansS: [[10, 15]] }], writtenAt: at('2024-01-01') },
    { path: 'one/both.mp4', tracks: [{ like: ada, spansS: [[0, 5], [8, 12]] }, { like: bo, spansS: [[4, 9]] }], writtenAt: at('2024-06-30') },
    { path: 'three.mp4', tracks: [{ like: ada, spansS: [[0, 6]] }, { like: bo, spansS: [[2, 8]] }, { like: cy, spansS: [[5, 9]] }], writtenAt: at('2025-01-01') },
    { path: 'onefold.mp4', tracks: [{ like: { Ada: 0.8, Bo: 0.5 }, spansS: [[0, 5]] }] },
  ]).close() // prettier-ignore
  opened = openFilledArchive(dir, () => undefined)
})

describe('a search for several people', () => {
  it('without the others, every clip of the person is found', async () => {
    assert.deepEqual(Object.keys(await found({})).sort(), [
      'alone.mp4',
      'one/after.mp4',
      'one/both.mp4',
      'onefold.mp4',
      'three.mp4',
    ])
  })

  it('finds clips that show both, with the ranges of the person', async () => {
    assert.deepEqual(await found({ with: ['Bo'] }), {
      'one/after.mp4': [[0, 5]],
      'one/both.mp4': [[0, 5], [8, 12]],
      'three.mp4': [[0, 6]],
    }) // prettier-ignore
  })

  it('tells where each of the others is, and how alike', async () => {
    const { answer } = await search({ with: ['Bo', 'Cy'] })
    const [match, ...rest] = answer.matches
    assert.deepEqual(rest, [])
    assert.deepEqual(
      match?.others?.map(({ name, score, ranges: [range] }) => [name, score.toFixed(2), range?.startS, range?.endS]),
      [['Bo', '0.70', 2, 8], ['Cy', '0.60', 5, 9]],
    ) // prettier-ignore
  })

  it('together, the ranges are the times when all are on screen', async () => {
    assert.deepEqual(await found({ with: ['Bo'], together: true }), {
      'one/both.mp4': [[4, 5], [8, 9]],
      'three.mp4': [[2, 6]],
    }) // prettier-ignore
    assert.deepEqual(await found({ with: ['Bo', 'Cy'], together: true }), { 'three.mp4': [[5, 6]] })
  })

  it('leaves out clips in which somebody is who is not wanted', async () => {
    assert.deepEqual(Object.keys(await found({ with: ['Bo'], without: ['Cy'] })).sort(), [
      'one/after.mp4',
      'one/both.mp4',
    ])
    assert.deepEqual(await found({ without: ['Bo', 'Cy'] }), { 'alone.mp4': [[0, 5]], 'onefold.mp4': [[0, 5]] }) // prettier-ignore
  })

  it('a track that is like two of them counts for the one whom it matches best', async () => {
    assert.ok('onefold.mp4' in (await found({}, 'Bo')), 'alone, it reaches the threshold')
    assert.ok(!('onefold.mp4' in (await found({ with: ['Ada'] }, 'Bo'))))
    assert.ok(!('onefold.mp4' in (await found({ without: ['Ada'] }, 'Bo'))))
  })

  it('goes on past clips without the others until enough are found', async () => {
    assert.equal(Object.keys(await found({ with: ['Bo', 'Cy'], top: 1 })).length, 1)
  })

  it('refuses a name that is asked for twice, an unknown one, and together with nobody', async () => {
    await assert.rejects(search({ with: ['Ada'] }), refusedWith('USAGE', /"Ada"/))
    await assert.rejects(search({ with: ['Bo'], without: ['Bo'] }), refusedWith('USAGE', /"Bo"/))
    await assert.rejects(search({ with: ['Dee'] }), refusedWith('NAME_UNKNOWN', /"Dee"/))
    await assert.rejects(search({ together: true }), refusedWith('USAGE', /nobody/))
  })
})

describe('a search in a part of the archive', () => {
  it('finds only clips below a folder, not those of a folder whose name begins alike', async () => {
    assert.deepEqual(Object.keys(await found({ folder: '/films/one' })).sort(), ['one/after.mp4', 'one/both.mp4']) // prettier-ignore
    assert.deepEqual(Object.keys(await found({ folder: '/films/one/' })).length, 2)
  })

  it('finds only clips whose file was last written in the given time', async () => {
    const since = new Date('2024-01-01T00:00:00')
    const until = new Date('2024-06-30T23:59:59.999')
    assert.deepEqual(Object.keys(await found({ since, until })).sort(), ['one/after.mp4', 'one/both.mp4', 'onefold.mp4']) // prettier-ignore
    assert.deepEqual(Object.keys(await found({ until: new Date('2023-12-31T12:00:00') })), ['alone.mp4'])
  })

  it('says so where the archive knows of no clip below the folder', async () => {
    const notices: string[] = []
    const { answer } = await search({ folder: '/elsewhere' }, 'Ada', notices)
    assert.deepEqual([answer.matches, notices], [[], ['the archive knows of no clip below /elsewhere']])
  })

  it('refuses a time that ends before it begins', async () => {
    const asked = { since: new Date(2), until: new Date(1) }
    await assert.rejects(search(asked), refusedWith('USAGE', /no clip is of/))
  })
})

describe('times that people have in common', () => {
  const range = (startS: number, endS: number) => ({ startS, endS, trackId: 7, score: 0.5 })

  it('keep the track and the score of the person', () => {
    assert.deepEqual(rangesWithin([range(0, 10)], [range(2, 3), range(8, 12)]), [range(2, 3), range(8, 10)])
  })

  it('may be one frame', () => {
    assert.deepEqual(rangesWithin([range(0, 2)], [range(2, 3)]), [range(2, 2)])
    assert.deepEqual(rangesWithin([range(0, 2)], [range(2.1, 3)]), [])
  })
})
