import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseAppearances } from '../../../../../index/evaluate/datasets/appearances.js'
import { scoreTimes, scoreTracks, summariseTimes } from '../../../../../index/evaluate/protocols/times.js'

const truth = parseAppearances(
  [
    'film,person,start_s,end_s,kind',
    'a.mp4,Ada,0,10,seen',
    'a.mp4,Bob,10,20,',
    'a.mp4,*,9,11,unsure',
    'b.mp4,Bob,0,5,seen',
  ].join('\n'),
  'truth.csv',
)

const span = (startS: number, endS: number) => ({ startS, endS })
const answers = (of: Record<string, Record<string, { startS: number; endS: number }[]>>) =>
  new Map(Object.entries(of).map(([person, films]) => [person, new Map(Object.entries(films))]))

describe('scoreTimes', () => {
  it('counts the steps that are right, missed and wrong, but none near a change or where the truth is unsure', () => {
    // Ada counts from .3 to 9 (87 steps); she is answered for 2 s of it and for 4 s of Bob's.
    const pairs = scoreTimes(truth, answers({ Ada: { 'a.mp4': [span(3, 5), span(12, 16)] } }))
    const ada = pairs.find(({ person, film }) => person === 'Ada' && film === 'a.mp4')
    assert.deepEqual([ada?.seenSteps, ada?.foundSteps, ada?.answeredSteps, ada?.rightSteps], [87, 20, 60, 20])
  })

  it('counts a person who is not answered at all as missed, and one who is answered elsewhere as wrong', () => {
    const { pairs, foundPairs, wrongPairs, recall, precision } = summariseTimes(
      scoreTimes(truth, answers({ Ada: { 'a.mp4': [span(0, 10)], 'b.mp4': [span(1, 3)] } })),
    )
    assert.deepEqual({ pairs, foundPairs, wrongPairs }, { pairs: 3, foundPairs: 1, wrongPairs: 1 })
    // Seen: Ada 87, Bob in a.mp4 11 to 19.7 (87) and in b.mp4 .3 to 4.7 (44). Answered: 87 right ones, and 20 wrong ones.
    assert.equal(recall.toFixed(4), (87 / 218).toFixed(4))
    assert.equal(precision.toFixed(4), (87 / 107).toFixed(4))
  })

  it('counts every answer for a person in no film as wrong', () => {
    const { pairs, wrongPairs, answeredSteps, rightSteps } = summariseTimes(
      scoreTimes(truth, answers({ Cy: { 'b.mp4': [span(1, 3)] } })),
    )
    assert.deepEqual(
      { pairs, wrongPairs, answeredSteps, rightSteps },
      { pairs: 3, wrongPairs: 1, answeredSteps: 20, rightSteps: 0 },
    )
  })

  it('gives 1 for a perfect answer', () => {
    const perfect = answers({
      Ada: { 'a.mp4': [span(0, 10)] },
      Bob: { 'a.mp4': [span(10, 20)], 'b.mp4': [span(0, 5)] },
    })
    const { recall, precision, f1, foundPairs, wrongPairs } = summariseTimes(scoreTimes(truth, perfect))
    assert.deepEqual([recall, precision, f1, foundPairs, wrongPairs], [1, 1, 1, 3, 0])
  })
})

describe('scoreTracks', () => {
  it('gives the share of a track with its majority person, and the tracks per appearance', () => {
    // The first track shows Ada for 3 s and Bob for 1 s; the others show Bob alone, twice in one appearance.
    const tracks = [
      { film: 'a.mp4', spans: [span(6, 9), span(12, 13)] },
      { film: 'a.mp4', spans: [span(14, 15)] },
      { film: 'a.mp4', spans: [span(16, 17)] },
    ]
    const { purity, splits } = scoreTracks(truth, tracks)
    assert.equal(purity.toFixed(4), (50 / 60).toFixed(4))
    assert.equal(splits, 1.5)
  })
})

describe('parseAppearances', () => {
  const refuses = (text: string, message: RegExp) =>
    assert.throws(() => parseAppearances(text, 'truth.csv'), message)

  it('names the wrong row', () => {
    refuses('film,person,start_s,end_s\na,Ada,0,1\na,Ada,3,2', /truth\.csv, row 3: .*end_s must be greater/s)
    refuses('film,person,start_s,end_s\na,Ada,x,2', /truth\.csv, row 2/)
    refuses('film,person,start_s\na,Ada,1', /truth\.csv, row 2/)
    refuses('', /names no person/)
  })

  it('reads quoted names, a byte-order mark and Windows line ends', () => {
    const { people } = parseAppearances(
      '\uFEFFfilm,person,start_s,end_s\r\n"a, b.mp4","Ada ""A""",0,1\r\n',
      'x',
    )
    assert.deepEqual([...people], ['Ada "A"'])
  })
})
