import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { before, describe, it } from 'node:test'
import { z } from 'zod'
import { openArchive } from '../../index/archive/open-archive.js'
import { readArchiveFeatures } from '../../index/evaluate/datasets/archive-features.js'
import type { FeatureColumn } from '../../index/evaluate/data/feature-set.js'
import { decodeFloat16 } from '../../pipeline/data/float16.js'
import { assertRefused } from '../support/answers.js'
import { cameo, temporaryDir } from '../support/cameo.js'
import { writeJson, writeTwinEmbedder } from '../support/encoders.js'
import type { FaceName } from '../../scripts/demo/demo-photos.js'
import { makeFaceClip, makeFacePhoto } from '../support/faces.js'
import { readHeadMetadata } from '../../pipeline/describe/head/head-metadata.js'

const dir = temporaryDir()
const folder = join(dir, 'clips')
const archive = join(dir, 'archive')
const people = ['costumes left', 'sofa left', 'party first'] as const satisfies readonly FaceName[]
const strangers = [
  'bar left',
  'stairs left',
  'window first',
  'window third',
] as const satisfies readonly FaceName[]
const clipsOf = { TRAIN: 3, VAL: 2, TEST: 2 } as const
type Half = keyof typeof clipsOf

const truthOf = (half: Half) => join(dir, `${half}.txt`)
const small = ['--width', '32', '--epochs', '4', '--batch', '16', '--threads', '1']

async function makeClips(): Promise<void> {
  mkdirSync(folder)
  const numbers = { TRAIN: 0, VAL: 0, TEST: 0 }
  const make = async (half: Half, face: FaceName, variant: number) => {
    const name = `CLIP_${half}_${String(++numbers[half]).padStart(3, '0')}.mp4`
    await makeFaceClip(join(folder, name), face, { seconds: 1, variant })
    return name
  }
  for (const half of ['TRAIN', 'VAL', 'TEST'] as const) {
    const lines: string[] = []
    for (const [at, face] of people.entries())
      for (let k = 0; k < clipsOf[half]; k++) lines.push(`${await make(half, face, numbers[half])} ${at + 1}`)
    writeFileSync(truthOf(half), `${lines.join('\n')}\n`)
  }
  for (const [at, face] of strangers.entries()) await make(at < 2 ? 'VAL' : 'TEST', face, at)
}

async function run(...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await cameo(args)
  assert.equal(code, 0, stderr)
  return stdout
}

const train = (...args: readonly string[]) => [
  ...['head', 'train', '--archive', archive, '--ground-truth', truthOf('TRAIN'), '--val', truthOf('VAL')],
  ...[...small, ...args],
]

function columnsOf(dir: string): { readonly columns: readonly FeatureColumn[]; readonly faces: number } {
  const opened = openArchive(dir)
  try {
    const { columns, qualities } = readArchiveFeatures(opened, { furtherEmbedders: true, mirrored: true })
    return { columns, faces: qualities.length }
  } finally {
    opened.close()
  }
}

before(async () => {
  await makeClips()
  const twin = writeTwinEmbedder(dir)
  await run('ingest', folder, '--archive', archive, '--embedder', twin, '--keep-mirrored')
})

describe('ingest --keep-mirrored', () => {
  it("keeps what every embedder makes of the mirror images: with the face's own the mean that --mirror stores", async () => {
    const mean = join(dir, 'mean')
    await run('ingest', folder, '--archive', mean, '--mirror')
    const [{ columns, faces }, expected] = [columnsOf(archive), columnsOf(mean)]
    // A mean is shorter than what it is of: fewer faces pass as such.
    assert.ok(expected.faces >= 20 && expected.faces <= faces, `${expected.faces} of ${faces}`)
    assert.deepEqual(
      columns.map(({ name }) => name),
      ['lite', 'twin'],
    )
    const means = decodeFloat16(expected.columns[0]?.embeddings ?? new Uint16Array(0))
    for (const { dimension, embeddings, mirrored = new Uint16Array(0) } of columns) {
      assert.equal(mirrored.length, embeddings.length)
      const [own, turned] = [decodeFloat16(embeddings), decodeFloat16(mirrored)]
      assert.ok(own.some((value, i) => Math.abs(value - (turned[i] ?? NaN)) > 0.1))
      for (let mean = 0; mean < expected.faces; mean++) {
        const isMeanOf = (face: number) =>
          Array.from({ length: dimension }).every((_, i) => {
            const at = face * dimension + i
            const half = ((own[at] ?? NaN) + (turned[at] ?? NaN)) / 2
            return Math.abs((means[mean * dimension + i] ?? NaN) - half) < 0.005
          })
        assert.ok([...Array(faces).keys()].some(isMeanOf), `mean ${mean}`)
      }
    }
  })

  it('does not go with --mirror', async () => {
    const both = ['--archive', join(dir, 'both'), '--mirror', '--keep-mirrored']
    assertRefused(await cameo(['ingest', folder, ...both, '--json']), 'USAGE', '--keep-mirrored')
  })
})

