import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseAppearances } from '../../../../index/evaluate/datasets/appearances.js'
import { scoreTimes } from '../../../../index/evaluate/protocols/times.js'
import {
  figuresOfSeed,
  figuresTable,
  meanOfSeeds,
  refusedLines,
} from '../../../../scripts/bench/films/figures.js'
import { filmArguments } from '../../../../scripts/bench/films/graph.js'
import { nearestOthers } from '../../../../scripts/bench/films/look-alikes.js'
import { keepOutQueries, planFilmsOfPhotos, type LookAlikes } from '../../../../scripts/bench/films/photos.js'
import { appearancesCsv, createReel, formOf, type Film } from '../../../../scripts/bench/films/plan.js'
import { planFilmsOfClips, queryOfClips } from '../../../../scripts/bench/films/videos.js'

const clip = (name: string, durationS: number) => ({ path: name, durationS, isWide: false })
const filmed = [
  { id: 'p1', clips: [clip('ada-5s.mp4', 5), clip('ada-9s.mp4', 9)] },
  { id: 's-bo-4s', clips: [clip('bo-4s.mp4', 4)] },
  { id: 's-cy-12s', clips: [clip('cy-12s.mp4', 12)] },
  { id: 's-di-3s', clips: [clip('di-3s.mp4', 3)] },
]

const photographed = Array.from({ length: 20 }, (_, i) => ({
  id: `person-${i}`,
  photos: Array.from({ length: 4 + (i % 3) }, (_, k) => `person-${i}/${k}.jpg`),
}))
/** People with neighbouring numbers look alike. */
const lookAlikes: LookAlikes = new Map(
  photographed.map(({ id }, i) => [id, [`person-${i ^ 1}`, `person-${(i + 2) % 20}`]]),
)
const cast = keepOutQueries(photographed, 1)

const take = (person: string) => ({ person, input: ['-i', `${person}.mp4`], isWide: false })
const filmOf = (shots: Film['shots']): Film => ({ name: 'a.mp4', backdropColour: '0x405060', shots })

describe('the reel', () => {
  it('puts shots one after the other, and overlaps them in a transition', () => {
    const reel = createReel()
    const shot = (person: string, lengthS: number, join: 'cut' | 'dissolve') =>
      ({ place: 'full', takes: [take(person)], lengthS, join }) as const
    reel.add(shot('Ada', 2, 'cut'), 0, 1 / 2)
    // The requested transition is 1.4 s, but it takes at most half of Ada's shot.
    reel.add(shot('Bo', 4, 'dissolve'), 1.4, 1 / 2)
    reel.add(shot('Ada', 1, 'cut'), 0, 1 / 2)
    assert.equal(
      appearancesCsv([filmOf(reel.shots)]),
      [
        'film,person,start_s,end_s,kind',
        'a.mp4,*,1.00,2.00,unsure',
        'a.mp4,Ada,0.00,2.00,seen',
        'a.mp4,Bo,1.00,5.00,seen',
        'a.mp4,Ada,5.00,6.00,seen',
        '',
      ].join('\n'),
    )
  })
})

