import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { angleStatistics } from '../../index/evaluate/metrics/angles.js'
import { headFeatures, readClassWeights } from '../../pipeline/training/head-space.js'
import { cameo, temporaryDir } from '../support/cameo.js'
import { randomHead } from '../support/head.js'
import { floatNpy, textNpy } from '../support/npy.js'
import { seededRandom } from '../support/random.js'
import { zipOf } from '../support/zip.js'
import { l2Normalise } from '../../pipeline/data/vector-math.js'

const dir = temporaryDir()
const dimension = 8
const classes = ['7', '9', '12']
const head = randomHead({ dimension, classes, residualShare: 0.5 })
const headFile = join(dir, 'head.onnx')
writeFileSync(headFile, head.onnx)

// Halves, so that half precision changes nothing.
const random = seededRandom(4)
const rows = Array.from({ length: 7 }, () => Array.from({ length: dimension }, () => Math.round(random() * 16 - 8) / 8)) // prettier-ignore
const names = rows.map((_, i) => `clip${i}.mp4`)
const featureFile = join(dir, 'features.npz')
writeFileSync(
  featureFile,
  zipOf({ 'names.npy': textNpy(names), 'features.npy': floatNpy([rows.length, dimension], rows.flat()) }),
)
// Clip 5 is of a stranger to the head, clip 6 of nobody, and clip 99 is not there. Class 12 has no clip.
const groundTruth = join(dir, 'gt.txt')
writeFileSync(groundTruth, '9 clip0.mp4 clip1.mp4\n7 clip2.mp4 clip3.mp4 clip4.mp4 clip99.mp4\n8 clip5.mp4\n')

const angles = (...args: string[]) => cameo(['eval', 'angles', '--device', 'cpu', ...args])

describe('cameo eval angles', () => {
  it('gives the statistics of the classes in the space of their weights', async () => {
    const { code, stdout, stderr } = await angles('--head', headFile, '--ground-truth', groundTruth, '--features', featureFile, '--json') // prettier-ignore
    assert.equal(code, 0, stderr)
    const chosen = [2, 3, 4, 0, 1]
    const pooled = Float32Array.from(chosen.flatMap((row) => [...l2Normalise(Float32Array.from(rows[row]!))]))
    const features = await headFeatures('head', head.onnx, { dimension, vectors: pooled }, { device: { kind: 'cpu' } }) // prettier-ignore
    const expected = angleStatistics({
      dimension,
      features: features.vectors,
      labels: Int32Array.of(0, 0, 0, 1, 1),
      classWeights: readClassWeights('head', head.onnx, head.metadata).vectors,
    })
    const actual = JSON.parse(stdout) as Record<keyof typeof expected, number>
    for (const key of ['wEc', 'wInter', 'intra', 'inter'] as const)
      assert.ok(Math.abs(actual[key] - expected[key]!) < 0.01, `${key} ${actual[key]} ${expected[key]}`)
    assert.deepEqual([actual.classes, actual.classesWithSamples, actual.samples], [3, 2, 5])
    assert.match(stderr, /1 clip of the ground truth not found/)
    assert.match(stderr, /1 identity of the ground truth not among/)
  })

  it('for people', async () => {
    const { code, stdout } = await angles('--head', headFile, '--ground-truth', groundTruth, '--features', featureFile) // prettier-ignore
    assert.equal(code, 0)
    assert.match(
      stdout,
      /^W-EC +\d+\.\d\d° .*\nW-Inter +\d+\.\d\d° .*\nIntra .*\nInter .*\n5 clips of 2 of 3/,
    )
  })

  const narrow = join(dir, 'narrow.npz')
  writeFileSync(
    narrow,
    zipOf({ 'names.npy': textNpy(['clip0.mp4']), 'features.npy': floatNpy([1, 2], [1, 2]) }),
  )
  const strangers = join(dir, 'strangers.txt')
  writeFileSync(strangers, '8 clip5.mp4\n')
  const refusals: readonly [name: string, args: string[], code: string][] = [
    [
      'an archive without a name',
      ['--head', headFile, '--ground-truth', groundTruth, '--archive', ''],
      'USAGE',
    ],
    ['features beside an archive', ['--head', headFile, '--ground-truth', groundTruth, '--archive', dir, '--features', featureFile], 'USAGE'], // prettier-ignore
    ['a file that is no head', ['--head', groundTruth, '--ground-truth', groundTruth, '--features', featureFile], 'HEAD_INVALID'], // prettier-ignore
    ['features of another length', ['--head', headFile, '--ground-truth', groundTruth, '--features', narrow], 'HEAD_OTHER_EMBEDDER'], // prettier-ignore
    ['ground truth of other people', ['--head', headFile, '--ground-truth', strangers, '--features', featureFile], 'EVALUATION_INVALID'], // prettier-ignore
  ]
  it('reads the archive that CAMEO_ARCHIVE names', async () => {
    const none = join(dir, 'no-archive')
    const args = ['eval', 'angles', '--head', headFile, '--ground-truth', groundTruth, '--json']
    const { code, stdout } = await cameo(args, { CAMEO_ARCHIVE: none })
    assert.equal(code, 2)
    const refusal = JSON.parse(stdout) as { code: string; message: string }
    assert.equal(refusal.code, 'ARCHIVE_MISSING')
    assert.ok(refusal.message.includes(none), refusal.message)
  })

  for (const [name, args, expected] of refusals)
    it(`refuses ${name}`, async () => {
      const { code, stdout } = await angles(...args, '--json')
      assert.equal(code, 2)
      assert.equal((JSON.parse(stdout) as { code: string }).code, expected)
    })
})
