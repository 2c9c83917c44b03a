import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { findPack } from '../../../../../../pipeline/models/packs/catalog.js'
import { RecipePools } from '../../../../../../workers/kafka/stages/faces/recipe-pools.js'
import type { SegmentThread } from '../../../../../../workers/threads/segment-handle.js'
import { recipeWith } from '../../../../../support/described.js'

const [usual, other] = [recipeWith(), recipeWith('a'.repeat(64))]

const idleThread = (): SegmentThread => ({
  ready: () => Promise.resolve('cpu'),
  hash: () => Promise.resolve(''),
  process: () => Promise.resolve(),
  abort: () => undefined,
  stop: () => Promise.resolve(),
})

/** Pools with this many threads, and a list of what was done with them, in order. */
function start(threads: number) {
  const did: string[] = []
  const broken = new Set<string>()
  const nameOf = (digest: string) => (digest === usual.digest ? 'usual' : 'other')
  const pools = new RecipePools((recipe) => {
    const name = nameOf(recipe.digest)
    if (broken.has(name)) return Promise.reject(new Error(`${name} cannot be loaded`))
    did.push(`load ${name}`)
    const pool = {
      threads: Array.from({ length: threads }, idleThread),
      provider: 'cpu' as const,
      stop: () => Promise.resolve(void did.push(`stop ${name}`)),
    }
    return Promise.resolve({ pool, pack: findPack('lite') })
  })
  return { pools, did, broken }
}

describe('RecipePools', () => {
  it('loads a recipe once, and gives the least busy thread', async () => {
    const { pools, did } = start(2)
    const [first, second] = await Promise.all([pools.borrow(usual), pools.borrow(usual)])
    assert.notEqual(first.thread, second.thread)
    second.release()
    const third = await pools.borrow(usual)
    assert.equal(third.thread, second.thread)
    assert.deepEqual(did, ['load usual'])
  })

  it('another recipe waits until the threads are returned and their pool is stopped', async () => {
    const { pools, did } = start(1)
    const [first, second] = await Promise.all([pools.borrow(usual), pools.borrow(usual)])
    const waiting = pools.borrow(other)
    first.release()
    await new Promise(setImmediate)
    assert.deepEqual(did, ['load usual'])
    second.release()
    await waiting
    assert.deepEqual(did, ['load usual', 'stop usual', 'load other'])
    await pools.stop()
    assert.equal(did.at(-1), 'stop other')
  })

  it('a recipe that cannot be loaded fails its jobs, and is loaded again for the next job', async () => {
    const { pools, did, broken } = start(1)
    broken.add('usual')
    const results = await Promise.allSettled([pools.borrow(usual), pools.borrow(usual)])
    assert.deepEqual(results.map(({ status }) => status), ['rejected', 'rejected']) // prettier-ignore
    broken.clear()
    await pools.borrow(usual)
    assert.deepEqual(did, ['load usual'])
  })
})
