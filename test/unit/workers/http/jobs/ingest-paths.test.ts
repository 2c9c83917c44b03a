import assert from 'node:assert/strict'
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { allowedIngest } from '../../../../../workers/http/jobs/ingest-paths.js'
import { temporaryDir } from '../../../../support/cameo.js'

const dir = temporaryDir()
const at = (...names: string[]) => join(dir, ...names)
for (const folder of ['films', 'films/a', 'films/b', 'films-more', 'secret']) mkdirSync(at(folder))
writeFileSync(at('films', 'a', 'x.mp4'), 'x')
symlinkSync(at('secret'), at('films', 'link'))
symlinkSync(at('films'), at('other-name'))

const pathsOf = async (...args: Parameters<typeof allowedIngest>) => (await allowedIngest(...args)).paths

const scope = { roots: [at('films')], folders: 'all' as const }

describe('paths that may be ingested', () => {
  it('are allowed folders and what is below them', async () => {
    const paths = [at('films'), at('films', 'a', 'x.mp4'), at('films', 'a', '..', 'a')]
    assert.deepEqual(await pathsOf(paths, scope), [at('films'), at('films', 'a', 'x.mp4'), at('films', 'a')])
  })

  it('may have an allowed folder that is a link', async () => {
    const roots = [at('other-name')]
    assert.deepEqual(await pathsOf([at('other-name', 'a')], { roots, folders: 'all' }), [
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
      await assert.rejects(pathsOf([path], scope), { code: 'CLIP_NOT_ALLOWED' })
    })

  it('must be there', async () => {
    await assert.rejects(pathsOf([at('films', 'none')], scope), { code: 'CLIP_GONE' })
  })

  it('are below the folders that the asker sees', async () => {
    const own = { ...scope, folders: [at('films', 'a')] }
    assert.deepEqual(await pathsOf([at('films', 'a')], own), [at('films', 'a')])
    await assert.rejects(pathsOf([at('films')], own), { code: 'CLIP_NOT_ALLOWED' })
  })

  it('are not behind a link out of the folders that the asker sees', async () => {
    const own = { ...scope, folders: [at('films', 'a')] }
    symlinkSync(at('films', 'b'), at('films', 'a', 'link'))
    await assert.rejects(pathsOf([at('films', 'a', 'link')], own), { code: 'CLIP_NOT_ALLOWED' })
    assert.deepEqual((await allowedIngest([at('films', 'a')], own)).within, [at('films', 'a')])
  })

  it('may lie in an allowed folder within one that the asker sees', async () => {
    const own = { roots: [at('films', 'a')], folders: [dir] }
    const { paths, within } = await allowedIngest([at('films', 'a')], own)
    assert.deepEqual([paths, within], [[at('films', 'a')], [at('films', 'a')]])
  })
})
