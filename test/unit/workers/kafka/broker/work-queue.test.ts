import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { WorkQueue, type Work } from '../../../../../workers/kafka/broker/work-queue.js'
import { workAt } from '../../../../support/scripted-group.js'

/** A queue with these offsets of partition 0 waiting. Two are handled at a time. */
function start(offsets: readonly number[], suspects: readonly bigint[] = [], ahead = 4) {
  const isSuspect = ({ offset }: Work) => suspects.includes(offset)
  const queue = new WorkQueue({ concurrency: 2, ahead, isSuspect })
  const works = offsets.map((offset) => workAt(0, offset))
  for (const work of works) queue.add(work)
  return { queue, works }
}

describe('WorkQueue', () => {
  it('starts messages in order, at most as many at a time as its concurrency', () => {
    const { queue, works } = start([1, 2, 3])
    const [first, second] = [queue.begin(), queue.begin()]
    assert.deepEqual([first, second], works.slice(0, 2))
    assert.equal(queue.begin(), undefined)
    assert.ok(second !== undefined)
    queue.end(second)
    assert.equal(queue.begin(), works[2])
    assert.equal(queue.inWork, 2)
  })

  it('has room for its concurrency and the messages taken ahead, and runs low at half of those', () => {
    const { queue } = start([1, 2, 3, 4, 5])
    assert.deepEqual([queue.hasRoom, queue.isRunningLow], [true, false])
    queue.add(workAt(0, 6))
    assert.equal(queue.hasRoom, false)
    queue.begin()
    queue.begin()
    assert.deepEqual([queue.hasRoom, queue.isRunningLow], [false, false], 'two in work, four wait')
    const other = start([1, 2])
    assert.equal(other.queue.isRunningLow, true)
  })

  it('starts a suspect only alone, and nothing beside it', () => {
    const { queue, works } = start([1, 2, 3], [2n])
    const [first, suspect, last] = works
    assert.ok(first !== undefined && suspect !== undefined)
    assert.equal(queue.begin(), first)
    assert.equal(queue.begin(), undefined, 'the suspect waits for the first')
    queue.end(first)
    assert.equal(queue.begin(), suspect)
    assert.equal(queue.begin(), undefined, 'the last waits for the suspect')
    queue.end(suspect)
    assert.equal(queue.begin(), last)
  })

  it('drops and aborts messages of partitions that moved to other workers', () => {
    const { queue } = start([1])
    const [mine, theirs] = [workAt(0, 2), workAt(1, 1)]
    queue.add(theirs)
    queue.add(mine)
    const gone = [queue.begin(), queue.begin()]
    queue.add(workAt(1, 2))
    queue.keepOnly(new Set([0]))
    assert.deepEqual(gone.map((work) => work?.abort.signal.aborted), [false, true]) // prettier-ignore
    assert.equal(queue.begin(), undefined, 'an aborted message is in work until it ends')
    queue.end(theirs)
    assert.equal(queue.begin(), mine)
    queue.end(mine)
    assert.equal(queue.begin(), undefined, 'the waiting messages of partition 1 are gone')
  })

  it('notes the messages in work and the next ones of one partition, up to four times its concurrency', () => {
    const { queue } = start(Array.from({ length: 20 }, (_, i) => i))
    queue.begin()
    assert.deepEqual(queue.offsetsToNote(0), [0n, 1n, 2n, 3n, 4n, 5n, 6n, 7n, 8n])
    assert.deepEqual(queue.offsetsToNote(1), [])
  })

  it('notes nothing beside a suspect', () => {
    const ahead = start([1, 2, 3], [3n])
    ahead.queue.begin()
    assert.deepEqual(ahead.queue.offsetsToNote(0), [1n, 2n])
    const alone = start([3, 4], [3n])
    alone.queue.begin()
    assert.deepEqual(alone.queue.offsetsToNote(0), [3n])
    assert.deepEqual(start([3, 4], [3n]).queue.offsetsToNote(0), [])
  })

  it('at the end, drops waiting messages, aborts those in work and no longer counts them', () => {
    const { queue } = start([1, 2])
    const work = queue.begin()
    queue.dropWaiting()
    queue.abortInWork()
    assert.equal(work?.abort.signal.aborted, true)
    assert.equal(queue.begin(), undefined)
    assert.equal(queue.inWork, 1)
    queue.abandonInWork()
    assert.equal(queue.inWork, 0)
  })
})
