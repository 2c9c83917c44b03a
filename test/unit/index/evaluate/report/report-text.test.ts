import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { csvCell, perIdentityCsv } from '../../../../../index/evaluate/report/csv.js'
import {
  formatDuration,
  formatGain,
  formatRate,
  formatScore,
} from '../../../../../index/evaluate/report/format.js'
import { html } from '../../../../../index/evaluate/report/markup.js'
import { formatPower } from '../../../../../index/evaluate/report/plots.js'
import { syntheticReport } from '../../../../support/report.js'

describe('CSV', () => {
  for (const [value, cell] of [
    ['plain', 'plain'],
    ['a,b', '"a,b"'],
    ['say "x"', '"say ""x"""'],
    ['two\nlines', '"two\nlines"'],
    ['=1+1', "'=1+1"],
    ['+49', "'+49"],
    ['-x', "'-x"],
    ['@SUM(A1)', "'@SUM(A1)"],
    ['=A1,"b"', '"\'=A1,""b"""'],
    ['\t=1', "'\t=1"],
    [' =1', ' =1'],
    ['', ''],
    [-1, '-1'],
    [0, '0'],
  ] as const)
    it(`writes ${JSON.stringify(value)} as ${JSON.stringify(cell)}`, () => assert.equal(csvCell(value), cell))

  it('has one line per identity and columns for the steps', () => {
    const report = syntheticReport({ identities: 12, steps: 2 })
    const lines = perIdentityCsv(report).split('\r\n')
    assert.equal(
      lines[0],
      'identity,name,positives,"found ArcFace R100, clip centre","ap ArcFace R100, clip centre",found + quality weights,ap + quality weights',
    )
    assert.equal(lines.length, 14)
    assert.equal(lines.at(-1), '')
    const { positives, found, ap } = report.identities[2]!
    assert.equal(
      lines[3],
      `3,'=HYPERLINK('x'),${positives},${found[0]},${ap[0]!.toFixed(6)},${found[1]},${ap[1]!.toFixed(6)}`,
    )
  })
})

describe('markup', () => {
  it('escapes every value and keeps markup', () => {
    const name = `<b class="x">'&`
    assert.equal(
      html`<i title="${name}">${[name, html`<br />`, 3]}</i>${undefined}`.text,
      '<i title="&lt;b class=&quot;x&quot;&gt;&#39;&amp;">&lt;b class=&quot;x&quot;&gt;&#39;&amp;<br />3</i>',
    )
  })

  it('removes control characters, which a page must not contain', () => {
    assert.equal(html`${'a\u0000b\u001bc\nd'}`.text, 'a\uFFFDb\uFFFDc\nd')
  })
})

describe('numbers in a report', () => {
  it('keep the significant digits', () => {
    assert.deepEqual([0.86404, 1, 0].map(formatScore), ['0.8640', '1.0000', '0.0000'])
    assert.deepEqual([0.0342, -0.00384, 0.00001, -0.00001, 0].map(formatGain), [
      '+0.0342',
      '−0.0038',
      '0.0000',
      '0.0000',
      '0.0000',
    ])
    assert.deepEqual([0, 0.954, 0.0301, 0.000996, 0.0000906].map(formatRate), [
      '0',
      '0.9540',
      '0.0301',
      '0.000996',
      '9.06e-5',
    ])
    assert.deepEqual([1, 0.1, 0.00009999999999999999, 1e-5].map(formatPower), ['1', '0.1', '0.0001', '1e-5'])
    assert.deepEqual([3.14, 42, 754, 7384].map(formatDuration), ['3.1 s', '42 s', '12 min 34 s', '2 h 3 min'])
  })
})
