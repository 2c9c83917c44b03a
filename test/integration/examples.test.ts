import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdirSync, realpathSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { before, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { findPack } from '../../pipeline/models/packs/catalog.js'
import { defaultModelsDir, packDir } from '../../pipeline/models/packs/models-dir.js'
import { temporaryDir } from '../support/cameo.js'
import { makeFaceClip, makeFacePhoto } from '../support/faces.js'

const dir = realpathSync(temporaryDir())
const clips = join(dir, 'clips')
const archive = join(dir, 'archive')
const photo = join(dir, 'query.jpg')

/** Runs an example in the test's folder. Returns its output lines. */
async function run(name: string, ...args: readonly string[]): Promise<string[]> {
  const program = fileURLToPath(new URL(`../../scripts/examples/${name}.js`, import.meta.url))
  const { stdout } = await promisify(execFile)(process.execPath, [program, ...args], { cwd: dir })
  return stdout.trimEnd().split('\n')
}

describe('the examples of the library', () => {
  before(async () => {
    mkdirSync(clips)
    await makeFaceClip(join(clips, 'costumes_1.mp4'), 'costumes right')
    await makeFaceClip(join(clips, 'costumes_2.mp4'), 'costumes right', { variant: 2 })
    await makeFaceClip(join(clips, 'stairs_1.mp4'), 'stairs front')
    await makeFaceClip(join(clips, 'stairs_2.mp4'), 'stairs front', { variant: 2 })
    await makeFacePhoto(photo, 'bar middle')
  })

  it('ingest-and-search finds the person of a photo', async () => {
    const [summary, ...found] = await run('ingest-and-search', clips, photo, archive)
    assert.match(summary ?? '', /^2 clips reach the threshold 0\.\d\d$/)
    assert.deepEqual(found.map((line) => /costumes_\d/.exec(line)?.[0]).sort(), ['costumes_1', 'costumes_2'])
    assert.match(found[0] ?? '', /^0\.\d\d \/.*\.mp4: 0\.0–1\.\d s$/)
  })

  it('ingest-and-search prints the code of an error', async () => {
    await assert.rejects(run('ingest-and-search', clips, join(dir, 'none.jpg'), archive), {
      code: 1,
      stderr: /^IMAGE_UNREADABLE: /m,
    })
  })

  it('follow-progress prints the progress of each clip', async () => {
    const lines = await run('follow-progress', clips, join(dir, 'followed'))
    assert.match(lines.at(-1) ?? '', /^done: \{"done":4\}$/)
    for (const name of ['costumes_1', 'costumes_2', 'stairs_1', 'stairs_2']) {
      assert.ok(
        lines.some((line) => new RegExp(`^${name}\\.mp4: at \\d\\.\\d s, \\d+ %$`).test(line)),
        name,
      )
      assert.ok(lines.includes(`${name}.mp4: done, 1 tracks`), name)
    }
  })

  it('custom-pack ingests with its own models', async () => {
    const models = packDir(findPack('lite'), defaultModelsDir())
    const lines = await run('custom-pack', models, clips, join(dir, 'own'))
    assert.deepEqual(lines, [`4 clips ingested with ${join(dir, 'my-models.json')}`])
  })

  it('evaluate gives MAP of labelled clips', async () => {
    const gallery = join(dir, 'gallery.txt')
    const truth = join(dir, 'truth.txt')
    writeFileSync(gallery, 'costumes_1.mp4 1\nstairs_1.mp4 2\n')
    writeFileSync(truth, 'costumes_2.mp4 1\nstairs_2.mp4 2\n')
    assert.deepEqual(await run('evaluate', archive, gallery, truth), [
      'MAP@100 1.000 [1.000, 1.000] over 2 clips',
      '1: AP 1.000, 1 of 1 found, first costumes_2.mp4',
      '2: AP 1.000, 1 of 1 found, first stairs_2.mp4',
    ])
  })
})
