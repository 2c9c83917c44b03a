import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ConsumerRun } from '../../../../../workers/kafka/broker/consumer-run.js'
import { joinGroup, RejoiningMember } from '../../../../../workers/kafka/broker/group-member.js'
import type { Group } from '../../../../../workers/kafka/broker/group.js'
import { createSilentLog } from '../../../../../workers/service/log.js'
import { scriptedKafka } from '../../../../support/scripted-consumer.js'
import { batchOf, messageAt } from '../../../../support/scripted-group.js'

/** Options of a member, and the events it received. */
function start(refusals: readonly (Error | undefined)[] = []) {
  const { kafka, made, configs } = scriptedKafka(refusals)
  const assigned: [readonly number[], Group | undefined][] = []
  const fetched: number[][] = []
  const options = {
    ...{ kafka, topic: 'test', groupId: 'group', log: createSilentLog() },
    fetch: { maxBytes: 1000, minBytes: 1, maxWaitMs: 10 },
    onAssigned(partitions: readonly number[], group: Group | undefined) {
      assigned.push([partitions, group])
    },
    onFetched(batches: readonly { readonly batch: { readonly partition: number } }[]) {
      fetched.push(batches.map(({ batch }) => batch.partition))
      return Promise.resolve()
    },
  }
  return { options, made, configs, assigned, fetched }
}

const quiet = { onBeat: () => undefined, onCrash: () => assert.fail('it did not crash') }

async function until(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await new Promise(setImmediate)
}

describe('ConsumerRun', () => {
  it('reports its partitions after each rebalance, and commits offsets with their notes', async () => {
    const { options, made, assigned } = start()
    let beats = 0
    const run = new ConsumerRun(options, 30_000, { ...quiet, onBeat: () => beats++ })
    await run.start()
    const [consumer] = made
    consumer?.emit('HEARTBEAT', undefined)
    consumer?.emit('GROUP_JOIN', { memberAssignment: { test: [1, 2] } })
    consumer?.emit('GROUP_JOIN', { memberAssignment: {} })
    assert.equal(beats, 3)
    assert.deepEqual(assigned.map(([partitions]) => partitions), [[1, 2], []]) // prettier-ignore
    assert.notEqual(assigned[0]?.[1], assigned[1]?.[1], 'a new group object each time')
    await assigned[0]?.[1]?.commit([
      { partition: 1, next: 9n },
      { partition: 2, next: 2n ** 60n, note: 'a note' },
    ])
    assert.deepEqual(consumer?.commits, [
      { topic: 'test', partition: 1, offset: '9', metadata: null },
      { topic: 'test', partition: 2, offset: `${2n ** 60n}`, metadata: 'a note' },
    ])
  })

  it('passes all partitions of a fetch on together', async () => {
    const { options, made, fetched } = start()
    await new ConsumerRun(options, 30_000, quiet).start()
    const handOut = (partition: number) => made[0]?.handOut?.(batchOf(partition, [messageAt(0)]).payload)
    await Promise.all([handOut(0), handOut(3)])
    await handOut(1)
    assert.deepEqual(fetched, [[0, 3], [1]])
  })

  it('does not start if the group refuses it', async () => {
    const { options } = start([new Error('not authorised')])
    await assert.rejects(new ConsumerRun(options, 30_000, quiet).start(), /not authorised/)
  })

  it('reports a crash, unless kafkajs restarts the consumer itself', async () => {
    const { options, made } = start()
    let crashes = 0
    await new ConsumerRun(options, 30_000, { ...quiet, onCrash: () => crashes++ }).start()
    made[0]?.emit('CRASH', { error: new Error('away'), restart: true })
    assert.equal(crashes, 0)
    made[0]?.emit('CRASH', { error: new Error('away'), restart: false })
    assert.equal(crashes, 1)
  })
})

describe('RejoiningMember', () => {
  it('has no partitions after a crash, and starts new consumers until the group accepts one', async () => {
    const { options, made, assigned } = start([undefined, new Error('not yet'), undefined])
    const member = new RejoiningMember(options, 1)
    await member.join()
    made[0]?.emit('CRASH', { error: new Error('odd'), restart: false })
    assert.deepEqual(assigned, [[[], undefined]])
    await until(() => made.length === 3)
    assert.equal(made[0]?.isDisconnected, true)
    assert.equal(member.isHealthy, true)
    await until(() => made[2]?.handOut !== undefined)
    await new Promise(setImmediate)
    await member.leave(1000)
    assert.equal(made[2]?.isDisconnected, true)
    assert.equal(member.isHealthy, false)
  })

  it('is missed after the session timeout, and sends a heartbeat at least three times as often', async () => {
    const { options, configs } = start()
    await new RejoiningMember(options, 1).join()
    const brief = new RejoiningMember({ ...options, sessionTimeoutMs: 6 }, 1)
    await brief.join()
    assert.deepEqual(
      configs.map(({ sessionTimeout, heartbeatInterval }) => [sessionTimeout, heartbeatInterval]),
      [
        [30_000, 3000],
        [6, 2],
      ],
    )
    assert.equal(brief.isHealthy, true)
    await until(() => !brief.isHealthy)
  })

  it('does not join again after it left', async () => {
    const { options, made } = start([undefined, new Error('not yet'), undefined])
    const member = new RejoiningMember(options, 1)
    await member.join()
    made[0]?.emit('CRASH', { error: new Error('odd'), restart: false })
    await member.leave(10)
    await new Promise((resolve) => setTimeout(resolve, 20))
    assert.ok(made.length <= 2)
  })

  it('joining rejects if the group refuses the first consumer', async () => {
    const { options, made } = start([new Error('not authorised')])
    await assert.rejects(joinGroup(options), /not authorised/)
    assert.equal(made.length, 1)
  })
})
