import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  changeCollection,
  collectionNamed,
  createCollection,
  deleteCollection,
  listCollections,
} from '../../../../index/access/collections.js'
import { systemActor } from '../../../../index/access/request-actor.js'
import { rights } from '../../../../index/access/roles.js'
import { testAccess } from '../../../support/access.js'
import { refusedWith } from '../../../support/refused-with.js'

describe('collections', () => {
  it('have absolute folders and URLs, each once', () => {
    const access = testAccess()
    const { folders } = createCollection(access, {
      ...{ name: 'Family', folders: ['/films/a/../family/', '/films/family', 's3://films/family'] },
    })
    assert.deepEqual(folders, ['/films/family', 's3://films/family'])
  })

  it('have names that differ, and can be changed and deleted', () => {
    const access = testAccess()
    const { collectionId } = createCollection(access, { name: 'Family', folders: ['/a'] })
    const again = () => createCollection(access, { name: 'FAMILY', folders: ['/b'] })
    assert.throws(again, refusedWith('COLLECTION_TAKEN', /already/))
    changeCollection(access, collectionId, { name: 'Friends', folders: ['/c'] })
    assert.deepEqual(listCollections(access).map(({ name, folders }) => [name, ...folders]), [['Friends', '/c']]) // prettier-ignore
    assert.equal(collectionNamed(access, 'friends').collectionId, collectionId)
    again()
    deleteCollection(access, collectionId)
    assert.deepEqual(listCollections(access).map(({ name }) => name), ['FAMILY']) // prettier-ignore
    const unknown = refusedWith('COLLECTION_UNKNOWN', /no collection/)
    assert.throws(() => deleteCollection(access, collectionId), unknown)
    assert.throws(() => changeCollection(access, collectionId, {}), unknown)
  })

  it('need a folder', () => {
    const access = testAccess()
    for (const folders of [[], ['']])
      assert.throws(() => createCollection(access, { name: 'a', folders }), refusedWith('USAGE', /folder/))
  })
})

describe('the system', () => {
  it('is the user of this process and may do everything', () => {
    const { kind, id, rights: own, folders } = systemActor()
    assert.deepEqual(
      { kind, id, folders },
      { kind: 'system', id: `${process.getuid?.() ?? -1}`, folders: 'all' },
    )
    assert.deepEqual([...own], [...rights])
  })
})
