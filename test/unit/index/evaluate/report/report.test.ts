import assert from 'node:assert/strict'
import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  mkdirSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { readReport } from '../../../../../index/evaluate/report/read-report.js'
import {
  evaluationReport,
  verdictOf,
  type EvaluationReport,
} from '../../../../../index/evaluate/report/report-data.js'
import { reportHtml } from '../../../../../index/evaluate/report/html.js'
import { binCounts, summariseScores } from '../../../../../index/evaluate/report/summarise-scores.js'
import { worstIdentities } from '../../../../../index/evaluate/report/worst-identities.js'
import { writeReport } from '../../../../../index/evaluate/report/write-report.js'
import { syntheticReport } from '../../../../support/report.js'

const scratch = mkdtempSync(join(tmpdir(), 'cameo-report-'))
after(() => rmSync(scratch, { recursive: true, force: true }))

/** One step, one identity, nothing found, no scores: the least that can be evaluated. */
const least: EvaluationReport = {
  version: 1,
  title: 'least',
  startedAt: '2026-11-24T09:30:00.000Z',
  depth: 100,
  settings: {},
  warnings: [],
  steps: [{ name: 'only', map: 0, ci95: [0, 0] }],
  chosenStep: 'only',
  identities: [{ identity: '1', positives: 2, found: [0], ap: [0] }],
  precisionRecall: [],
  worst: [],
}

const invalid = (message: RegExp) => ({ code: 'EVALUATION_INVALID', message })

describe('writing and reading a report', () => {
  it('returns the written report, from the folder and from the file', async () => {
    const report = syntheticReport({ identities: 30 })
    const dir = join(scratch, 'deep', 'er', 'report')
    await writeReport(dir, report)
    assert.deepEqual(await readReport(dir), report)
    assert.deepEqual(await readReport(join(dir, 'report.json')), report)
    assert.deepEqual(readdirSync(dir).sort(), ['per-identity.csv', 'report.html', 'report.json'])
    assert.deepEqual(readdirSync(join(scratch, 'deep', 'er')), ['report'], 'nothing is left beside it')
  })

  it('replaces an older report and fills an empty folder, through a link too', async () => {
    const dir = join(scratch, 'again')
    mkdirSync(dir)
    await writeReport(dir, least)
    const link = join(scratch, 'link')
    symlinkSync(dir, link)
    await writeReport(link, { ...least, title: 'second' })
    assert.equal((await readReport(dir)).title, 'second')
    assert.match(readFileSync(join(link, 'report.html'), 'utf8'), /<h1>second<\/h1>/)
  })

  it('refuses a folder with other content, and leaves it unchanged', async () => {
    const dir = join(scratch, 'mine')
    await writeReport(dir, least)
    writeFileSync(join(dir, 'thesis.tex'), 'years of work')
    await assert.rejects(writeReport(dir, { ...least, title: 'second' }), {
      code: 'REPORT_NOT_WRITTEN',
      retriable: false,
      message: /"thesis\.tex"/,
    })
    assert.equal((await readReport(dir)).title, 'least')
    assert.equal(readFileSync(join(dir, 'thesis.tex'), 'utf8'), 'years of work')
  })

  it('refuses a file in the place of the folder', async () => {
    const file = join(scratch, 'file')
    writeFileSync(file, 'x')
    await assert.rejects(writeReport(file, least), { code: 'REPORT_NOT_WRITTEN' })
    assert.equal(readFileSync(file, 'utf8'), 'x')
  })

  it('reports what it cannot read', async () => {
    const damaged = (name: string, text: string) => {
      writeFileSync(join(scratch, name), text)
      return readReport(join(scratch, name))
    }
    await assert.rejects(readReport(join(scratch, 'nowhere')), invalid(/no report can be read at .*nowhere/))
    mkdirSync(join(scratch, 'empty'))
    await assert.rejects(readReport(join(scratch, 'empty')), invalid(/ENOENT/))
    await assert.rejects(damaged('cut.json', JSON.stringify(least).slice(0, -20)), invalid(/is not JSON/))
    await assert.rejects(damaged('other.json', '{"name": "cameo"}'), invalid(/is not a report/))
    await assert.rejects(damaged('newer.json', '{"version": 2}'), invalid(/version 2.*update Cameo/))
    await assert.rejects(
      damaged('edited.json', JSON.stringify({ ...least, depth: 'many' })),
      invalid(/damaged or was edited: .*\(at depth\)/),
    )
  })

  const contradictions: readonly [what: string, change: Partial<EvaluationReport>, message: RegExp][] = [
    ['a chosen step that is not there', { chosenStep: 'other' }, /no step is called "other"/],
    ['a MAP that is not the mean AP', { steps: [{ name: 'only', map: 0.1, ci95: [0, 1] }] }, /not the mean/],
    [
      'more found than positives',
      { identities: [{ identity: '1', positives: 2, found: [3], ap: [0] }] },
      /more positives were found/,
    ],
    ['an AP too few', { identities: [{ identity: '1', positives: 2, found: [0], ap: [] }] }, /one AP/],
    [
      'an AP that is no number',
      { identities: [{ identity: '1', positives: 2, found: [0], ap: [NaN] }] },
      /ap\[0\]/,
    ],
    ['no identities', { identities: [] }, /identities/],
    ['an identity twice', { identities: [...least.identities, ...least.identities] }, /appears twice/],
    [
      'a gain without a step before',
      { steps: [{ name: 'only', map: 0, ci95: [0, 0], gain: { value: 0, ci95: [0, 0] } }] },
      /not the difference/,
    ],
  ]
  for (const [what, change, message] of contradictions)
    it(`writes nothing for ${what}`, async () => {
      const dir = join(scratch, 'contradiction')
      await assert.rejects(writeReport(dir, { ...least, ...change }), invalid(message))
      assert.throws(() => readdirSync(dir), { code: 'ENOENT' })
    })
})

