import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { before, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { z } from 'zod'
import { cameo, temporaryDir } from '../support/cameo.js'
import { testDataDir } from '../support/data.js'
import { writeJson } from '../support/encoders.js'

/**
 * The development people's own iQIYI-shaped set, small: an archive of two embedders with mirror images and context, an ensemble
 * out of both.
 */
const data = testDataDir()
const dir = temporaryDir()
const set = join(dir, 'set')
const archive = join(dir, 'archive')
const makeClips = fileURLToPath(new URL('../../../scripts/make-clips.mjs', import.meta.url))
/** How sums are shared among threads changes what is trained. */
const oneThread = ['--threads', '1']
const truthOf = (half: string) => join(set, `${half}_gt.txt`)

const stepSchema = z.object({
  name: z.string(),
  map: z.number(),
  taken: z.boolean(),
  exactMap: z.number().nullable(),
})
const measuredSchema = z.object({ map: z.number() })
const ladderSchema = z.object({ steps: z.array(stepSchema) })

async function run(...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await cameo(args)
  assert.equal(code, 0, stderr)
  return stdout
}

before(async () => {
  await promisify(execFile)(process.execPath, [
    ...[makeClips, '--images', join(data, 'data/people'), '--out', set, '--hardness', '1.4'],
    ...['--limit-people', '16', '--max-images', '12', '--train-copies', '2', '--strangers', '24'],
  ])
  const embedder = writeJson(join(dir, 'mobilefacenet.json'), {
    ...{ kind: 'embedder', name: 'mobilefacenet', file: join(data, 'models/mobilefacenet.onnx') },
    input: { widthPx: 112, heightPx: 112, channelOrder: 'rgb', mean: 127.5, scale: 127.5 },
    dimension: 128,
  })
  const context = writeJson(join(dir, 'squeezenet.json'), {
    ...{ kind: 'context', name: 'squeezenet', file: join(data, 'models/squeezenet_fp16.onnx') },
    ...{ output: 'fire9/concat_2', pool: 'average', dimension: 512 },
    input: { widthPx: 224, heightPx: 224, channelOrder: 'bgr', mean: 0, scale: 1, resize: 'stretch' },
  })
  await run(
    ...['ingest', join(set, 'clips'), '--archive', archive, '--min-face', '24', '--keep-mirrored'],
    ...['--embedder', embedder, '--context', context],
  )
})

describe('an ensemble of lite and mobilefacenet', () => {
  const file = join(dir, 'ensemble.json')

  it('climbs the ladder: nothing that is taken loses, and the whole gains', async () => {
    const halves = ['--gallery', truthOf('train'), '--val', truthOf('val'), '--ground-truth', truthOf('test')]
    const heads = ['--heads', '2', ...oneThread]
    const stdout = await run('eval', 'ladder', '--archive', archive, ...halves, ...heads, '--json')
    const { steps } = ladderSchema.parse(JSON.parse(stdout))
    assert.deepEqual(
      steps.map(({ name }) => name),
      [
        ...['clip centre', 'quality pooling', 'MLP head', 'noise class'],
        ...['embedders lite + mobilefacenet', 'ensemble of 2 heads', 'context'],
      ],
    )
    for (const { name, map, exactMap } of steps)
      if (exactMap !== null)
        assert.ok(Math.abs(map - exactMap) <= 0.001, `${name}: ${map}, exact ${exactMap}`)
    const [first, last] = [steps[0]?.map ?? 1, steps.at(-1)?.map ?? 0]
    assert.ok(last > first, `${first} → ${last}`)
  })

  it('declared, trained and scored: not below the gallery alone by more than so few people leave to chance', async () => {
    writeJson(file, {
      heads: [
        { file: 'lite.onnx', fold: '1/4' },
        { file: 'both.onnx', embedders: ['lite', 'mobilefacenet'], fold: '2/4' },
        { file: 'other.onnx', embedders: ['mobilefacenet'], settings: { loss: 'cosface' }, weight: 0.5 },
      ],
    })
    const labels = ['--ground-truth', truthOf('train'), '--val', truthOf('val')]
    const settings = ['--epochs', '20', ...oneThread]
    await run('head', 'train', '--archive', archive, ...labels, '--ensemble', file, ...settings)
    const report = async (name: string, ...by: readonly string[]) => {
      const folder = join(dir, name)
      const of = ['--archive', archive, '--ground-truth', truthOf('test'), '--report', folder]
      await run('eval', 'map', ...of, ...by)
      return folder
    }
    const gallery = await report('by-gallery', '--gallery', truthOf('train'))
    const ensemble = await report('by-ensemble', '--ensemble', file)
    const { a, b, verdict } = z
      .object({ a: measuredSchema, b: measuredSchema, verdict: z.string() })
      .parse(JSON.parse(await run('eval', 'compare', gallery, ensemble, '--json')))
    const both = `${a.map} by the gallery, ${b.map} by the ensemble`
    assert.notEqual(verdict, 'loses', both)
    // Without training, at random, 16 people would have some .06.
    assert.ok(b.map > 0.5, both)
  })
})
