import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { before, describe, it } from 'node:test'
import { writeReport } from '../../index/evaluate/report/write-report.js'
import { cameo, temporaryDir } from '../support/cameo.js'
import { syntheticReport } from '../support/report.js'

const dir = temporaryDir()
const fileOf = (name: string, text: string) => {
  const file = join(dir, name)
  writeFileSync(file, text)
  return file
}

// AP: 1 → (1 + 2/3) / 2 = 5/6, 2 → 1/2, 3 → not named, 0.
const groundTruth = fileOf('gt.txt', '1 a.mp4 b.mp4\n2 c.mp4\n3 d.mp4\n')
const submission = fileOf('a.txt', '2 x.mp4 c.mp4\n1 a.mp4 y.mp4 a.mp4 b.mp4\n')
const better = fileOf('b.txt', '2 c.mp4\n1 a.mp4 b.mp4\n3 d.mp4\n')
const expectedMap = (5 / 6 + 1 / 2) / 3

const jsonOf = (text: string): unknown => JSON.parse(text)

describe('cameo eval score', () => {
  it('gives MAP, its interval and every identity as JSON, and a CSV', async () => {
    const csv = join(dir, 'per-identity.csv')
    const { code, stdout, stderr } = await cameo([
      'eval',
      'score',
      submission,
      '--ground-truth',
      groundTruth,
      '--json',
      '--per-identity',
      csv, // prettier-ignore
    ])
    assert.equal(code, 0, stderr)
    const result = jsonOf(stdout) as { map: number; ci95: [number, number] }
    assert.ok(Math.abs(result.map - expectedMap) < 1e-12)
    assert.ok(result.ci95[0] <= result.map && result.map <= result.ci95[1])
    assert.deepEqual(result, {
      map: result.map,
      ci95: result.ci95,
      identities: 3,
      perIdentity: [
        { identity: '1', positives: 2, found: 2, ap: (1 + 2 / 3) / 2 },
        { identity: '2', positives: 1, found: 1, ap: 0.5 },
        { identity: '3', positives: 1, found: 0, ap: 0 },
      ],
    })
    assert.equal(
      readFileSync(csv, 'utf8'),
      'identity,positives,found,ap\r\n1,2,2,0.833333\r\n2,1,1,0.500000\r\n3,1,0,0.000000\r\n',
    )
  })

  it('reports the figure and the identities without a line', async () => {
    const { code, stdout } = await cameo(['eval', 'score', submission, '--ground-truth', groundTruth])
    assert.equal(code, 0)
    assert.match(stdout, /^MAP@100 0\.4444 \(95 % interval .*\) over 3 identities\n1 identity has no line/)
  })

  const refusals = [
    { name: 'too many clips', file: fileOf('long.txt', `2 c.mp4\n1 ${Array.from({ length: 101 }, (_, i) => `${i}.mp4`).join(' ')}`), code: 'SUBMISSION_INVALID', message: /long\.txt, line 2: .*101 clips/ }, // prettier-ignore
    { name: 'an unknown identity', file: fileOf('unknown.txt', '1 a.mp4\n4 a.mp4'), code: 'SUBMISSION_INVALID', message: /unknown\.txt, line 2: .*identity 4/ }, // prettier-ignore
    { name: 'no submission', file: join(dir, 'nothing.txt'), code: 'SUBMISSION_INVALID', message: /nothing\.txt/ }, // prettier-ignore
    { name: 'damaged ground truth', file: submission, truth: fileOf('bad-gt.txt', '1 a.mp4\n2\n'), code: 'GROUND_TRUTH_INVALID', message: /bad-gt\.txt, line 2/ }, // prettier-ignore
  ]
  for (const { name, file, truth = groundTruth, code: expected, message } of refusals)
    it(`refuses ${name} with its code, file and line`, async () => {
      const { code, stdout, stderr } = await cameo(['eval', 'score', file, '--ground-truth', truth, '--json'])
      assert.equal(code, 2)
      const error = jsonOf(stdout) as { code: string; message: string }
      assert.equal(error.code, expected)
      assert.match(error.message, message)
      assert.match(stderr, message)
    })

  it('reports a table that cannot be written', async () => {
    const { code, stderr } = await cameo([
      'eval',
      'score',
      submission,
      '--ground-truth',
      groundTruth,
      '--per-identity',
      join(dir, 'no', 'such.csv'), // prettier-ignore
    ])
    assert.equal(code, 2)
    assert.match(stderr, /REPORT_NOT_WRITTEN/)
  })
})

