import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { perPairCsv } from '../../../../../index/evaluate/report/csv.js'
import { readReport } from '../../../../../index/evaluate/report/read-report.js'
import { timesReport } from '../../../../../index/evaluate/report/times-data.js'
import { writeTimesReport } from '../../../../../index/evaluate/report/write-report.js'
import { syntheticTimesReport } from '../../../../support/times-report.js'

const scratch = mkdtempSync(join(tmpdir(), 'cameo-times-'))
after(() => rmSync(scratch, { recursive: true, force: true }))

describe('the report of answers in time', () => {
  const report = syntheticTimesReport()

  it('lists films and people with most missed and wrong seconds first', () => {
    assert.deepEqual(
      report.films.map(({ film }) => film),
      ['bad.mp4', 'gone.mp4', 'good.mp4'],
    )
    // Of the other Ada .3 to 8.7 s are missed; of Bo 10.3 to 19.7 but for 4 s, his 4.4 s in gone.mp4, and 2 s are wrong.
    assert.deepEqual(
      report.people.map(({ person, found, pairs, wrong }) => [person, found, pairs, wrong]),
      [
        ['Bo', 1, 2, 0],
        ['Ada <b>Lovelace</b>', 0, 1, 0],
        ['Ada', 1, 1, 0],
      ],
    )
  })

  it('draws the films with errors, with truth and answers', () => {
    assert.deepEqual(
      report.worst.map(({ film, lengthS, wrongS }) => [film, lengthS, wrongS]),
      [
        ['bad.mp4', 20, 15.8],
        ['gone.mp4', 5, 4.4],
      ],
    )
    const [bad] = report.worst
    assert.deepEqual(bad?.unsure, [{ startS: 9, endS: 10 }])
    assert.deepEqual(
      bad.people.map(({ person, seen, answered }) => [person, seen.length, answered.length]),
      [
        ['Ada <b>Lovelace</b>', 1, 0],
        ['Bo', 1, 2],
      ],
    )
  })

  it('has one line per pair in its CSV', () => {
    assert.deepEqual(perPairCsv(report).split('\r\n'), [
      'film,person,is true,is found,seen s,answered s,right s',
      'good.mp4,Ada,yes,yes,9.4,9.4,9.4',
      'bad.mp4,Ada <b>Lovelace</b>,yes,no,8.4,0,0',
      'bad.mp4,Bo,yes,yes,9.4,6,4',
      'gone.mp4,Bo,yes,no,4.4,0,0',
      '',
    ])
  })

  it('is written as three files that only the owner can read, and is the same when read', async () => {
    const dir = join(scratch, 'report')
    await writeTimesReport(dir, report)
    await writeTimesReport(dir, report)
    assert.deepEqual(readdirSync(dir).sort(), ['per-pair.csv', 'report.html', 'report.json'])
    for (const name of readdirSync(dir)) assert.equal(statSync(join(dir, name)).mode & 0o777, 0o600)
    const json: unknown = JSON.parse(readFileSync(join(dir, 'report.json'), 'utf8'))
    assert.deepEqual(timesReport.parse(json), report)
  })

  it('is refused if a report of rankings is expected', async () => {
    const dir = join(scratch, 'other')
    await writeTimesReport(dir, report)
    await assert.rejects(readReport(dir), /is a report of the kind "times", which has no rankings/)
  })
})
