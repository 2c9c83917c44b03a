import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  clipIdsAt,
  clipIdsBeginning,
  clipIdsWithPath,
  deleteClip,
  everyPathOf,
} from '../../../../index/store/clip-lookup.js'
import { countByHeight, countContent } from '../../../../index/store/counts.js'
import {
  addForgotten,
  forgottenClipIds,
  isForgotten,
  removeForgotten,
} from '../../../../index/store/forgotten-clips.js'
import { damageRows } from '../../../support/damage-rows.js'
import { clipIdOf, filledArchive } from '../../../support/filled-archive.js'

const [a, b] = [clipIdOf('a'), clipIdOf('b')]

describe('clips', () => {
  it('are found by the first digits of their ids', () => {
    const { database } = filledArchive(['a', 'b'])
    assert.deepEqual(clipIdsBeginning(database, 'bbbbbbbb'), [b])
    assert.deepEqual(clipIdsBeginning(database, 'cccccccc'), [])
    assert.equal(clipIdsBeginning(database, '').length, 2)
  })

  it('are found by their whole paths, not by parts of them', () => {
    const { database } = filledArchive(['a', 'b'])
    assert.deepEqual(clipIdsAt(database, '/films/copies/b.mp4'), [b])
    assert.deepEqual(clipIdsAt(database, 'b.mp4'), [])
  })

  it('keep their paths if a row is damaged', () => {
    const { database } = filledArchive(['a'])
    damageRows(database, 'UPDATE paths SET size_bytes = 9')
    assert.deepEqual(everyPathOf(database, a), ['/films/a.mp4', '/films/copies/a.mp4'])
  })

  it('are deleted together with their paths and dependent rows', () => {
    const { database } = filledArchive(['a', 'b'])
    deleteClip(database, a)
    assert.deepEqual(clipIdsWithPath(database), [b])
    assert.deepEqual(countContent(database), { clips: 1, tracks: 1, faces: 2, durationS: 20 })
  })

  it('are counted by height, with their stored embeddings', () => {
    const { database } = filledArchive(['a', 'b'])
    assert.deepEqual(countByHeight(database), [{ heightPx: 48, frames: 80, faces: 24, embeddings: 4 }])
  })

  it('are not found in an empty archive', () => {
    assert.deepEqual(countContent(filledArchive([]).database), {
      clips: 0,
      tracks: 0,
      faces: 0,
      durationS: 0,
    })
  })
})

it('stay forgotten until they are remembered', () => {
  const { database } = filledArchive([])
  addForgotten(database, a)
  addForgotten(database, a)
  assert.deepEqual([forgottenClipIds(database), isForgotten(database, b)], [[a], false])
  removeForgotten(database, a)
  assert.equal(isForgotten(database, a), false)
})
