import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { CrashCounts, type GroupCrashCounts } from '../../../../../workers/kafka/broker/crash-counts.js'
import type { GroupEvents } from '../../../../../workers/kafka/broker/group.js'
import { QueueConsumer, type QueueOptions } from '../../../../../workers/kafka/broker/queue-consumer.js'
import { createSilentLog } from '../../../../../workers/service/log.js'
import { batchOf, messageAt, scriptedGroup } from '../../../../support/scripted-group.js'

/** A consumer with messages that finish when the test says so. */
async function start(options: Partial<QueueOptions> = {}) {
  const begun: string[] = []
  const deaths: number[] = []
  const inWork: number[] = []
  const ends = new Map<string, () => void>()
  const consumer = new QueueConsumer({
    ...{ topic: 'test', log: createSilentLog(), concurrency: 2, ahead: 2 },
    handle: ({ partition, offset }, signal, died) =>
      new Promise((resolve, reject) => {
        begun.push(`${partition}/${offset}`)
        deaths.push(died)
        ends.set(`${partition}/${offset}`, resolve)
        signal.addEventListener('abort', () => reject(new Error('aborted')))
      }),
    onInWork: (count) => inWork.push(count),
    ...options,
  })
  let events: GroupEvents | undefined
  const left: number[] = []
  await consumer.join((given) => {
    events = given
    return Promise.resolve({ isHealthy: true, leave: (ms) => Promise.resolve(void left.push(ms)) })
  })
  assert.ok(events !== undefined)
  const done = async (place: string) => {
    ends.get(place)?.()
    await settled()
  }
  return { consumer, events, begun, deaths, inWork, done, left }
}

/** Resolves when everything that needs no timer has happened. */
async function settled() {
  for (let turn = 0; turn < 10; turn++) await new Promise(setImmediate)
}

const messages = (...offsets: number[]) => offsets.map((offset) => messageAt(offset))
const nexts = (commits: readonly { readonly partition: number; readonly next: bigint }[]) =>
  commits.map(({ partition, next }) => `${partition}/${next}`)

describe('QueueConsumer', { concurrency: true }, () => {
  it('queues fetched messages, pauses a partition when the queue is full, resumes it when half is gone', async () => {
    const { consumer, events, begun, inWork, done } = await start()
    events.onAssigned([0], scriptedGroup().group)
    const { payload, resolved, pauses } = batchOf(0, messages(0, 1, 2, 3, 4))
    await events.onFetched([payload])
    assert.deepEqual(resolved, ['0', '1', '2', '3'])
    assert.deepEqual(begun, ['0/0', '0/1'])
    assert.deepEqual(pauses, { paused: 1, resumed: 0 })
    await done('0/0')
    assert.deepEqual(begun, ['0/0', '0/1', '0/2'])
    assert.deepEqual(pauses, { paused: 1, resumed: 1 })
    assert.deepEqual(inWork, [1, 2, 1, 2])
    await consumer.stop(0)
  })

  it('at the end, waits for messages in work, commits them, returns waiting messages and leaves the group', async () => {
    const { consumer, events, begun, done, left } = await start()
    const { group, commits } = scriptedGroup()
    events.onAssigned([0], group)
    await events.onFetched([batchOf(0, messages(7, 8, 9)).payload])
    assert.equal(consumer.isHealthy, true)
    const stopping = consumer.stop(5000)
    assert.equal(consumer.isHealthy, false)
    await done('0/7')
    await done('0/8')
    await stopping
    assert.deepEqual(begun, ['0/7', '0/8'])
    assert.deepEqual(nexts(commits), ['0/9'])
    assert.equal(left.length, 1)
  })

  it('at the end, aborts messages that take too long, and does not commit them', async () => {
    const { consumer, events } = await start()
    const { group, commits } = scriptedGroup()
    events.onAssigned([0], group)
    await events.onFetched([batchOf(0, messages(7)).payload])
    await consumer.stop(0)
    assert.deepEqual(commits, [])
  })

  it('takes no message of an unassigned partition, and no message twice', async () => {
    const { consumer, events, begun } = await start()
    events.onAssigned([0], scriptedGroup().group)
    const [foreign, again] = [batchOf(1, messages(5)), batchOf(0, messages(0))]
    await events.onFetched([foreign.payload, batchOf(0, messages(0)).payload, again.payload])
    assert.deepEqual(begun, ['0/0'])
    assert.deepEqual([foreign.resolved, again.resolved], [[], ['0']])
    await consumer.stop(0)
  })

  it('does not commit work on a partition that moved to another worker and came back', async () => {
    let finish: () => void = () => undefined
    // This handler ignores an abort.
    const handle = () => new Promise<void>((resolve) => (finish = resolve))
    const { consumer, events } = await start({ handle })
    const { group, commits } = scriptedGroup()
    events.onAssigned([0], group)
    await events.onFetched([batchOf(0, messages(0)).payload])
    events.onAssigned([1], group)
    events.onAssigned([0], group)
    finish()
    await settled()
    await consumer.stop(1000)
    assert.deepEqual(commits, [])
  })

  it('starts no message before the crash counts are known, and handles a suspect alone', async () => {
    const left = new CrashCounts('dead').note(0, 3n, [3n])
    let inform: (counts: GroupCrashCounts) => void = () => undefined
    const read = () => new Promise<GroupCrashCounts>((resolve) => (inform = resolve))
    const { consumer, events, begun, deaths, done } = await start({ crashCounts: { self: 'me', read } })
    const { group, commits } = scriptedGroup()
    events.onAssigned([0], group)
    await events.onFetched([batchOf(0, messages(3, 4)).payload])
    await settled()
    assert.deepEqual([begun, commits], [[], []])
    inform({ members: new Set(['me']), partitions: [{ partition: 0, offset: 3n, note: left }] })
    await settled()
    assert.deepEqual(begun, ['0/3'], 'the next one waits for the suspect')
    assert.deepEqual(JSON.parse(commits[0]?.note ?? ''), { member: 'me', work: [[0, 1]], died: [] })
    await done('0/3')
    await done('0/4')
    assert.deepEqual([begun, deaths], [['0/3', '0/4'], [1, 0]]) // prettier-ignore
    await consumer.stop(1000)
    assert.deepEqual(nexts(commits.slice(-1)), ['0/5'])
    assert.equal(commits.at(-1)?.note, undefined, 'a worker that stops properly leaves no note')
  })
})
