import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { topicSettings } from '../../../../../workers/kafka/broker/topics.js'

const settingsOf = (...args: Parameters<typeof topicSettings>) =>
  Object.fromEntries(topicSettings(...args).map(({ name, value }) => [name, value]))

describe('topic settings', () => {
  it('with three replicas a message counts as sent when two have it; with fewer, one is enough', () => {
    for (const retention of ['forever', 'compacted'] as const)
      assert.deepEqual(
        [1, 2, 3].map((replicas) => settingsOf({ retention }, replicas)['min.insync.replicas']),
        [undefined, undefined, '2'],
      )
  })

  it('nothing expires', () => {
    const forever = settingsOf({ retention: 'forever' }, 1)
    assert.deepEqual(
      [forever['cleanup.policy'], forever['retention.ms'], forever['retention.bytes']],
      ['delete', '-1', '-1'],
    )
    const compacted = settingsOf({ retention: 'compacted' }, 1)
    assert.equal(compacted['cleanup.policy'], 'compact')
    assert.equal(compacted['delete.retention.ms'], '31536000000', 'a deletion is kept for a year')
  })
})
