import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createCheckpointStore } from '../../../../index/store/checkpoints.js'
import { createDescriptorStore } from '../../../../index/store/descriptors.js'
import { addSpace, spacesOf } from '../../../../index/store/meta.js'
import {
  deleteReplacedDescriptors,
  deleteSpace,
  describedTracks,
  hasErasedSince,
  moveToRecipe,
} from '../../../../index/store/spaces.js'
import { finishedClips } from '../../../../index/store/stored-tracks.js'
import { inTransaction } from '../../../../index/store/transaction.js'
import { clipIdOf, filledArchive } from '../../../support/filled-archive.js'

/** Three tracks with descriptors of space 1. The second also has one of space 2. */
function twoSpaces() {
  const { database } = filledArchive(['a', 'b', 'c'])
  const next = addSpace(database, { spaceDigest: 't', packName: 'lite' }, 2)
  const descriptors = createDescriptorStore(database)
  descriptors.insert(next.spaceId, 2, Float32Array.of(0, 1))
  return { database, descriptors, next: next.spaceId }
}

describe('the tracks of a space', () => {
  it('are read page by page, with their progress', () => {
    const { database, next } = twoSpaces()
    const pageAfter = describedTracks(database, { spaceId: 1, next, limit: 2 })
    const brief = (label: number) => pageAfter(label).map(({ trackId, isDone }) => [trackId, isDone])
    assert.deepEqual(brief(-1), [[1, false], [2, true]]) // prettier-ignore
    assert.deepEqual(brief(2), [[3, false]])
    assert.deepEqual(brief(3), [])
  })

  it('keep their old descriptors until they have new ones', () => {
    const { database, descriptors, next } = twoSpaces()
    const replaced = { spaceId: 1, kept: next, limit: 10 }
    assert.equal(deleteReplacedDescriptors(database, replaced), 1)
    assert.equal(deleteReplacedDescriptors(database, replaced), 0)
    assert.deepEqual([descriptors.count(1), descriptors.count(next)], [2, 1])
  })

  it('lose at most the given number of descriptors at once', () => {
    const { database, descriptors, next } = twoSpaces()
    for (const trackId of [1, 3]) descriptors.insert(next, trackId, Float32Array.of(0, 1))
    assert.equal(deleteReplacedDescriptors(database, { spaceId: 1, kept: next, limit: 2 }), 2)
    assert.equal(descriptors.count(1), 1)
  })

  it('a space without descriptors can be deleted', () => {
    const { database } = twoSpaces()
    const empty = addSpace(database, { spaceDigest: 'u', packName: 'lite' }, 2)
    deleteSpace(database, empty.spaceId)
    assert.deepEqual(
      spacesOf(database).map(({ spaceId }) => spaceId),
      [1, 2],
    )
  })
})

describe('a label that was erased', () => {
  it('after a change counts only for its space', () => {
    const { database, descriptors, next } = twoSpaces()
    const before = descriptors.lastChange()
    assert.equal(hasErasedSince(database, 1, 0), false)
    database.prepare('DELETE FROM descriptors WHERE label = 1').run()
    assert.deepEqual(
      [hasErasedSince(database, 1, before), hasErasedSince(database, next, before)],
      [true, false],
    )
    assert.equal(hasErasedSince(database, 1, descriptors.lastChange()), false)
  })
})

describe('rows that become another recipe’s', () => {
  it('stay if their clip is excepted', () => {
    const { database } = twoSpaces()
    inTransaction(database, () =>
      moveToRecipe(database, { from: 'r', to: 's', exceptClipIds: [clipIdOf('b')] }),
    )
    assert.deepEqual(finishedClips(database, 's'), [clipIdOf('a'), clipIdOf('c')])
    assert.deepEqual(finishedClips(database, 'r'), [clipIdOf('b')])
  })

  it('leave no checkpoint, so that an unfinished segment starts again', () => {
    const { database } = twoSpaces()
    const checkpoints = createCheckpointStore(database)
    const [before, other] = [{ clipId: clipIdOf('a'), recipe: 'r' }, { clipId: clipIdOf('b'), recipe: 'r' }] // prettier-ignore
    for (const key of [before, other])
      checkpoints.write(key, { segment: 0, timeS: 1, state: Uint8Array.of(1), parts: [] })
    inTransaction(database, () =>
      moveToRecipe(database, { from: 'r', to: 's', exceptClipIds: [clipIdOf('b')] }),
    )
    assert.equal(checkpoints.read({ ...before, recipe: 's' }, 0), undefined)
    assert.deepEqual(checkpoints.read(other, 0)?.state, Buffer.of(1))
  })
})