describe('films of clips', () => {
  it('have the same cuts as the films of earlier results', () => {
    // The twelfth film of seed 5, as the first version of this benchmark cut it from clips of the same
    // lengths.
    const rows = appearancesCsv(planFilmsOfClips(filmed, 12, 5).slice(11)).split('\n')
    assert.deepEqual(
      rows.slice(1, -1).map((row) => row.replace('film-011-mixed-mixed.mp4,', '')),
      [
        ...['*,1.40,2.40,unsure', '*,2.76,3.40,unsure', '*,16.68,17.52,unsure', '*,19.60,20.16,unsure'],
        ...['*,20.84,22.00,unsure', 's-bo-4s,0.00,2.40,seen', 'p1,1.40,3.40,seen', 's-cy-12s,1.40,3.40,seen'],
        ...['s-bo-4s,2.76,5.16,seen', 'p1,2.76,5.16,seen', 'p1,5.16,8.92,seen', 's-cy-12s,8.92,10.76,seen'],
        ...['p1,10.76,12.92,seen', 's-di-3s,12.92,14.72,seen', 's-cy-12s,12.92,14.72,seen'],
        ...['s-cy-12s,14.72,17.52,seen', 'p1,16.68,18.36,seen', 's-di-3s,18.36,20.16,seen'],
        ...['s-cy-12s,18.36,20.16,seen', 's-bo-4s,19.60,22.00,seen', 'p1,20.84,23.36,seen'],
      ],
    )
  })

  it('are the same for the same seed and others for another', () => {
    assert.deepEqual(planFilmsOfClips(filmed, 4, 7), planFilmsOfClips(filmed, 4, 7))
    assert.notDeepEqual(planFilmsOfClips(filmed, 4, 7), planFilmsOfClips(filmed, 4, 8))
  })

  it('do not show the moment of the query, except in a shot of two people that is longer than the clip', () => {
    const queries = new Map(filmed.map((person) => [person.id, queryOfClips(person)]))
    assert.deepEqual(queries.get('p1'), ['-ss', String(9 * 0.85), '-i', 'ada-9s.mp4'])
    for (const { shots } of planFilmsOfClips(filmed, 24, 3))
      for (const [{ person, input }] of shots.map(({ takes }) => takes)) {
        const [, fromS, , lengthS, , path] = input
        const [, queryS, , queryPath] = queries.get(person) ?? []
        if (path === queryPath) assert.ok(Number(fromS) + Number(lengthS) < Number(queryS), input.join(' '))
      }
  })
})

describe('films of photos', () => {
  const films = planFilmsOfPhotos(cast, lookAlikes, 24, 1)

  it('are the same for the same seed and others for another', () => {
    assert.deepEqual(films, planFilmsOfPhotos(cast, lookAlikes, 24, 1))
    assert.notDeepEqual(films, planFilmsOfPhotos(cast, lookAlikes, 24, 2))
  })

  it('never show the query photo', () => {
    const queries = new Set(cast.map(({ queryPhoto }) => queryPhoto))
    const shown = films.flatMap(({ shots }) =>
      shots.flatMap(({ takes }) => takes.map(({ input }) => input[1])),
    )
    assert.equal(queries.size, 20)
    assert.deepEqual(
      shown.filter((photo) => queries.has(photo ?? '')),
      [],
    )
  })

  it('have casts of four to seven, shots of 1.2 to 5 s and transitions of at most 2 s', () => {
    const sizes = films.map(
      ({ shots }) => new Set(shots.flatMap(({ takes }) => takes.map(({ person }) => person))).size,
    )
    assert.deepEqual([...new Set(sizes)].sort(), [4, 5, 6, 7])
    for (const { shots } of films)
      for (const [i, { lengthS, overS }] of shots.entries()) {
        assert.ok(lengthS >= 1.2 && lengthS <= 5)
        const shorterS = Math.min(lengthS, shots[i - 1]?.lengthS ?? lengthS)
        assert.ok(overS <= Math.min(2, shorterS * 0.4 + 0.02), `${overS} of ${shorterS}`)
      }
    assert.ok(films.some(({ shots }) => shots.some(({ overS }) => overS > 1.5)))
  })

  it('show another photo when a person appears again', () => {
    for (const { shots } of films) {
      const last = new Map<string, string | undefined>()
      for (const { person, input } of shots.flatMap(({ takes }) => takes)) {
        assert.notEqual(input[1], last.get(person))
        last.set(person, input[1])
      }
    }
  })

  it('show look-alikes next to each other in every second round of forms', () => {
    const areNeighbours = (a = '', b = '') => lookAlikes.get(a)?.[0] === b
    const shareOf = (chosen: readonly Film[]) => {
      const cuts = chosen.flatMap(({ shots }) =>
        shots.slice(1).map(({ takes }, i) => areNeighbours(shots[i]?.takes[0].person, takes[0].person)),
      )
      return cuts.filter(Boolean).length / cuts.length
    }
    const alike = films.filter(({ name }) => name.endsWith('-alike.mp4'))
    assert.deepEqual(alike, films.slice(12))
    assert.ok(shareOf(alike) > 0.4, String(shareOf(alike)))
    assert.ok(shareOf(films.slice(0, 12)) < 0.2, String(shareOf(films.slice(0, 12))))
  })
})

