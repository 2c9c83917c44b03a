import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { openArchive } from '../../../../index/archive/open-archive.js'
import {
  danglingReferences,
  deleteOrphans,
  firstPageProblem,
  pageProblems,
  raiseSequences,
  rebuildFile,
  rebuildIndexes,
  wrongSequences,
} from '../../../../index/store/file-structure.js'
import type { Database } from '../../../../index/store/sqlite.js'
import { flipLastOf } from '../../../support/flip.js'
import { clipIdOf, filledArchive } from '../../../support/filled-archive.js'

const count = (database: Database, table: string) =>
  database.prepare<[], number>(`SELECT count(*) FROM ${table}`).pluck().get()

describe('the structure of a file', () => {
  it('of an intact archive has no problems', () => {
    const { database } = filledArchive(['a'])
    assert.deepEqual(
      [
        firstPageProblem(database),
        pageProblems(database),
        danglingReferences(database),
        wrongSequences(database),
      ],
      [undefined, [], [], []],
    )
  })

  it('with a damaged index has problems until the index is rebuilt', () => {
    const archive = filledArchive(['a', 'b'])
    archive.close()
    flipLastOf(archive.dir, 'descriptors_track')
    const { database } = openArchive(archive.dir)
    assert.notDeepEqual(pageProblems(database), [])
    rebuildIndexes(database)
    assert.deepEqual(pageProblems(database), [])
  })

  it('is rebuilt without loss', () => {
    const { database } = filledArchive(['a'])
    rebuildFile(database)
    assert.deepEqual([pageProblems(database), count(database, 'faces')], [[], 2])
  })
})

describe('rows with dangling references', () => {
  it('are reported by table, and deleted with their dependent rows', () => {
    const { database } = filledArchive(['a', 'b'])
    database.pragma('foreign_keys = OFF')
    database.prepare('DELETE FROM runs WHERE clip_id = ?').run(clipIdOf('a'))
    database.pragma('foreign_keys = ON')
    const dangling = new Set(danglingReferences(database).map(({ table, parent }) => `${table} → ${parent}`))
    assert.ok(dangling.has('tracks → runs') && dangling.has('segments → runs'), [...dangling].join())
    deleteOrphans(database)
    assert.deepEqual(danglingReferences(database), [])
    assert.deepEqual([count(database, 'tracks'), count(database, 'faces')], [1, 2])
  })
})

describe('the id counter of a table', () => {
  it('is reported if it is too low, and raised to the largest known id', () => {
    const { database } = filledArchive(['a', 'b'])
    database.prepare('DELETE FROM descriptors WHERE label = 2').run()
    database.exec("UPDATE sqlite_sequence SET seq = 1 WHERE name = 'descriptors'")
    assert.deepEqual(wrongSequences(database), ['descriptors'])
    raiseSequences(database)
    assert.deepEqual(wrongSequences(database), [])
    const last = database.prepare("SELECT seq FROM sqlite_sequence WHERE name = 'descriptors'").pluck().get()
    assert.equal(last, 2)
  })

  it('is reported if its table does not exist, and deleted', () => {
    const { database } = filledArchive(['a'])
    database.exec("INSERT INTO sqlite_sequence (name, seq) VALUES ('trucks', 7)")
    assert.deepEqual(wrongSequences(database), ['trucks'])
    raiseSequences(database)
    assert.deepEqual(wrongSequences(database), [])
  })
})
