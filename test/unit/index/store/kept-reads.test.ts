import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { KeptReads, readAgainElsewhere } from '../../../../index/store/kept-reads.js'
import { Deferred } from '../../../../pipeline/common/deferred.js'
import { BetterSqlite } from '../../../../index/store/sqlite.js'

describe('kept reads', () => {
  const setUp = () => {
    const database = new BetterSqlite(':memory:')
    database.exec('CREATE TABLE t (x INTEGER); INSERT INTO t VALUES (1)')
    let nowMs = 0
    let costMs = 0
    const reads = new KeptReads(database, () => nowMs)
    const count = () =>
      reads.get('count', () => {
        nowMs += costMs
        return database.prepare<[], number>('SELECT count(*) FROM t').pluck().get()
      })
    return {
      ...{ database, count },
      pass: (ms: number) => (nowMs += ms),
      cost: (ms: number) => (costMs = ms),
      add: () => database.prepare('INSERT INTO t VALUES (2)').run(),
    }
  }

  it('reads once while nothing changes', () => {
    const { count, cost, pass } = setUp()
    cost(50)
    count()
    cost(1e9)
    pass(1e6)
    assert.equal(count(), 1)
  })

  it('reads again after a change, but spends at most a tenth of the time on it', () => {
    const { count, cost, pass, add } = setUp()
    cost(100)
    assert.equal(count(), 1)
    add()
    pass(900)
    assert.equal(count(), 1)
    pass(101)
    assert.equal(count(), 2)
  })

  it('reads at once after a change if reading is fast', () => {
    const { count, add } = setUp()
    count()
    add()
    assert.equal(count(), 2)
  })

  it('answers with the old value while a long read is done again elsewhere', async () => {
    const { count, cost, pass, add } = setUp()
    cost(200)
    count()
    const asked: string[] = []
    const read = new Deferred<unknown>()
    readAgainElsewhere((_file, name) => {
      asked.push(name)
      return read.promise
    })
    try {
      add()
      pass(2001)
      assert.deepEqual([count(), count()], [1, 1])
      pass(100)
      read.resolve(2)
      await new Promise((resolve) => setImmediate(resolve))
      assert.deepEqual([count(), asked], [2, ['count']])
    } finally {
      readAgainElsewhere(() => undefined)
    }
  })

  it('keeps the old value for a while if that fails, and then tries again', async () => {
    const { count, cost, pass, add } = setUp()
    cost(200)
    count()
    let tries = 0
    readAgainElsewhere(() => (++tries === 1 ? Promise.reject(new Error('gone')) : Promise.resolve(2)))
    try {
      add()
      pass(2001)
      assert.equal(count(), 1)
      await new Promise((resolve) => setImmediate(resolve))
      pass(2001)
      assert.equal(count(), 1)
      await new Promise((resolve) => setImmediate(resolve))
      assert.deepEqual([count(), tries], [2, 2])
    } finally {
      readAgainElsewhere(() => undefined)
    }
  })
})