describe('look-alikes', () => {
  it('are the other people by cosine similarity, the most similar first', () => {
    const faces = new Map([
      ['Ada', Float32Array.of(1, 0)],
      ['Bo', Float32Array.of(0.6, 0.8)],
      ['Cy', Float32Array.of(0.8, 0.6)],
      ['Di', Float32Array.of(-1, 0)],
    ])
    assert.deepEqual(nearestOthers(faces, 2).get('Ada'), ['Cy', 'Bo'])
    assert.deepEqual(nearestOthers(faces, 2).get('Di'), ['Bo', 'Cy'])
  })
})

describe('the filter graph', () => {
  it('connects every input and every intermediate stream to exactly one filter', () => {
    for (const film of [...planFilmsOfClips(filmed, 12, 1), ...planFilmsOfPhotos(cast, lookAlikes, 12, 1)]) {
      const given = filmArguments(film, { widthPx: 640, heightPx: 360 })
      const graph = given[given.indexOf('-filter_complex') + 1] ?? ''
      const uses = new Map<string, number>()
      for (const chain of graph.split(';')) {
        const labels = (text: string | undefined) => text?.match(/\[[^\]]+\]/g) ?? []
        for (const label of labels(/^(?:\[[^\]]+\])+/.exec(chain)?.[0]))
          uses.set(label, (uses.get(label) ?? 0) + 1)
        for (const label of labels(/(?:\[[^\]]+\])+$/.exec(chain)?.[0]))
          uses.set(label, (uses.get(label) ?? 0) + 0)
      }
      uses.set(given.at(-1) ?? '', (uses.get(given.at(-1) ?? '') ?? 0) + 1)
      assert.deepEqual([...new Set(uses.values())], [1], graph)
      const inputs = given.filter((argument) => argument === '-i').length
      assert.equal([...uses.keys()].filter((label) => label.endsWith(':v]')).length, inputs)
    }
  })
})

describe('the figures', () => {
  const truth = parseAppearances(
    [
      'film,person,start_s,end_s',
      'film-000-boxed-cut.mp4,Ada,0,10',
      'film-001-full-cut-alike.mp4,Ada,0,10',
    ].join('\n'),
    'truth.csv',
  )
  const answers = new Map([['Ada', new Map([['film-000-boxed-cut.mp4', [{ startS: 0, endS: 10 }]]])]])
  const measured = {
    ...{ truth, answers, pairs: scoreTimes(truth, answers), missingFilms: [] },
    line: { threshold: 0.4, reason: 'given' as const },
    tracks: [{ film: 'film-000-boxed-cut.mp4', spans: [{ startS: 0, endS: 10 }] }],
    refused: [{ person: 'Bo', code: 'IMAGE_NO_FACE', message: 'no face was found in Bo.jpg' }],
  }

  it('are reported by style, by kind of join, for look-alikes, and in total', () => {
    const figures = figuresOfSeed(1, measured)
    const { groups, total } = figures
    assert.deepEqual(
      [...groups, total].map(({ name, films, found, pairs, recall }) => [name, films, found, pairs, recall]),
      [
        ['style boxed', 1, 1, 1, 1],
        ['style full', 1, 0, 1, 0],
        ['joins cut', 2, 1, 2, 0.5],
        ['alike', 1, 0, 1, 0],
        ['all', 2, 1, 2, 0.5],
      ],
    )
    assert.deepEqual(refusedLines(figures), [
      '1 of 2 queries refused:',
      '  Bo: no face was found in Bo.jpg [IMAGE_NO_FACE]',
    ])
    assert.equal(figuresTable(groups).length, 5)
  })

  it('of several seeds are the means of shares and the sums of counts', () => {
    const one = figuresOfSeed(1, measured)
    const other = { ...one, seed: 2, total: { ...one.total, recall: 1, found: 2 } }
    const { recall, found, pairs, films } = meanOfSeeds([one, other])
    assert.deepEqual([recall, found, pairs, films], [0.75, 3, 4, 4])
  })

  it('include all twelve forms in twelve films', () => {
    const forms = Array.from({ length: 12 }, (_, i) => Object.values(formOf(i)).join(' '))
    assert.equal(new Set(forms).size, 12)
  })
})