describe('the page of a report', () => {
  it('is created from the smallest possible evaluation', () => {
    const page = reportHtml(least)
    assert.match(page, /MAP@100 is <strong>0\.0000<\/strong>/)
    assert.match(page, /For 1 identity no clip was found/)
    assert.doesNotMatch(page, /NaN|undefined|Infinity/)
  })

  for (const [what, mated, nonMated] of [
    ['no non-mated scores', [0.5, 0.7], []],
    ['no mated scores', [], [0.5]],
    ['no scores at all', [], []],
    ['equal scores', [0.5], [0.5, 0.5]],
  ] as const)
    it(`is made with ${what}`, () => {
      const scores = summariseScores(Float32Array.from(mated), Float32Array.from(nonMated))
      const page = reportHtml(evaluationReport.parse({ ...least, scores }))
      assert.doesNotMatch(page, /NaN|undefined|Infinity/)
      assert.equal(/there\s+are\s+no\s+operating\s+points/.test(page), mated.length * nonMated.length === 0)
    })

  it('shows at most 20 of a warning’s examples and of the worst identities', () => {
    const report = syntheticReport({ identities: 60, steps: 1 })
    const [worst] = report.worst
    const page = reportHtml({ ...report, worst: Array.from({ length: 50 }, () => worst!) })
    assert.match(page, /<strong>37<\/strong> clips of the ground truth/)
    assert.equal(page.match(/IQIYI_VID_VAL_09\d{5}\.mp4/g)?.length, 20)
    assert.equal(page.match(/<article/g)?.length, 20)
  })

  it('is the same for the same report, independent of earlier plots', () => {
    const report = syntheticReport({ identities: 20 })
    assert.equal(reportHtml(report), reportHtml(report))
  })

  it('says plainly what a step gains', () => {
    assert.equal(verdictOf({ ci95: [0.001, 0.02] }), 'gains')
    assert.equal(verdictOf({ ci95: [-0.001, 0.02] }), 'gains nothing')
    assert.equal(verdictOf({ ci95: [0, 0.02] }), 'gains nothing')
    assert.equal(verdictOf({ ci95: [-0.02, -0.001] }), 'loses')
  })
})

