import assert from 'node:assert/strict'
import { cpSync, mkdirSync, realpathSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { before, describe, it } from 'node:test'
import { z } from 'zod'
import { findPack } from '../../pipeline/models/packs/catalog.js'
import { defaultModelsDir, packDir } from '../../pipeline/models/packs/models-dir.js'
import { createRecipe, defaultSettings } from '../../pipeline/recipe/recipe.js'
import { writeUntrainedHead } from '../../scripts/bench/bench-head.js'
import { cameo, temporaryDir } from '../support/cameo.js'
import { writeJson, writeTinyContext } from '../support/encoders.js'
import { makeFaceClip } from '../support/faces.js'
import { permissionsCount } from '../support/restricted.js'

const dir = realpathSync(temporaryDir())
const archive = join(dir, 'archive')
const head = join(dir, 'head.onnx')
const pack = join(dir, 'mine.json')
const context = join(dir, 'tiny.json')
const environment = { CAMEO_MODELS: join(dir, 'models') }
const lite = findPack('lite')
const liteDir = packDir(lite, defaultModelsDir())
const mine = { ...lite, name: 'mine', source: { kind: 'folder', folder: liteDir } }

const reportSchema = z.strictObject({
  ok: z.boolean(),
  checks: z.array(z.strictObject({ name: z.string(), ok: z.boolean(), detail: z.string() })),
})

/** What it says of one thing. */
async function doctor(of: string, name: 'models' | 'archive', launcher: readonly string[] = []) {
  const run = await cameo(['doctor', '--archive', of, '--json'], environment, launcher)
  const report = reportSchema.parse(JSON.parse(run.stdout))
  assert.equal(run.code, report.ok ? 0 : 2, run.stderr)
  const check = report.checks.find((it) => it.name === name)
  assert.ok(check !== undefined)
  return check
}

before(async () => {
  for (const name of ['lite', 'mine'])
    cpSync(liteDir, join(environment.CAMEO_MODELS, name), { recursive: true })
  writeJson(pack, mine)
  writeTinyContext(dir)
  const { embedderDigest: digest } = createRecipe(lite, defaultSettings)
  const embedders = [{ digest, name: 'mine', dimension: lite.embedder.dimension }]
  writeUntrainedHead(head, { embedders, classes: 2, width: 8, change: 1 })
  const clip = await makeFaceClip(join(dir, 'clip.mp4'), 'costumes right')
  const recipe = ['--pack', pack, '--head', head, '--context', context]
  const run = await cameo(['ingest', clip, '--archive', archive, ...recipe], environment)
  assert.equal(run.code, 0, run.stderr)
})

describe('doctor: the models', () => {
  it('are those of the archive, with its head and encoders', async () => {
    const { ok, detail } = await doctor(archive, 'models')
    assert.equal(ok, true, detail)
    assert.match(detail, /^mine, head .*head\.onnx, tiny in /)
  })

  it('are the default ones if there is no archive', async () => {
    const { ok, detail } = await doctor(join(dir, 'none'), 'models')
    assert.equal(ok, true, detail)
    assert.match(detail, /^lite in /)
  })

  for (const [what, path, said] of [
    ['pack', join(environment.CAMEO_MODELS, 'mine'), /cameo models pull .*mine\.json/],
    ['description of a pack', pack, /mine\.json/],
    ['head', head, /head\.onnx/],
    ['encoder', join(dir, 'tiny.onnx'), /tiny\.onnx/],
  ] as const)
    it(`a ${what} that is missing is reported`, async () => {
      renameSync(path, `${path}.gone`)
      const { ok, detail } = await doctor(archive, 'models')
      renameSync(`${path}.gone`, path)
      assert.equal(ok, false)
      assert.match(detail, said)
    })

  it('a description that has changed since the ingest is reported', async () => {
    writeJson(pack, { ...mine, detector: { ...mine.detector, minScore: 0.4 } })
    const ofPack = await doctor(archive, 'models')
    writeJson(pack, mine)
    writeTinyContext(dir, { pool: 'none', dimension: 128 })
    const ofContext = await doctor(archive, 'models')
    writeTinyContext(dir)
    for (const { ok, detail } of [ofPack, ofContext]) {
      assert.equal(ok, false)
      assert.match(detail, /another version of the installed models \(mine, .*--reprocess/)
    }
  })
})

describe('doctor: the archive', () => {
  it('of clips is intact', async () => {
    const { ok, detail } = await doctor(archive, 'archive')
    assert.equal(ok, true, detail)
    assert.match(detail, /1 clip, 1 track, its file is intact/)
  })

  it('may be missing if an ingest can create it, with its parent folders', async () => {
    const empty = join(dir, 'empty')
    mkdirSync(empty)
    for (const there of [empty, join(dir, 'none/deep/archive')]) {
      const { ok, detail } = await doctor(there, 'archive')
      assert.equal(ok, true, detail)
      assert.match(detail, /the first ingest creates it/)
    }
  })

  it('is reported if no ingest can create it', async () => {
    const closed = join(dir, 'closed')
    mkdirSync(closed, { mode: 0o555 })
    for (const [there, said] of [
      [join(closed, 'deep/archive'), /cannot be written/],
      [join(dir, 'clip.mp4/archive'), /clip\.mp4 is not a folder/],
    ] as const) {
      const { ok, detail } = await doctor(there, 'archive', permissionsCount())
      assert.equal(ok, false)
      assert.match(detail, said)
    }
  })
})
