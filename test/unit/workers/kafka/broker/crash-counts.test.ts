import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { CrashCounts, countCrashes, writeNote } from '../../../../../workers/kafka/broker/crash-counts.js'

const nobody = new Set<string>()
const noted = (note: string | undefined, offset = 100n) => ({ partition: 0, offset, note })

describe('notes beside a group’s offsets', () => {
  const messages = [
    { offset: 101n, deaths: 0, isInWork: true },
    { offset: 103n, deaths: 2, isInWork: true },
    { offset: 104n, deaths: 1, isInWork: false },
  ]
  const note = writeNote('one', 100n, messages)

  it('messages in work of a missing member get one more death', () => {
    assert.deepEqual(countCrashes(noted(note), new Set(['other'])), new Map([[104n, 1], [101n, 1], [103n, 3]])) // prettier-ignore
  })

  it('a living member counts no death', () => {
    assert.deepEqual(countCrashes(noted(note), new Set(['one'])), new Map([[104n, 1], [103n, 2]])) // prettier-ignore
  })

  it('a member that stops properly leaves no note; notes of other programs are ignored', () => {
    assert.equal(writeNote('one', 100n, []), undefined)
    for (const text of [undefined, '', '{', '{"member":1}', 'null'])
      assert.deepEqual(countCrashes(noted(text), nobody), new Map())
  })

  it('a note fits beside an offset, and suspects are kept', () => {
    const many = Array.from({ length: 2000 }, (_, i) => ({
      ...{ offset: 100n + BigInt(i), deaths: i === 1999 ? 7 : 0, isInWork: true },
    }))
    const long = writeNote('one', 100n, many)
    assert.ok(long !== undefined && long.length <= 4096)
    assert.equal(countCrashes(noted(long), nobody).get(2099n), 8)
  })

  it('the number of deaths passes from worker to worker until the message is finished', () => {
    const [first, second, third] = ['a', 'b', 'c'].map((self) => new CrashCounts(self))
    assert.ok(first !== undefined && second !== undefined && third !== undefined)
    // The first dies over 7 and 8. The second takes over, starts only 7 and dies.
    second.learn({ members: new Set(['b']), partitions: [noted(first.note(0, 7n, [7n, 8n]), 7n)] })
    assert.deepEqual([second.of(0, 7n), second.of(0, 8n), second.of(0, 9n)], [1, 1, 0])
    third.learn({ members: new Set(['c']), partitions: [noted(second.note(0, 7n, [7n]), 7n)] })
    assert.deepEqual([third.of(0, 7n), third.of(0, 8n)], [2, 1])
    // Its own notes, which it reads again after each rebalance, add nothing.
    third.learn({ members: nobody, partitions: [noted(third.note(0, 7n, [7n]), 7n)] })
    assert.deepEqual([third.of(0, 7n), third.of(0, 8n)], [2, 1])
    third.forget(0, 7n)
    assert.deepEqual([third.of(0, 7n), third.of(0, 8n)], [0, 1])
  })
})
