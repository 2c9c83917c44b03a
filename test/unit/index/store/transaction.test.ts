import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { openDatabase } from '../../../../index/store/database.js'
import { readMeta, writeMeta } from '../../../../index/store/meta.js'
import { inTransaction } from '../../../../index/store/transaction.js'
import { temporaryDir } from '../../../support/cameo.js'

const open = () => openDatabase(temporaryDir(), { create: true })

function failing(): never {
  throw new Error('no')
}

describe('a transaction', () => {
  it('returns the result of its work', () => {
    assert.equal(
      inTransaction(open(), () => 7),
      7,
    )
  })

  it('rolls back its writes if the work throws', () => {
    const database = open()
    assert.throws(
      () =>
        inTransaction(database, () => {
          writeMeta(database, 'key', 'value')
          failing()
        }),
      /no/,
    )
    assert.equal(readMeta(database, 'key'), undefined)
  })

  it('can be rolled back separately within another one', () => {
    const database = open()
    inTransaction(database, () => {
      writeMeta(database, 'outer', '1')
      assert.throws(() =>
        inTransaction(database, () => {
          writeMeta(database, 'inner', '2')
          failing()
        }),
      )
    })
    assert.deepEqual([readMeta(database, 'outer'), readMeta(database, 'inner')], ['1', undefined])
  })

  it('holds the write lock from its start', () => {
    const dir = temporaryDir()
    const [first, second] = [openDatabase(dir, { create: true }), openDatabase(dir)]
    second.pragma('busy_timeout = 1')
    inTransaction(first, () => {
      assert.throws(() => writeMeta(second, 'key', 'value'), /locked/)
    })
    writeMeta(second, 'key', 'value')
  })
})
