import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { OffsetCommitter } from '../../../../../workers/kafka/broker/offset-committer.js'
import type { NotedCommit } from '../../../../../workers/kafka/broker/partition-offsets.js'
import { createSilentLog } from '../../../../../workers/service/log.js'
import { scriptedGroup } from '../../../../support/scripted-group.js'

/** Commits the offsets in `due`. Taken offsets are removed from it. */
function start(due: bigint[]) {
  const committer = new OffsetCommitter({
    log: createSilentLog(),
    newCommits: () => due.slice(0, 1).map((next): NotedCommit => ({ partition: 0, next, noted: [] })),
    onCommitted: () => due.shift(),
    ...{ everyMs: 10, againAfterMs: 10 },
  })
  const nexts = (commits: readonly { readonly next: bigint }[]) => commits.map(({ next }) => next)
  return { committer, nexts }
}

describe('OffsetCommitter', () => {
  it('sends commits one after the other, each with the offsets due at that moment', async () => {
    const { committer, nexts } = start([1n, 2n])
    const { group, commits } = scriptedGroup()
    committer.setGroup(group)
    assert.deepEqual(await Promise.all([committer.commit(), committer.commit(), committer.commit()]), [true, true, true]) // prettier-ignore
    assert.deepEqual(nexts(commits), [1n, 2n], 'the third had nothing to commit')
  })

  it('sends one commit for all messages finished within a short time', async () => {
    const { committer, nexts } = start([1n, 2n])
    const { group, commits } = scriptedGroup()
    committer.setGroup(group)
    for (let i = 0; i < 5; i++) committer.commitSoon()
    await sleep(40)
    assert.deepEqual(nexts(commits), [1n])
  })

  it('retries a failed commit automatically, but not at the end', async () => {
    const { committer, nexts } = start([1n, 2n])
    const errors = [new Error('rebalancing'), new Error('rebalancing')]
    const { group, commits } = scriptedGroup(errors)
    committer.setGroup(group)
    assert.equal(await committer.commit(), false)
    await sleep(60)
    assert.deepEqual(nexts(commits), [1n])
    const ending = scriptedGroup(errors)
    committer.setGroup(ending.group)
    committer.end()
    assert.equal(await committer.commit(), false)
    await sleep(40)
    assert.deepEqual(ending.commits, [])
  })

  it('nothing counts as committed without a group, or if the group changed before the answer', async () => {
    const due = [1n]
    const { committer } = start(due)
    assert.equal(await committer.commit(), false)
    const { group } = scriptedGroup()
    committer.setGroup({
      ...group,
      commit() {
        committer.setGroup(undefined)
        return Promise.resolve()
      },
    })
    assert.equal(await committer.commit(), false)
    assert.deepEqual(due, [1n])
  })
})
