import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import {
  formatSubmission,
  parseGroundTruth,
  parseSubmission,
  readGroundTruth,
  readSubmission,
} from '../../../../../index/evaluate/datasets/ground-truth.js'
import { temporaryDir } from '../../../../support/cameo.js'
import type { GroundTruth } from '../../../../../index/evaluate/data/rankings.js'

const lists = (truth: ReadonlyMap<string, Iterable<string>>) =>
  Object.fromEntries([...truth].map(([identity, clips]) => [identity, [...clips]]))

const truthOf = (text: string) => lists(parseGroundTruth(text, 'gt.txt').groundTruth)

describe('ground truth', () => {
  const expected = { 7: ['a.mp4', 'b.mp4'], 9: ['c.mp4'] }

  it('reads "ID CLIP CLIP …" and "CLIP ID" lines alike', () => {
    assert.deepEqual(truthOf('7 a.mp4 b.mp4\n9 c.mp4\n'), expected)
    assert.deepEqual(truthOf('a.mp4 7\nc.mp4 9\nb.mp4 7\n'), expected)
  })

  it('reads a first line with one clip by the position of the clip', () => {
    assert.deepEqual(truthOf('9 c.mp4\n7 a.mp4 b.mp4\n'), expected)
    assert.deepEqual(truthOf('c.mp4 9\n'), { 9: ['c.mp4'] })
  })

  it('accepts Windows line ends, a byte-order mark, tabs, blank lines and a missing last line end', () => {
    assert.deepEqual(truthOf('\uFEFF7 a.mp4 b.mp4\r\n\r\n  9\tc.mp4  '), expected)
    assert.deepEqual(truthOf('7 a.mp4 b.mp4\r9 c.mp4\r'), expected)
  })

  it('counts repeated lines once, with a warning', () => {
    const { groundTruth, warnings } = parseGroundTruth('a.mp4 7\nb.mp4 7\na.mp4 7\na.mp4 9\n', 'gt.txt')
    assert.deepEqual(lists(groundTruth), { 7: ['a.mp4', 'b.mp4'], 9: ['a.mp4'] })
    assert.equal(warnings.length, 1)
    assert.match(warnings[0]!, /^1 clip is .*gt\.txt/)
    assert.deepEqual(parseGroundTruth('a.mp4 7\n', 'gt.txt').warnings, [])
  })

  it('two lines of one identity are one identity', () => {
    assert.deepEqual(truthOf('7 a.mp4\n9 c.mp4\n7 b.mp4\n'), expected)
  })

  const refusals: readonly [name: string, text: string, message: RegExp][] = [
    ['an empty file', '', /gt\.txt is empty/],
    ['a file of blank lines and a byte-order mark', '\uFEFF\r\n \r\n', /gt\.txt is empty/],
    ['an identity without a clip', '7 a.mp4\n\n9\n', /gt\.txt, line 3: identity 9 has no clip/],
    [
      'a "CLIP ID" line among the others',
      '7 a.mp4 b.mp4\nc.mp4 9\n',
      /gt\.txt, line 2: "c\.mp4" is in the place/,
    ],
    ['an "ID CLIP CLIP" line among "CLIP ID" ones', 'a.mp4 7\n9 b.mp4 c.mp4\n', /line 2: .*3 words/],
    ['an "ID CLIP" line among "CLIP ID" ones', 'a.mp4 7\n9 b.mp4\n', /line 2: "b\.mp4" is in the place/],
  ]
  for (const [name, text, message] of refusals)
    it(`refuses ${name}, with file and line`, () =>
      assert.throws(() => parseGroundTruth(text, 'gt.txt'), { code: 'GROUND_TRUTH_INVALID', message }))

  it('a file that is not there is refused by its name', () =>
    assert.throws(() => readGroundTruth('/nowhere/gt.txt'), {
      code: 'GROUND_TRUTH_INVALID',
      message: /\/nowhere\/gt\.txt/,
    }))
})

describe('a submission', () => {
  const groundTruth: GroundTruth = new Map([
    ['1', new Set(['a.mp4'])],
    ['2', new Set(['b.mp4'])],
  ])
  const parse = (text: string) => lists(parseSubmission(text, 'sub.txt', groundTruth))
  const clips = (count: number) => Array.from({ length: count }, (_, i) => `c${i}.mp4`)

  it('keeps the order of its lines and clips', () =>
    assert.deepEqual(parse('\uFEFF2 b.mp4 a.mp4\r\n1 z.mp4\r\n'), { 2: ['b.mp4', 'a.mp4'], 1: ['z.mp4'] }))

  it('counts the first place of a repeated clip', () =>
    assert.deepEqual(parse('1 x.mp4 a.mp4 x.mp4 b.mp4 a.mp4\n'), { 1: ['x.mp4', 'a.mp4', 'b.mp4'] }))

  it('accepts 100 clips, and 100 distinct clips with repetitions', () => {
    assert.equal(parse(`1 ${clips(100).join(' ')}\n`)[1]!.length, 100)
    assert.equal(parse(`1 ${[...clips(100), ...clips(60)].join(' ')}\n`)[1]!.length, 100)
  })

  it('accepts an identity without clips', () =>
    assert.deepEqual(parse('1\n2 b.mp4'), { 1: [], 2: ['b.mp4'] }))

  const refusals: readonly [name: string, text: string, message: RegExp][] = [
    [
      '101 different clips',
      `2 b.mp4\n1 ${clips(101).join(' ')}`,
      /sub\.txt, line 2: identity 1 has 101 clips/,
    ],
    ['an unknown identity', '1 a.mp4\n\n3 a.mp4', /sub\.txt, line 3: .*no identity 3/],
    [
      'two lines of one identity',
      '1 a.mp4\n2 b.mp4\n1 c.mp4',
      /sub\.txt, line 3: identity 1 already has a line/,
    ],
    ['more lines than identities', '1 a\n2 b\n3 c\n', /sub\.txt, line 3/],
    ['an empty file', '\r\n', /sub\.txt is empty/],
  ]
  for (const [name, text, message] of refusals)
    it(`refuses ${name}, with file and line`, () =>
      assert.throws(() => parse(text), { code: 'SUBMISSION_INVALID', message }))

  it('reports a missing file as a missing submission', () =>
    assert.throws(() => readSubmission('/nowhere/sub.txt', groundTruth), {
      code: 'SUBMISSION_INVALID',
      message: /\/nowhere\/sub\.txt/,
    }))

  it('is the same after it is written to a file and read', () => {
    const file = join(temporaryDir(), 'sub.txt')
    const rankings = new Map([
      ['2', ['b.mp4', 'x.mp4']],
      ['1', ['a.mp4']],
    ])
    writeFileSync(file, formatSubmission(rankings))
    assert.deepEqual(readSubmission(file, groundTruth), rankings)
  })
})