describe('cameo eval compare', () => {
  const [reportA, reportB] = [join(dir, 'report-a'), join(dir, 'report-b')]
  before(async () => {
    await writeReport(reportA, syntheticReport({ identities: 60, steps: 1 }))
    await writeReport(reportB, syntheticReport({ identities: 60, steps: 3 }))
  })

  it('two submissions: both MAPs, the difference paired by identity, and that it holds', async () => {
    const { code, stdout, stderr } = await cameo(['eval', 'compare', submission, better, '--ground-truth', groundTruth, '--json']) // prettier-ignore
    assert.equal(code, 0, stderr)
    const { a, b, difference, ...rest } = jsonOf(stdout) as {
      a: { name: string; map: number }
      b: { name: string; map: number }
      difference: { value: number; ci95: [number, number] }
    }
    assert.deepEqual([a.name, b.name, b.map], [submission, better, 1])
    assert.ok(Math.abs(a.map - expectedMap) < 1e-12)
    assert.ok(Math.abs(difference.value - (1 - expectedMap)) < 1e-12)
    // Differences are 1/6, 1/2 and 1: no resample has a mean of 0.
    assert.ok(Math.abs(difference.ci95[0] - 1 / 6) < 1e-9 && Math.abs(difference.ci95[1] - 1) < 1e-9)
    assert.deepEqual(rest, { identities: 3, holds: true, verdict: 'gains' })
  })

  it('a submission with itself: no difference, which does not hold', async () => {
    const { code, stdout } = await cameo(['eval', 'compare', better, better, '--ground-truth', groundTruth])
    assert.equal(code, 0)
    assert.match(stdout, /B − A 0\.0000 \(95 % interval 0\.0000 to 0\.0000\)/)
    assert.match(stdout, /does not hold/)
  })

  it('two reports: the chosen steps, or the step named', async () => {
    const chosen = await cameo(['eval', 'compare', reportA, reportB])
    assert.equal(chosen.code, 0, chosen.stderr)
    assert.match(chosen.stdout, /the difference holds: B is better/)
    assert.match(chosen.stdout, /report-b \(step "\+ 3-layer MLP"\)/)
    const back = await cameo(['eval', 'compare', reportB, reportA, '--json'])
    assert.equal((jsonOf(back.stdout) as { verdict: string }).verdict, 'loses')
    const none = await cameo(['eval', 'compare', reportA, reportB, '--step', '+ 3-layer MLP'])
    assert.equal(none.code, 2)
    assert.match(none.stderr, /report-a has no step .* it has "ArcFace R100, clip centre"/)
  })

  it('names the identities that only one has', async () => {
    await writeReport(join(dir, 'smaller'), syntheticReport({ identities: 58, steps: 1 }))
    const { code, stderr } = await cameo(['eval', 'compare', reportA, join(dir, 'smaller')])
    assert.equal(code, 2)
    assert.match(stderr, /only .*report-a.* has identities 59, 60; evaluate both/)
    assert.match(stderr, /EVALUATION_INVALID/)
  })

  it('wants ground truth for submissions, and none for reports', async () => {
    const [without, between] = [
      await cameo(['eval', 'compare', submission, better]),
      await cameo(['eval', 'compare', reportA, reportB, '--ground-truth', groundTruth]),
    ]
    for (const { code, stderr } of [without, between]) {
      assert.equal(code, 2)
      assert.match(stderr, /--ground-truth/)
    }
  })
})
