import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { lockArchive, lockAsFollower, lockForErasure } from '../../../../index/store/locks.js'
import { CameoError } from '../../../../pipeline/common/errors.js'
import { temporaryDir } from '../../../support/cameo.js'

const isBusy = (error: unknown): boolean => error instanceof CameoError && error.code === 'ARCHIVE_BUSY'
const nobodyWaits = () => assert.fail('waits')

describe('the locks of an archive', () => {
  it('let one writer in, and the next when it is released', () => {
    const dir = temporaryDir()
    const lock = lockArchive(dir)
    assert.throws(() => lockArchive(dir), isBusy)
    lock.release()
    lockArchive(dir).release()
  })

  it('let a follower wait for a writer, with one message, until the writer is done', async () => {
    const dir = temporaryDir()
    const writer = lockArchive(dir)
    let waits = 0
    let isIn = false
    const following = lockAsFollower(dir, () => waits++).then((lock) => {
      isIn = true
      return lock
    })
    // Longer than two attempts.
    await new Promise((resolve) => setTimeout(resolve, 400))
    assert.deepEqual([waits, isIn], [1, false])
    writer.release()
    const follower = await following
    assert.equal(waits, 1)
    assert.throws(() => lockArchive(dir), isBusy)
    follower.release()
    lockArchive(dir).release()
  })

  it('refuse a second follower at once', async () => {
    const dir = temporaryDir()
    const first = await lockAsFollower(dir, nobodyWaits)
    await assert.rejects(lockAsFollower(dir, nobodyWaits), isBusy)
    first.release()
    const next = await lockAsFollower(dir, nobodyWaits)
    next.release()
  })

  it('allow erasing with a follower or without any process, and refuse it with a writer', async () => {
    const dir = temporaryDir()
    const follower = await lockAsFollower(dir, nobodyWaits)
    assert.deepEqual(await Promise.all([lockForErasure(dir), lockForErasure(dir)]), [undefined, undefined])
    follower.release()
    const erasure = await lockForErasure(dir)
    assert.throws(() => lockArchive(dir), isBusy)
    await assert.rejects(lockForErasure(dir), isBusy)
    erasure?.release()
  })

  it('let erasing wait briefly, because a starting follower holds only its first lock', async () => {
    const dir = temporaryDir()
    const moment = lockArchive(dir)
    // Refused once, before the call returns.
    const erasing = lockForErasure(dir)
    moment.release()
    const erasure = await erasing
    assert.throws(() => lockArchive(dir), isBusy)
    erasure?.release()
  })
})
