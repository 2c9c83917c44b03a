import assert from 'node:assert/strict'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { before, describe, it } from 'node:test'
import { z } from 'zod'
import { readReport } from '../../index/evaluate/report/read-report.js'
import { assertRefused } from '../support/answers.js'
import { cameo, jsonLines, startCameo, temporaryDir } from '../support/cameo.js'
import { writeLabelledFeatures, type LabelledFeatures } from '../support/labelled-features.js'
import { readHeadMetadata } from '../../pipeline/describe/head/head-metadata.js'

const dir = temporaryDir()
let set: LabelledFeatures
before(() => {
  set = writeLabelledFeatures(dir)
})

const rate = z.number().min(0).max(1)
const ladderSchema = z.object({
  steps: z.array(
    z.object({
      name: z.string(),
      map: rate,
      ci95: z.tuple([rate, rate]),
      valMap: rate,
      taken: z.boolean(),
      exactMap: rate.nullable(),
    }),
  ),
  openSet: z.object({ baselineMap: rate, residualShare: rate }),
  pool: z.unknown(),
})
const mapSchema = z.object({
  map: rate,
  ci95: z.tuple([rate, rate]),
  identities: z.int(),
  pool: z.unknown(),
})

const small = [
  '--width',
  '64',
  '--epochs',
  '12',
  '--batch',
  '32',
  '--learning-rate',
  '0.002',
  '--threads',
  '1',
]
const sourceOf = () => ['--features', set.features]
const train = (out: string, ...more: string[]) => [
  ...['head', 'train', ...sourceOf(), '--ground-truth', set.train, '--val', set.val],
  ...['--out', out, ...small, ...more],
]

describe('eval ladder', () => {
  let ladder: { readonly firstMap: number | undefined; readonly pool: unknown }

  it('climbs from the clip centre, each step scored on test once, and writes a report', async () => {
    const report = join(dir, 'report')
    const run = await cameo([
      ...[
        'eval',
        'ladder',
        ...sourceOf(),
        '--gallery',
        set.train,
        '--val',
        set.val,
        '--ground-truth',
        set.test,
      ],
      ...['--heads', '2', '--report', report, '--json', ...small],
    ])
    assert.equal(run.code, 0, run.stderr)
    const { steps, pool } = ladderSchema.parse(JSON.parse(run.stdout))
    ladder = { firstMap: steps[0]?.map, pool }
    assert.deepEqual(
      steps.map(({ name }) => name),
      ['clip centre', 'quality pooling', 'MLP head', 'noise class', 'ensemble of 2 heads'],
    )
    for (const { map, ci95, exactMap } of steps) {
      assert.ok(ci95[0] <= map && map <= ci95[1])
      if (exactMap !== null) assert.ok(Math.abs(exactMap - map) <= 0.001)
    }
    // All faces have quality 1 here: weighting them changes nothing, and that is said.
    assert.equal(steps[1]?.taken, false)
    const [first, last] = [steps[0]?.map ?? 0, steps.at(-1)?.map ?? 0]
    assert.ok(last > first + 0.05, `${first} → ${last}`)
    const written = await readReport(report)
    assert.deepEqual(
      written.steps.map(({ map }) => map),
      steps.map(({ map }) => map),
    )
    assert.ok(existsSync(join(report, 'report.html')) && existsSync(join(report, 'per-identity.csv')))
  })

  it('eval map of the same lists as the ladder ranks the same clips, gives the figure of its first steps, and a submission that the scorer scores the same', async () => {
    const submission = join(dir, 'submission.txt')
    const run = await cameo([
      ...['eval', 'map', ...sourceOf(), '--gallery', set.train, '--ground-truth', set.test],
      ...['--val', set.val, '--submission', submission, '--json'],
    ])
    assert.equal(run.code, 0, run.stderr)
    const { map, pool } = mapSchema.parse(JSON.parse(run.stdout))
    // All faces have quality 1 here: a clip's one track is its centre.
    assert.deepEqual({ firstMap: map, pool }, ladder)
    const scored = await cameo(['eval', 'score', submission, '--ground-truth', set.test, '--json'])
    assert.equal(z.object({ map: rate }).parse(JSON.parse(scored.stdout)).map, map)
  })
})

