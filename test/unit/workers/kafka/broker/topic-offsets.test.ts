import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  committedOffsets,
  lagOf,
  partitionLags,
  topicEnds,
} from '../../../../../workers/kafka/broker/topic-offsets.js'

/** A broker with a group that has committed these offsets; −1 is none. */
const adminWith = (offsets: readonly string[]) => ({
  fetchOffsets: ({ topics = [] }: { readonly topics?: readonly (string | { readonly topic: string })[] }) =>
    Promise.resolve(
      topics.map((topic) => ({
        topic: typeof topic === 'string' ? topic : topic.topic,
        partitions: offsets.map((offset, partition) => ({ partition, offset, metadata: null })),
      })),
    ),
  fetchTopicOffsets: () => Promise.resolve([{ partition: 0, offset: '9', low: '2', high: '9' }]),
})

const ends = [0, 1, 2].map((partition) => ({ partition, low: 10n, high: 25n }))

describe('what a group has not finished', () => {
  it('is all of a partition in which it has committed nothing', async () => {
    assert.deepEqual(await committedOffsets(adminWith(['-1', '12']), 'g', 't'), new Map([[1, 12n]]))
    assert.equal((await partitionLags(adminWith(['-1', '12']), 'g', 't', ends)).get(0), 15)
  })

  it('is what lies between its offset and the end', async () => {
    const lags = await partitionLags(adminWith(['12', '25', '24']), 'g', 't', ends)
    assert.deepEqual([...lags.values()], [13, 0, 1])
    assert.equal(await lagOf(adminWith(['12', '25', '24']), 'g', 't', ends), 14)
  })

  it('is no more than the topic still has, where what it had not read was deleted', async () => {
    assert.equal((await partitionLags(adminWith(['3']), 'g', 't', ends)).get(0), 15)
  })
})

it('a topic begins at the first message that it still has', async () => {
  const found = await topicEnds(adminWith([]), { prefix: 'cameo' }, 'jobs')
  assert.deepEqual(found, [{ partition: 0, low: 2n, high: 9n }])
})