describe('eval map by enrolled names', () => {
  const byNames = ['eval', 'map', '--archive', archive, '--ground-truth', truthOf('TEST'), '--json']

  it('without an enrolled name reports the alternatives', async () => {
    assertRefused(await cameo(byNames), 'USAGE', '--gallery', '--head', 'cameo enroll')
  })

  it('asks for each name with its faces', async () => {
    // Identities of the ground truth are the names.
    for (const [at, face] of people.slice(0, 2).entries()) {
      const photo = await makeFacePhoto(join(dir, `${at}.png`), face)
      await run('enroll', String(at + 1), photo, '--archive', archive)
    }
    const { code, stdout, stderr } = await cameo(byNames)
    assert.equal(code, 0, stderr)
    const { map, identities } = z.object({ map: z.number(), identities: z.int() }).parse(JSON.parse(stdout))
    // The third is not enrolled: it scores 0 and counts.
    assert.equal(identities, 3)
    assert.ok(Math.abs(map - 2 / 3) < 1e-9, `${map}`)
    assert.match(stderr, /1 identity .* is not in the gallery \(3\)/)
  })
})

describe('an ensemble', () => {
  const [one, two] = [join(dir, 'one.onnx'), join(dir, 'two.onnx')]
  const file = join(dir, 'ensemble.json')
  before(() => {
    writeJson(file, {
      heads: [
        { file: 'one.onnx' },
        { file: 'two.onnx', embedders: ['lite', 'twin'], fold: '1/3', weight: 2 },
      ],
    })
  })

  it('is trained as declared, and existing heads are not trained again', async () => {
    await run(...train('--ensemble', file))
    const metadata = await Promise.all([one, two].map((head) => readHeadMetadata(head, readFileSync(head))))
    assert.deepEqual(
      metadata.map((head) => [head?.embedders.map(({ name }) => name), head?.seed, head?.figures['clips']]),
      [
        [['lite'], 1, 9],
        [['lite', 'twin'], 2, 6],
      ],
    )
    const writtenMs = statSync(one).mtimeMs
    const again = await cameo(train('--ensemble', file, '--resume'))
    assert.equal(again.code, 0, again.stderr)
    assert.equal(again.stderr.match(/already written/g)?.length, 2)
    assert.equal(statSync(one).mtimeMs, writtenMs)
  })

  it('equals a single head with several embedders and a fold', async () => {
    const out = join(dir, 'single.onnx')
    await run(...train('--out', out, '--embedders', 'lite,twin', '--fold', '1/3', '--seed', '2'))
    assert.deepEqual(readFileSync(out), readFileSync(two))
  })

  it('scores clips', async () => {
    const map = async (...by: readonly string[]) => {
      const args = ['--archive', archive, '--ground-truth', truthOf('TEST'), '--json']
      return z.object({ map: z.number() }).parse(JSON.parse(await run('eval', 'map', ...args, ...by))).map
    }
    assert.equal(await map('--ensemble', file), 1)
    assert.equal(await map('--head', one, two), 1)
  })

  it('is a step of the ladder, where several embedders are another', async () => {
    const ladder = async (...args: readonly string[]) => {
      const halves = [
        '--gallery',
        truthOf('TRAIN'),
        '--val',
        truthOf('VAL'),
        '--ground-truth',
        truthOf('TEST'),
      ]
      const stdout = await run('eval', 'ladder', '--archive', archive, ...halves, ...small, '--json', ...args)
      const { steps } = z.object({ steps: z.array(z.object({ name: z.string() })) }).parse(JSON.parse(stdout))
      return steps.map(({ name }) => name)
    }
    const first = ['clip centre', 'quality pooling', 'MLP head', 'noise class']
    const report = join(dir, 'report')
    assert.deepEqual(await ladder('--heads', '2'), [...first, 'embedders lite + twin', 'ensemble of 2 heads'])
    assert.deepEqual(await ladder('--ensemble', file, '--report', report), [...first, 'ensemble of 2 heads'])
    assert.ok(existsSync(join(report, 'report.html')))
  })

  it('of an embedder that the archive does not have is refused, and nothing is written', async () => {
    const out = join(dir, 'none.onnx')
    const refused = await cameo(train('--out', out, '--embedders', 'lite,third', '--json'))
    assertRefused(refused, 'EMBEDDER_UNKNOWN', 'third', 'lite, twin')
    assert.ok(!existsSync(out) && !existsSync(`${out}.checkpoint`))
  })
})