describe('head train', () => {
  it('the same seed gives the same head, which eval map scores better than the gallery', async () => {
    const [one, two] = [join(dir, 'one.onnx'), join(dir, 'two.onnx')]
    for (const out of [one, two]) {
      const run = await cameo(train(out))
      assert.equal(run.code, 0, run.stderr)
    }
    assert.deepEqual(readFileSync(one), readFileSync(two))
    const metadata = await readHeadMetadata(one, readFileSync(one))
    assert.equal(metadata?.classes.length, 12)
    assert.equal(existsSync(`${one}.checkpoint`), false)
    const mapBy = async (...how: string[]) => {
      const run = await cameo(['eval', 'map', ...sourceOf(), ...how, '--ground-truth', set.test, '--json'])
      assert.equal(run.code, 0, run.stderr)
      return mapSchema.parse(JSON.parse(run.stdout)).map
    }
    const [head, gallery] = [await mapBy('--head', one), await mapBy('--gallery', set.train)]
    assert.ok(head > gallery + 0.05, `${gallery} → ${head}`)
  })

  it('gives the same head after it is killed and resumed; other settings are refused', async () => {
    const [whole, resumed] = [join(dir, 'whole.onnx'), join(dir, 'resumed.onnx')]
    const long = ['--epochs', '60']
    assert.equal((await cameo(train(whole, ...long))).code, 0)
    const running = startCameo(train(resumed, ...long, '--json'))
    await running.until(() => jsonLines(running.stdoutNow().replace(/[^\n]*$/, '')).length >= 5)
    running.kill('SIGKILL')
    await running.finished
    assert.equal(existsSync(resumed), false, 'no half-written head')
    assertRefused(await cameo(train(resumed, ...long, '--json')), 'USAGE', '--resume')
    const other = await cameo(train(resumed, '--epochs', '61', '--resume', '--json'))
    assertRefused(other, 'CHECKPOINT_INVALID', 'other settings')
    const run = await cameo(train(resumed, ...long, '--resume'))
    assert.equal(run.code, 0, run.stderr)
    assert.match(run.stderr, /continuing after epoch \d/)
    assert.deepEqual(readFileSync(resumed), readFileSync(whole))
    const none = await cameo(train(join(dir, 'none.onnx'), '--resume', '--json'))
    assertRefused(none, 'CHECKPOINT_INVALID', 'no checkpoint')
  })

  it('counts and lists unknown clips; an identity that is not in the gallery scores 0 and is named', async () => {
    const gt = join(dir, 'odd.txt')
    writeFileSync(gt, `${readFileSync(set.test, 'utf8').replaceAll('\n', '\r\n')}99 CLIP_TEST_99999.mp4\r\n`)
    const run = await cameo([
      'eval',
      'map',
      ...sourceOf(),
      '--gallery',
      set.train,
      '--ground-truth',
      gt,
      '--json',
    ])
    assert.equal(run.code, 0, run.stderr)
    assert.match(run.stderr, /1 clip of the ground truth is not there \(CLIP_TEST_99999\.mp4\)/)
    assert.match(run.stderr, /1 identity of the ground truth is not in the gallery \(99\)/)
    assert.equal(mapSchema.parse(JSON.parse(run.stdout)).identities, 13)
  })

  it('refuses data that it cannot train on, and leaves no file', async () => {
    const out = join(dir, 'never.onnx')
    const empty = join(dir, 'empty.txt')
    writeFileSync(empty, '')
    const strange = join(dir, 'strange.txt')
    writeFileSync(strange, 'a.mp4 1\nb.mp4 2\n')
    const refused = async (groundTruth: string, code: string, named: string) =>
      assertRefused(
        await cameo(['head', 'train', ...sourceOf(), '--ground-truth', groundTruth, '--out', out, '--json']),
        code,
        named,
      )
    await refused(empty, 'GROUND_TRUTH_INVALID', 'empty')
    await refused(strange, 'GROUND_TRUTH_INVALID', 'none of the 2 clips')
    assertRefused(await cameo(train(out, '--loss', 'arcface:9', '--json')), 'USAGE', 'arcface:9')
    assert.equal(existsSync(out), false)
  })
})
