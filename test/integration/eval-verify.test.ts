import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { before, describe, it } from 'node:test'
import sharp from 'sharp'
import { z } from 'zod'
import { findPack } from '../../pipeline/models/packs/catalog.js'
import { defaultModelsDir } from '../../pipeline/models/packs/models-dir.js'
import { readPhoto } from '../../pipeline/photos/process-photo.js'
import { defaultSettings } from '../../pipeline/recipe/recipe.js'
import { loadStages } from '../../pipeline/stages/load-pipeline.js'
import type { FaceName } from '../../scripts/demo/demo-photos.js'
import { assertRefused } from '../support/answers.js'
import { cameo, temporaryDir } from '../support/cameo.js'
import { makeFaceClip, makeFacePhoto } from '../support/faces.js'
import { writePickledValue } from '../support/pickle.js'

const dir = temporaryDir()
const aligned = join(dir, 'aligned')
const videos = join(dir, 'videos')

/** Strangers to each other. */
const faces = ['costumes left', 'sofa left', 'bar left', 'party first', 'stairs left', 'window first'] as const satisfies readonly FaceName[] // prettier-ignore
const personOf = (at: number) => `Person_${at % faces.length}`

const resultSchema = z.object({
  pairs: z.int(),
  accuracy: z.object({ mean: z.number(), std: z.number() }),
  pairsWithoutFace: z.int(),
  unusable: z.array(z.object({ source: z.string(), code: z.string() })),
})

async function verify(code: number, ...args: readonly string[]) {
  const run = await cameo(['eval', 'verify', '--json', ...args])
  assert.equal(run.code, code, run.stderr)
  return resultSchema.parse(JSON.parse(run.stdout))
}

/** Ten folds of a mated and a non-mated pair, of two views of each face. */
const pairs = Array.from({ length: 10 }, (_, fold) => fold)

/** Of each face: the aligned face as it is, and darker and blurred. */
const views: [plain: Buffer, changed: Buffer][] = []

before(async () => {
  const stages = await loadStages({
    ...{ pack: findPack('lite'), modelsDir: defaultModelsDir() },
    ...{ settings: defaultSettings, device: { kind: 'cpu' } },
  })
  for (const [at, face] of faces.entries()) {
    const photo = await makeFacePhoto(join(dir, `${at}.png`), face)
    const [found] = (await readPhoto(photo, stages)).faces
    assert.ok(found)
    const { width, height, data } = found.sample.alignedCrop
    const crop = sharp(data, { raw: { width, height, channels: 3 } })
    const plain = await crop.clone().png().toBuffer()
    const changed = await crop.clone().linear(0.7, 0).blur(0.8).png().toBuffer()
    views.push([plain, changed])
    mkdirSync(join(aligned, personOf(at)), { recursive: true })
    // LFW's names end in .jpg, whatever is in them.
    for (const [k, view] of [plain, changed].entries())
      writeFileSync(join(aligned, personOf(at), `${personOf(at)}_000${k + 1}.jpg`), view)
    // A video as a folder of pictures, the first without a face, and as a clip.
    const pictures = join(videos, personOf(at), 'pictures')
    mkdirSync(pictures, { recursive: true })
    await sharp({ create: { width: 64, height: 64, channels: 3, background: 'grey' } }).toFile(
      join(pictures, '0.png'),
    )
    for (const k of [1, 2])
      await sharp(photo)
        .modulate({ brightness: 1 - 0.2 * k })
        .toFile(join(pictures, `${k}.png`))
    await makeFaceClip(join(videos, personOf(at), 'clip.mp4'), face, { seconds: 1, variant: at })
  }
  await stages.dispose()
})

describe('eval verify', () => {
  it("reads InsightFace's .bin: aligned faces, two per pair", async () => {
    const bin = join(dir, 'pairs.bin')
    const images = pairs.flatMap((at) => {
      const [own, next] = [views[at % views.length], views[(at + 1) % views.length]]
      assert.ok(own && next)
      return [own[0], own[1], own[0], next[1]]
    })
    writeFileSync(bin, writePickledValue(3, { tuple: [images, pairs.flatMap(() => [true, false])] }))
    const { accuracy, unusable, ...result } = await verify(0, '--bin', bin)
    assert.deepEqual([result.pairs, accuracy.mean, unusable.length], [20, 1, 0])
  })

  it('reads aligned photos without detection', async () => {
    const list = join(dir, 'pairs.txt')
    const lines = pairs.map((at) => `${personOf(at)}\t1\t2\n${personOf(at)}\t1\t${personOf(at + 1)}\t2`)
    writeFileSync(list, `10\t1\n${lines.join('\n')}\n`)
    const result = await verify(0, '--pairs', list, '--images', aligned, '--aligned')
    assert.deepEqual([result.pairs, result.accuracy.mean], [20, 1])
  })

  it('reads videos, as folders of images and as clips; a missing one is reported, and its pair is wrong', async () => {
    const list = join(dir, 'splits.txt')
    const lines = pairs.flatMap((at) => [
      `${at + 1}, ${personOf(at)}/pictures, ${personOf(at)}/clip, 1`,
      `${at + 1}, ${personOf(at)}/pictures, ${personOf(at + 1)}/clip, 0`,
    ])
    const heading = 'split number, first name, second name, is same'
    writeFileSync(list, [heading, ...lines].join('\n'))
    const whole = await verify(0, '--pairs', list, '--videos', videos)
    assert.deepEqual([whole.pairs, whole.accuracy.mean], [20, 1])

    // Two of the splits are enough: two pairs each, and one of the four has no video.
    const missingOne = [...lines.slice(16, 19), `10, ${personOf(9)}/pictures, Nobody/clip, 0`]
    writeFileSync(list, [heading, ...missingOne].join('\n'))
    const missing = await verify(1, '--pairs', list, '--videos', videos)
    assert.equal(missing.pairsWithoutFace, 1)
    assert.deepEqual([missing.pairs, missing.accuracy.mean], [4, 0.75])
    assert.deepEqual(
      missing.unusable.map(({ code }) => code),
      ['CLIP_GONE'],
    )
  })

  it('reports missing options', async () => {
    assertRefused(await cameo(['eval', 'verify', '--json']), 'USAGE', '--bin FILE', '--pairs FILE')
  })
})
