import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { UploadShelf, type ShelfLimits } from '../../../../../workers/http/uploads/upload-shelf.js'
import { refusedWith } from '../../../../support/refused-with.js'

const limits: ShelfLimits = {
  keepMs: 1000,
  mostPerActor: 2,
  bytesPerActor: 100,
  mostInAll: 4,
  bytesInAll: 250,
}

/** A shelf with a clock that stands still until it is set. */
function shelfAt(more: Partial<ShelfLimits> = {}) {
  const clock = { ms: 0 }
  const removed: string[] = []
  const shelf = new UploadShelf<string>(
    { ...limits, ...more },
    () => clock.ms,
    (id) => removed.push(id),
  )
  const put = (owner: string, id: string, bytes = 10) => {
    const claim = shelf.claim(owner, id)
    claim.take(bytes)
    claim.keep(() => `value of ${id}`)
  }
  return { clock, removed, shelf, put }
}

describe('a shelf of uploads', () => {
  it('gives an upload to its owner only, and not after it expired', () => {
    const { clock, removed, shelf, put } = shelfAt()
    put('user:1', 'a')
    assert.equal(shelf.find('user:1', 'a'), 'value of a')
    assert.throws(() => shelf.find('key:1', 'a'), refusedWith('NOT_FOUND', /expired/))
    clock.ms = 999
    assert.equal(shelf.find('user:1', 'a'), 'value of a')
    clock.ms = 1000
    assert.throws(() => shelf.find('user:1', 'a'), refusedWith('NOT_FOUND', /expired/))
    shelf.sweep()
    assert.deepEqual([removed, shelf.size], [['a'], 0])
  })

  it("removes an actor's oldest upload where he has no place or no room left, and nobody else's", () => {
    const { removed, put } = shelfAt()
    put('user:2', 'of another')
    put('user:1', 'a')
    put('user:1', 'b')
    put('user:1', 'c')
    assert.deepEqual(removed, ['a'])
    put('user:1', 'd', 95)
    assert.deepEqual(removed, ['a', 'b', 'c'])
  })

  it('refuses a file that is larger than all the room of an actor', () => {
    const { shelf } = shelfAt()
    const claim = shelf.claim('user:1', 'a')
    claim.take(60)
    assert.throws(() => claim.take(60), refusedWith('UPLOAD_TOO_LARGE', /room/))
  })

  it('refuses another file while all places of an actor are taken by files that still arrive', () => {
    const { shelf } = shelfAt()
    shelf.claim('user:1', 'a')
    const second = shelf.claim('user:1', 'b')
    assert.throws(() => shelf.claim('user:1', 'c'), refusedWith('TOO_MANY_REQUESTS', /arriving/))
    second.release()
    shelf.claim('user:1', 'c')
  })

  it('refuses everybody while there is no room in all', () => {
    const { shelf, put } = shelfAt({ mostInAll: 3 })
    for (const owner of ['user:1', 'user:2', 'user:3']) put(owner, owner, 80)
    assert.throws(() => shelf.claim('user:4', 'd'), refusedWith('SERVER_BUSY', /no room/))
    shelf.remove('user:3', 'user:3')
    const claim = shelf.claim('user:4', 'd')
    assert.throws(() => claim.take(95), refusedWith('SERVER_BUSY', /no room/))
  })

  it('keeps what was kept when its claim is released, and removes what was not', () => {
    const { shelf, removed } = shelfAt()
    const kept = shelf.claim('user:1', 'kept')
    kept.keep(() => 'x')
    kept.release()
    shelf.claim('user:1', 'left').release()
    assert.deepEqual(removed, ['left'])
    assert.equal(shelf.find('user:1', 'kept'), 'x')
  })
})