describe('scores of a report', () => {
  it('counts the upper edge into the last bin', () => {
    assert.deepEqual(binCounts([0, 0.24, 0.25, 0.5, 0.99, 1], 0, 1, 4), [2, 1, 1, 2])
  })

  it('counts every score once and has the operating points on its curve', () => {
    const mated = Float32Array.from({ length: 50 }, (_, i) => 0.3 + i / 100)
    const nonMated = Float32Array.from({ length: 200 }, (_, i) => -0.2 + i / 300)
    const { histogram, points, curve, equalError } = summariseScores(mated, nonMated)
    const sum = (counts: readonly number[] = []) => counts.reduce((a, b) => a + b, 0)
    assert.deepEqual([sum(histogram?.mated), sum(histogram?.nonMated)], [50, 200])
    for (const { threshold, far, frr } of [...points, equalError!]) {
      if (threshold > Math.fround(0.79)) continue
      assert.deepEqual(
        curve.find((point) => point.threshold === threshold),
        { threshold, far, frr },
      )
    }
  })

  it('refuses a score that is not a number', () => {
    assert.throws(
      () => summariseScores(Float32Array.of(0.1, NaN), new Float32Array()),
      invalid(/score 1 of the mated/),
    )
    assert.throws(
      () => summariseScores(new Float32Array(), Float32Array.of(-Infinity)),
      invalid(/score 0 of the non-mated/),
    )
  })
})

describe('worst identities', () => {
  const owners = new Map([
    ['b1', 'B'],
    ['b2', 'B'],
    ['c1', 'C'],
  ])
  const ownerOf = (clip: string) => owners.get(clip)

  it('blames the wrong clips above the last positive, and no later ones', () => {
    const [worst] = worstIdentities(
      [
        {
          identity: 'A',
          ap: 0.5,
          ranking: ['b1', 'a1', 'noise', 'b2', 'a2', 'c1'],
          scores: [0.9, 0.8, 0.7, 0.6, 0.5, 0.4],
          positives: new Set(['a1', 'a2']),
        },
      ],
      ownerOf,
    )
    assert.deepEqual(worst, {
      identity: 'A',
      ap: 0.5,
      positives: 2,
      found: 2,
      wrongAbove: 3,
      confusedWith: [{ belongsTo: 'B', clips: 2 }, { clips: 1 }],
      wrong: [
        { clip: 'b1', rank: 1, score: 0.9, belongsTo: 'B' },
        { clip: 'noise', rank: 3, score: 0.7 },
        { clip: 'b2', rank: 4, score: 0.6, belongsTo: 'B' },
      ],
      missed: [],
    })
  })

  it('blames all wrong clips if a positive was not found', () => {
    const [worst] = worstIdentities(
      [{ identity: 'A', ap: 0.5, ranking: ['a1', 'c1', 'b1'], positives: new Set(['a1', 'a2']) }],
      ownerOf,
    )
    assert.deepEqual([worst?.wrongAbove, worst?.missed], [2, ['a2']])
  })

  it('are ordered by lowest AP, then by more positives', () => {
    const identity = (name: string, ap: number, positives: number) => ({
      identity: name,
      ap,
      ranking: [],
      positives: new Set(Array.from({ length: positives }, (_, i) => `${name}${i}`)),
    })
    const worst = worstIdentities(
      [identity('A', 0.5, 1), identity('B', 0, 1), identity('C', 0, 9)],
      ownerOf,
      2,
    )
    assert.deepEqual(
      worst.map((one) => one.identity),
      ['C', 'B'],
    )
  })
})
