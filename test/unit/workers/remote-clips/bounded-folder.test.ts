import assert from 'node:assert/strict'
import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { BoundedFolder, type HeldCopy } from '../../../../workers/remote-clips/bounded-folder.js'
import { temporaryDir } from '../../../support/cameo.js'

const { signal } = new AbortController()

/** A folder of 100 bytes. */
function smallFolder() {
  const dir = temporaryDir()
  const folder = new BoundedFolder<HeldCopy>(dir, 100)
  /** In use by one user. */
  const add = (fileName: string): HeldCopy => {
    const copy = { fileName, dir: join(dir, fileName), bytes: 0, users: 0 }
    mkdirSync(copy.dir)
    folder.use(copy)
    return copy
  }
  return { folder, add }
}

describe('BoundedFolder', () => {
  it('reuses the room of unused copies, the least recently used first', () => {
    const { folder, add } = smallFolder()
    const [a, b, c] = [add('a'), add('b'), add('c')]
    for (const copy of [a, b]) assert.ok(folder.take(copy, 40))
    assert.equal(folder.take(c, 40), false, 'both are in use')
    folder.release(b)
    folder.release(a)
    // Used again and then released: it is now the most recent.
    folder.use(b)
    folder.release(b)
    assert.ok(folder.take(c, 40))
    assert.deepEqual([a.bytes, b.bytes, c.bytes], [0, 40, 40])
    assert.deepEqual([existsSync(a.dir), existsSync(b.dir)], [false, true])
    assert.equal(
      folder.find(({ fileName }) => fileName === 'a'),
      undefined,
    )
  })

  it('makes a copy wait until another is released', async () => {
    const { folder, add } = smallFolder()
    const [first, second] = [add('first'), add('second')]
    assert.ok(folder.take(first, 80))
    const grown = folder.grow(second, 60, signal).then(() => 'grown')
    assert.equal(await Promise.race([grown, Promise.resolve('waits')]), 'waits')
    folder.release(first)
    assert.equal(await grown, 'grown')
    assert.deepEqual([first.bytes, second.bytes], [0, 60])
  })

  it('permanently refuses a copy that is larger than the folder', async () => {
    const { folder, add } = smallFolder()
    await assert.rejects(folder.grow(add('huge'), 101, signal), { code: 'SCRATCH_FULL', retriable: false })
  })

  it('if two copies hold half each and wait for more, the second fails for now', async () => {
    const { folder, add } = smallFolder()
    const [one, other] = [add('one'), add('other')]
    for (const copy of [one, other]) assert.ok(folder.take(copy, 50))
    const waits = folder.grow(one, 10, signal)
    await assert.rejects(folder.grow(other, 10, signal), { code: 'SCRATCH_FULL', retriable: true })
    folder.drop(other)
    await waits
    assert.deepEqual([one.bytes, other.bytes], [60, 0])
  })

  it('gives nothing to a dropped copy, and ends its wait', async () => {
    const { folder, add } = smallFolder()
    const [held, broken] = [add('held'), add('broken')]
    assert.ok(folder.take(held, 60))
    const waits = folder.grow(broken, 50, signal)
    folder.drop(broken)
    await waits
    assert.equal(broken.bytes, 0)
  })
})
