import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { openDatabase } from '../../../../index/store/database.js'
import {
  addIdentity,
  deleteIdentity,
  findIdentity,
  hasDamagedIdentity,
  listIdentities,
} from '../../../../index/store/identities.js'
import {
  deleteReferenceFaces,
  deleteReferenceFacesFrom,
  facesOfIdentity,
  hasReferenceFaces,
  hasSource,
  listSources,
  referenceFaces,
  referenceFaceStates,
  replaceReferenceFaces,
  wholeReferenceFaces,
} from '../../../../index/store/reference-faces.js'
import { damageRows } from '../../../support/damage-rows.js'
import { temporaryDir } from '../../../support/cameo.js'

const face = (source: string, value: number, embedder = 'e') => ({
  ...{ source, embedder, norm: 2.5, quality: 0.5, pictureId: null },
  float16: Uint16Array.of(value, value),
})

/** Ada has two faces of one photo and one of another, Bea none. */
function openNames() {
  const database = openDatabase(temporaryDir(), { create: true })
  addIdentity(database, 'Ada')
  addIdentity(database, 'Bea')
  const ada = findIdentity(database, 'Ada') ?? 0
  replaceReferenceFaces(database, ada, [
    face('1.jpg', 1),
    face('1.jpg', 2),
    face('2.jpg', 3),
    face('2.jpg', 3, 'f'),
  ])
  return { database, ada }
}

const valuesOf = (faces: readonly { readonly float16: Uint16Array }[]) =>
  faces.map(({ float16 }) => float16[0])

describe('names', () => {
  it('are counted by the embedder with the most of their faces', () => {
    const expected = [
      { name: 'Ada', faces: 3 },
      { name: 'Bea', faces: 0 },
    ]
    assert.deepEqual(listIdentities(openNames().database), expected)
  })

  it('keep their id when they are added again', () => {
    const { database, ada } = openNames()
    addIdentity(database, 'Ada')
    assert.equal(findIdentity(database, 'Ada'), ada)
  })

  it('are deleted with their faces', () => {
    const { database, ada } = openNames()
    deleteIdentity(database, ada)
    assert.deepEqual([findIdentity(database, 'Ada'), facesOfIdentity(database, ada)], [undefined, []])
    assert.notEqual(findIdentity(database, 'Bea'), undefined)
  })

  it('report a damaged row', () => {
    const { database } = openNames()
    assert.equal(hasDamagedIdentity(database), false)
    damageRows(database, "UPDATE identities SET name = 'Bee' WHERE name = 'Bea'")
    assert.equal(hasDamagedIdentity(database), true)
  })
})

describe('the faces of a name', () => {
  it('are read in storage order', () => {
    const { database, ada } = openNames()
    assert.deepEqual(valuesOf(referenceFaces(database, 'Ada')), [1, 2, 3, 3])
    assert.deepEqual(facesOfIdentity(database, ada), referenceFaces(database, 'Ada'))
  })

  it('replace faces of the same source and embedder, and no others', () => {
    const { database, ada } = openNames()
    replaceReferenceFaces(database, ada, [face('1.jpg', 7)])
    assert.deepEqual(
      referenceFaces(database, 'Ada').map(({ source, embedder, float16 }) => [source, embedder, float16[0]]),
      [
        ['2.jpg', 'e', 3],
        ['2.jpg', 'f', 3],
        ['1.jpg', 'e', 7],
      ],
    )
  })

  it('are skipped if they are damaged, and reported with their source', () => {
    const { database, ada } = openNames()
    damageRows(database, 'UPDATE reference_faces SET quality = 1 WHERE reference_id = 2')
    assert.deepEqual(valuesOf(wholeReferenceFaces(database, 'Ada')), [1, 3, 3])
    assert.deepEqual(referenceFaceStates(database, ada)?.[1], { source: '1.jpg', isWhole: false })
  })

  it('are deleted individually, or by source', () => {
    const { database, ada } = openNames()
    deleteReferenceFaces(database, [1])
    assert.deepEqual(valuesOf(facesOfIdentity(database, ada)), [2, 3, 3])
    assert.equal(deleteReferenceFacesFrom(database, 'Ada', '2.jpg'), 2)
    assert.equal(deleteReferenceFacesFrom(database, 'Bea', '1.jpg'), 0)
    assert.equal(hasReferenceFaces(database, 'Ada'), true)
    deleteReferenceFaces(database, [2])
    assert.equal(hasReferenceFaces(database, 'Ada'), false)
  })

  it('are listed by source, each once', () => {
    const { database } = openNames()
    const sources = listSources(database).map(({ name, source }) => `${name} ${source}`)
    assert.deepEqual(sources.sort(), ['Ada 1.jpg', 'Ada 2.jpg'])
    assert.deepEqual(
      [hasSource(database, 'Ada', '2.jpg'), hasSource(database, 'Bea', '2.jpg')],
      [true, false],
    )
  })
})
