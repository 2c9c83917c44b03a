import assert from 'node:assert/strict'
import { join } from 'node:path'
import { it } from 'node:test'
import { z } from 'zod'
import { cameo } from '../support/cameo.js'
import { testDataDir } from '../support/data.js'

const dataDir = join(testDataDir(), 'data')

const resultSchema = z.object({
  pairs: z.number(),
  accuracy: z.object({ mean: z.number(), std: z.number() }),
  tar: z.object({ tar: z.object({ mean: z.number() }), far: z.number() }),
  pairsWithoutFace: z.number(),
  unusable: z.array(z.unknown()),
})

it('cameo eval verify: accuracy on the development pairs is at least 0.985', async () => {
  const { code, stdout, stderr } = await cameo([
    'eval',
    'verify',
    '--json',
    '--pairs',
    join(dataDir, 'pairs.txt'),
    '--images',
    join(dataDir, 'people'), // prettier-ignore
  ])
  assert.ok(code === 0 || code === 1, stderr)
  const result = resultSchema.parse(JSON.parse(stdout))
  console.log(
    `accuracy ${result.accuracy.mean.toFixed(4)} ± ${result.accuracy.std.toFixed(4)}, TAR ${result.tar.tar.mean.toFixed(4)} at FAR ${result.tar.far.toFixed(4)}, ${result.pairsWithoutFace} pairs without a face`,
  )
  assert.equal(result.pairs, 1200)
  assert.equal(code, result.unusable.length > 0 ? 1 : 0)
  assert.ok(result.accuracy.mean >= 0.985, `accuracy is ${result.accuracy.mean}`)
})
