import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { CrashCounts } from '../../../../../workers/kafka/broker/crash-counts.js'
import { PartitionOffsets } from '../../../../../workers/kafka/broker/partition-offsets.js'

const nothing = () => []

/** Takes these offsets of a partition, and finishes some. */
function taken(offsets: PartitionOffsets, partition: number, all: bigint[], finished: bigint[]) {
  const ledger = offsets.ledgerOf(partition)
  for (const offset of all) ledger.take(offset)
  for (const offset of finished) ledger.finish(offset)
  return ledger
}

describe('PartitionOffsets', () => {
  it('commits up to the first unfinished message, once', () => {
    const offsets = new PartitionOffsets()
    offsets.assign([0, 1])
    taken(offsets, 0, [5n, 6n, 7n], [5n, 7n])
    const commits = offsets.newCommits(nothing)
    assert.deepEqual(commits, [{ partition: 0, next: 6n, note: undefined, noted: [] }])
    offsets.setCommitted(commits)
    assert.deepEqual(offsets.newCommits(nothing), [])
  })

  it('commits nothing if nothing is finished, unless there is a note', () => {
    const plain = new PartitionOffsets()
    plain.assign([0])
    taken(plain, 0, [5n], [])
    assert.deepEqual(plain.newCommits(() => [5n]), []) // prettier-ignore
    const noting = new PartitionOffsets(new CrashCounts('me'))
    noting.assign([0])
    taken(noting, 0, [5n], [])
    const [commit] = noting.newCommits(() => [5n])
    assert.equal(commit?.next, 5n)
    assert.deepEqual(JSON.parse(commit.note ?? ''), { member: 'me', work: [[0, 0]], died: [] })
  })

  it('a message counts as noted after the commit succeeds, until the next rebalance', () => {
    const offsets = new PartitionOffsets(new CrashCounts('me'))
    offsets.assign([0])
    taken(offsets, 0, [5n, 6n], [])
    const commits = offsets.newCommits(() => [5n])
    assert.equal(offsets.isNoted(0, 5n), false)
    offsets.setCommitted(commits)
    assert.deepEqual([offsets.isNoted(0, 5n), offsets.isNoted(0, 6n)], [true, false])
    offsets.assign([0])
    assert.equal(offsets.isNoted(0, 5n), false)
    assert.deepEqual(offsets.newCommits(() => [5n]), commits, 'committed again, because others may have committed') // prettier-ignore
  })

  it('an empty note replaces the note that a worker left behind', () => {
    const crashes = new CrashCounts('me')
    const offsets = new PartitionOffsets(crashes)
    offsets.assign([0, 1])
    const left = new CrashCounts('dead').note(0, 8n, [8n])
    const counts = {
      members: new Set(['me']),
      partitions: [
        { partition: 0, offset: 8n, note: left },
        { partition: 1, offset: -1n, note: undefined },
      ],
    }
    crashes.learn(counts)
    offsets.learn(counts)
    const [own, ...others] = offsets.newCommits(nothing)
    assert.deepEqual(JSON.parse(own?.note ?? ''), { member: 'me', work: [], died: [[0, 1]] })
    assert.deepEqual(others, [], 'partition 1 has no offset to store a note beside')
    crashes.forget(0, 8n)
    assert.deepEqual(offsets.newCommits(nothing), [{ partition: 0, next: 8n, note: undefined, noted: [] }])
  })

  it('a partition that moved to another worker is not committed, and its old ledger is not current when it comes back', () => {
    const offsets = new PartitionOffsets()
    offsets.assign([0])
    const ledger = taken(offsets, 0, [5n], [5n])
    assert.equal(offsets.isCurrent(0, ledger), true)
    offsets.assign([1])
    assert.deepEqual(offsets.newCommits(nothing), [])
    offsets.assign([0])
    offsets.ledgerOf(0)
    assert.equal(offsets.isCurrent(0, ledger), false)
  })
})
