import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { OffsetLedger } from '../../../../../workers/kafka/broker/offset-ledger.js'
import { seededRandom } from '../../../../support/random.js'

describe('OffsetLedger', () => {
  it('commits only up to the first unfinished message', () => {
    const ledger = new OffsetLedger()
    for (const offset of [5n, 6n, 7n]) ledger.take(offset)
    assert.equal(ledger.next, undefined)
    ledger.finish(6n)
    assert.equal(ledger.next, undefined)
    ledger.finish(5n)
    assert.equal(ledger.next, 7n)
    ledger.finish(7n)
    assert.equal(ledger.next, 8n)
  })

  it('knows what is taken and finished, but no later offsets', () => {
    const ledger = new OffsetLedger()
    ledger.take(3n)
    assert.deepEqual([ledger.knows(3n), ledger.knows(4n)], [true, false])
    ledger.finish(3n)
    assert.deepEqual([ledger.knows(2n), ledger.knows(3n), ledger.knows(4n)], [true, true, false])
  })

  it('skips offsets that the topic does not have', () => {
    const ledger = new OffsetLedger()
    for (const offset of [1n, 4n, 9n]) ledger.take(offset)
    for (const offset of [9n, 4n, 1n]) ledger.finish(offset)
    assert.equal(ledger.next, 10n)
  })

  it('never passes an unfinished message, in any order of finishing (compared with the definition)', () => {
    const random = seededRandom(3)
    for (let round = 0; round < 50; round++) {
      const ledger = new OffsetLedger()
      const offsets = Array.from({ length: 20 }, (_, i) => BigInt(i))
      for (const offset of offsets) ledger.take(offset)
      const left = new Set(offsets)
      for (const offset of [...offsets].sort(() => random() - 0.5)) {
        ledger.finish(offset)
        left.delete(offset)
        const firstLeft = [...left].sort((a, b) => Number(a - b))[0]
        assert.equal(ledger.next ?? 0n, firstLeft ?? 20n)
      }
    }
  })
})
