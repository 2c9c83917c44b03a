import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { FilledArchive } from '../../../../index/archive/open-archive.js'
import { findPack } from '../../../../pipeline/models/packs/catalog.js'
import { KeptModels } from '../../../../workers/library/kept-models.js'
import { temporaryDir } from '../../../support/cameo.js'
import { storeClips } from '../../../support/stored-clips.js'

const archive = storeClips(temporaryDir(), 1)
const { recipe } = archive
assert.ok(recipe !== undefined)
const opened: FilledArchive = { archive, recipe }
const afterHead: FilledArchive = { archive, recipe: { ...recipe, digest: 'of another recipe' } }

const caller = {
  notify: () => undefined,
  progress: () => undefined,
  ensurePack: (name: string) => Promise.resolve(findPack(name)),
  modelsDir: 'none',
}

describe('kept models', () => {
  it('are the same for each call, and are released when they are closed', async (t) => {
    const kept = new KeptModels({ kind: 'cpu' }, caller)
    const first = await kept.use(opened, (models) => Promise.resolve(models))
    assert.equal(await kept.use(opened, (models) => Promise.resolve(models)), first)
    const dispose = t.mock.method(first, 'dispose')
    await kept.close()
    assert.equal(dispose.mock.callCount(), 1)
  })

  it('of a former recipe are released when the last call that uses them is done', async (t) => {
    const kept = new KeptModels({ kind: 'cpu' }, caller)
    let end: (() => void) | undefined
    const ended = new Promise<void>((resolve) => (end = resolve))
    const first = await kept.use(opened, (models) => Promise.resolve(models))
    const dispose = t.mock.method(first, 'dispose')
    const running = kept.use(opened, () => ended)
    const next = await kept.use(afterHead, (models) => Promise.resolve(models))
    assert.notEqual(next, first)
    assert.equal(dispose.mock.callCount(), 0)
    end?.()
    await running
    assert.equal(dispose.mock.callCount(), 1)
  })
})
