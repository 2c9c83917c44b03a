import assert from 'node:assert/strict'
import { mkdirSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { describe, it } from 'node:test'
import { checkWithin, findClips, type FindLimits } from '../../../../workers/ingest/find-clips.js'
import { temporaryDir } from '../../../support/cameo.js'

const dir = realpathSync(temporaryDir())
const at = (...names: string[]) => join(dir, ...names)
for (const folder of ['films', 'films/inner', 'closed']) mkdirSync(at(folder))
for (const file of ['films/a.mp4', 'films/inner/b.mp4', 'closed/c.mp4']) writeFileSync(at(file), 'x')
symlinkSync(at('closed'), at('films', 'folder-link'))
symlinkSync(at('closed', 'c.mp4'), at('films', 'link.mp4'))
symlinkSync(at('films', 'inner'), at('films', 'same'))

async function found(paths: readonly string[], limits?: FindLimits) {
  const files: string[] = []
  for await (const file of findClips(paths, limits))
    files.push(`${relative(dir, file.path)} ${file.kind === 'failed' ? file.error.code : file.kind}`)
  return files
}

describe('the search for clips', () => {
  it('follows links, and visits each folder once', async () => {
    assert.deepEqual(await found([at('films')]), [
      'films/a.mp4 clip',
      'films/folder-link/c.mp4 clip',
      'films/inner/b.mp4 clip',
      'films/link.mp4 clip',
    ])
  })

  it('does not follow links out of given folders, and says so', async () => {
    assert.deepEqual(await found([at('films')], { within: [at('films')] }), [
      'films/a.mp4 clip',
      'films/folder-link CLIP_NOT_ALLOWED',
      'films/inner/b.mp4 clip',
      'films/link.mp4 CLIP_NOT_ALLOWED',
    ])
    symlinkSync(at('closed'), at('films', 'second-link'))
    assert.deepEqual(
      (await found([at('films')], { within: [at('films')] })).filter((line) => line.includes('-link')),
      ['films/folder-link CLIP_NOT_ALLOWED', 'films/second-link CLIP_NOT_ALLOWED'],
    )
    assert.deepEqual(await found([at('films', 'link.mp4')], { within: [at('films')] }), [
      'films/link.mp4 CLIP_NOT_ALLOWED',
    ])
  })

  it('takes a link whose target cannot be found out as one that leads away', async () => {
    await checkWithin(at('films', 'a.mp4'), [at('films')])
    await checkWithin(at('films', 'none.mp4'), undefined)
    await assert.rejects(checkWithin(at('films', 'none.mp4'), [at('films')]), { code: 'CLIP_NOT_ALLOWED' })
  })
})
