import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  committedOffsets,
  lagOf,
  partitionLags,
  topicEnds,
} from '../../../../../workers/kafka/broker/topic-offsets.js'

/** A broker with a group that has committed these offsets; −1 means none. */
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
  it('is the whole partition if the group has committed nothing in it', async () => {
    assert.deepEqual(await committedOffsets(adminWith(['-1', '12']), 'g', 't'), new Map([[1, 12n]]))
    assert.equal((await partitionLags(adminWith(['-1', '12']), 'g', 't', ends)).get(0), 15)
  })

  it('is everything between its offset and the end', async () => {
    const lags = await partitionLags(adminWith(['12', '25', '24']), 'g', 't', ends)
    assert.deepEqual([...lags.values()], [13, 0, 1])
    assert.equal(await lagOf(adminWith(['12', '25', '24']), 'g', 't', ends), 14)
  })

  it('is limited to the remaining messages if unread messages were deleted', async () => {
    assert.equal((await partitionLags(adminWith(['3']), 'g', 't', ends)).get(0), 15)
  })
})

it('a topic begins at its first remaining message', async () => {
  const found = await topicEnds(adminWith([]), { prefix: 'cameo' }, 'jobs')
  assert.deepEqual(found, [{ partition: 0, low: 2n, high: 9n }])
})
