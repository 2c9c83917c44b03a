import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { z } from 'zod'
import { readReport } from '../../index/evaluate/report/read-report.js'
import { assertRefused } from '../support/answers.js'
import { cameo, temporaryDir } from '../support/cameo.js'
import { featureFiles, listForms, prose, writeFieldSet } from '../support/field-lists.js'

const dir = temporaryDir()
const map = (set: { features: string; gallery: string }, truth: string, ...more: string[]) =>
  cameo([
    ...['eval', 'map', '--features', set.features, '--gallery', set.gallery],
    ...['--ground-truth', truth, ...more],
  ])

describe('eval map with lists of the field', () => {
  it('finds all of a set in NFC by lists in NFD, and says in text, JSON and report which clips it ranked', async () => {
    const set = writeFieldSet(dir, 'nfd', featureFiles['big-endian, names too'](), listForms['in NFD']!)
    const report = join(dir, 'report')
    const pool = { clips: 3, listed: 3, unlisted: 0, leftOut: [{ why: 'in the gallery', clips: 2 }] }
    const json = await map(set, set.truth, '--report', report, '--json')
    assert.equal(json.code, 0, json.stderr)
    const answer = z.object({ map: z.number(), pool: z.unknown(), warnings: z.array(z.string()) })
    assert.deepEqual(answer.parse(JSON.parse(json.stdout)), { map: 1, pool, warnings: [] })
    const { settings } = await readReport(report)
    assert.deepEqual(settings.rankedClips, { ...pool, leftOut: { 'in the gallery': 2 } })
    const text = await map(set, set.truth)
    assert.match(text.stdout, /^MAP@100 100\.00 .* over 2 identities; 3 of 3 clips found; exact search 100\.00\n3 clips ranked: 3 of the ground truth, 0 in no list; left out: 2 in the gallery\n$/) // prettier-ignore
  })

  it('excludes gallery clips in the ground truth, warns about an unlisted look-alike, and refuses prose', async () => {
    const set = writeFieldSet(dir, 'plain', featureFiles['as numpy.savez writes them'](), (text) => text)
    const truth = join(dir, 'other_gt.txt')

    writeFileSync(truth, 'Ada ada-1.mp4 ada-2.mp4 g-ada.mp4\nZoë g-zoë.mp4 zoë-1.mp4\n')
    const run = await map(set, truth)
    assert.equal(run.code, 0, run.stderr)
    assert.match(run.stdout, /^MAP@100 100\.00 .*3 of 3 clips found/)
    assert.match(run.stderr, /2 clips of the ground truth are also in the gallery and not searched for/)
    writeFileSync(truth, 'Ada ada-2.mp4\nZoë zoë-1.mp4\n')
    const suspicious = await map(set, truth)
    // Ada: ada-1, which no list names, then ada-2: 1/2; Zoë: 1.
    assert.match(suspicious.stdout, /^MAP@100 75\.00 .*\n3 clips ranked: 2 of the ground truth, 1 in no list/)
    assert.match(suspicious.stderr, /1 clip in no list scores as high as .* \(ada-1\.mp4 for Ada\)/)
    writeFileSync(truth, prose)
    assertRefused(await map(set, truth, '--json'), 'GROUND_TRUTH_INVALID', 'line 1 "Dear colleague,"')
  })
})
