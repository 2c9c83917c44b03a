import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  compareRuns,
  runOfReport,
  type MeasuredRun,
} from '../../../../../index/evaluate/report/compare-reports.js'
import { syntheticReport } from '../../../../support/report.js'

const runOf = (name: string, ...rows: [identity: string, positives: number, ap: number][]): MeasuredRun => ({
  name,
  scores: rows.map(([identity, positives, averagePrecision]) => ({ identity, positives, averagePrecision })),
})

const refused = (message: RegExp) => ({ code: 'EVALUATION_INVALID', message })

describe('two runs', () => {
  it('are paired by identity, not by line', () => {
    const a = runOf('a', ['1', 3, 0.2], ['2', 5, 0.9])
    const b = runOf('b', ['2', 5, 1], ['1', 3, 0.3])
    const { mapA, mapB, identities, difference, verdict } = compareRuns(a, b)
    assert.deepEqual([identities, verdict], [2, 'gains'])
    // Both identities gain 0.1; paired by line, one would gain 0.8 and the other lose 0.6.
    for (const [actual, expected] of [
      [mapA, 0.55],
      [mapB, 0.65],
      [difference.ci95[0], 0.1],
      [difference.ci95[1], 0.1],
    ] as const)
      // prettier-ignore
      assert.ok(Math.abs(actual - expected) < 1e-12, `${actual} is not ${expected}`)
    assert.equal(compareRuns(b, a).verdict, 'loses')
  })

  it('with different identities are refused, with the first ten names', () => {
    const some = Array.from({ length: 12 }, (_, i): [string, number, number] => [`x${i}`, 1, 1])
    const [a, b] = [runOf('a', ['1', 1, 1], ...some), runOf('b', ['1', 1, 1], ['2', 1, 1])]
    assert.throws(
      () => compareRuns(a, b),
      refused(/only a has identities x0, .*x9 and 2 more; only b has identity 2;/),
    )
  })

  it('of different ground truth are refused: an identity has different positives', () => {
    const [a, b] = [runOf('a', ['1', 4, 1], ['2', 1, 1]), runOf('b', ['1', 5, 1], ['2', 1, 1])]
    assert.throws(() => compareRuns(a, b), refused(/different numbers of positives for identity 1;/))
  })

  it('are the chosen step of a report, or the named step', () => {
    const report = syntheticReport({ identities: 20, steps: 2 })
    const [first, chosen] = report.steps.map(({ name }) => name)
    const apsOf = (run: MeasuredRun) => run.scores.map(({ averagePrecision }) => averagePrecision)
    assert.deepEqual(apsOf(runOfReport(report, 'r')), report.identities.map(({ ap }) => ap[1])) // prettier-ignore
    assert.deepEqual(apsOf(runOfReport(report, 'r', first)), report.identities.map(({ ap }) => ap[0])) // prettier-ignore
    assert.match(runOfReport(report, 'r').name, new RegExp(`r \\(step "${chosen!.replace('+', '\\+')}"\\)`))
    assert.throws(() => runOfReport(report, 'r', 'none'), refused(/no step "none"/))
  })
})
