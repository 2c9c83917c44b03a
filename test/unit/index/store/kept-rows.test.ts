import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { join } from 'node:path'
import { KeptRows, keptRowsOf } from '../../../../index/store/kept-rows.js'
import { BetterSqlite } from '../../../../index/store/sqlite.js'
import { temporaryDir } from '../../../support/cameo.js'

/** A database with one row, and a way to read it that counts. */
function numbers() {
  const file = join(temporaryDir(), 'numbers.sqlite')
  const database = new BetterSqlite(file)
  database.pragma('journal_mode = WAL')
  database.exec('CREATE TABLE numbers (n); INSERT INTO numbers VALUES (1)')
  const select = database.prepare<[], number>('SELECT max(n) FROM numbers').pluck()
  let reads = 0
  const read = () => {
    reads++
    return select.get()
  }
  return { file, database, ask: () => keptRowsOf(database).value('n', read), reads: () => reads }
}

describe('rows that are kept', () => {
  it('are read once', () => {
    const { ask, reads } = numbers()
    assert.deepEqual([ask(), ask(), reads()], [1, 1, 1])
  })

  it('are read again after a change by this process, or by another connection', () => {
    const { file, database, ask } = numbers()
    assert.equal(ask(), 1)
    database.exec('INSERT INTO numbers VALUES (2)')
    assert.equal(ask(), 2)
    const other = new BetterSqlite(file)
    other.exec('INSERT INTO numbers VALUES (3)')
    other.close()
    assert.equal(ask(), 3)
  })

  it('are not those of a transaction that is undone', () => {
    const { database, ask } = numbers()
    database.exec('BEGIN; INSERT INTO numbers VALUES (2)')
    assert.equal(ask(), 2)
    database.exec('ROLLBACK')
    assert.equal(ask(), 1)
  })

  it('are read again if reading failed, and keep that there is nothing', () => {
    const rows = new KeptRows()
    let reads = 0
    const get = rows.of('x', (): number | undefined => {
      if (++reads === 1) throw new Error('damaged')
      return undefined
    })
    assert.throws(() => get(''), /damaged/)
    assert.deepEqual([get(''), get(''), reads], [undefined, undefined, 2])
  })

  it('are at most so many of a kind, the ones used last', () => {
    const read: number[] = []
    const get = new KeptRows(4).of('x', (key: number) => {
      read.push(key)
      return key
    })
    for (const key of [1, 2, 3, 1, 4, 1, 5, 1]) get(key)
    assert.deepEqual(read, [1, 2, 3, 4, 5])
    for (const key of [5, 1, 2]) get(key)
    assert.deepEqual(read, [1, 2, 3, 4, 5, 2])
  })

  it('count lists as their rows', () => {
    const read: number[] = []
    const get = new KeptRows(8).of('x', (length: number) => {
      read.push(length)
      return Array.from({ length }, () => 0)
    })
    for (const length of [4, 4, 3, 4, 5, 5]) get(length)
    assert.deepEqual(read, [4, 3, 5, 5], 'five rows are more than may be kept')
  })
})
