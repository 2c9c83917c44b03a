import assert from 'node:assert/strict'
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { allowedPaths } from '../../../../../workers/http/jobs/ingest-paths.js'
import { temporaryDir } from '../../../../support/cameo.js'

const dir = temporaryDir()
const at = (...names: string[]) => join(dir, ...names)
for (const folder of ['films', 'films/a', 'films-more', 'secret']) mkdirSync(at(folder))
writeFileSync(at('films', 'a', 'x.mp4'), 'x')
symlinkSync(at('secret'), at('films', 'link'))
symlinkSync(at('films'), at('other-name'))

const scope = { roots: [at('films')], folders: 'all' as const }

describe('paths that may be ingested', () => {
  it('are allowed folders and what is below them', async () => {
    const paths = [at('films'), at('films', 'a', 'x.mp4'), at('films', 'a', '..', 'a')]
    assert.deepEqual(await allowedPaths(paths, scope), [
      at('films'),
      at('films', 'a', 'x.mp4'),
      at('films', 'a'),
    ])
  })

  it('may have an allowed folder that is a link', async () => {
    const roots = [at('other-name')]
    assert.deepEqual(await allowedPaths([at('other-name', 'a')], { roots, folders: 'all' }), [
      at('other-name', 'a'),
    ])
  })

  for (const [why, path] of [
    ['a folder with a similar name', at('films-more')],
    ['a way out of the folder', at('films', '..', 'secret')],
    ['a link out of the folder', at('films', 'link')],
    ['a relative path', 'films'],
    ['an address', 'http://localhost/films/a.mp4'],
    ['a file that is not there, elsewhere', at('secret', 'none')],
    ['the folder above', dir],
  ] as const)
    it(`are not ${why}`, async () => {
      await assert.rejects(allowedPaths([path], scope), { code: 'CLIP_NOT_ALLOWED' })
    })

  it('must be there', async () => {
    await assert.rejects(allowedPaths([at('films', 'none')], scope), { code: 'CLIP_GONE' })
  })

  it('are below the folders that the asker sees', async () => {
    const own = { ...scope, folders: [at('films', 'a')] }
    assert.deepEqual(await allowedPaths([at('films', 'a')], own), [at('films', 'a')])
    await assert.rejects(allowedPaths([at('films')], own), { code: 'CLIP_NOT_ALLOWED' })
  })
})
