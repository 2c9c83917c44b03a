import { withAdmin, type KafkaClient } from './client.js'
import type { KafkaConnection } from './connection.js'
import { committedOffsets, topicEnds } from './topic-offsets.js'
import { groupName, stageInput, topicName } from './topics.js'

/**
 * Deletes the jobs and embeddings that workers have finished. Keeps the descriptors: an archive can be
 * rebuilt from them. Returns the number of deleted messages.
 */
export async function trimTopics(kafka: KafkaClient, connection: KafkaConnection): Promise<number> {
  return withAdmin(kafka, connection, async (admin) => {
    let deleted = 0
    for (const stage of ['faces', 'describe'] as const) {
      const kind = stageInput[stage]
      const committed = await committedOffsets(
        admin,
        groupName(connection, stage),
        topicName(connection, kind),
      )
      const finished = (await topicEnds(admin, connection, kind)).flatMap(({ partition, low }) => {
        const next = committed.get(partition) ?? low
        if (next <= low) return []
        deleted += Number(next - low)
        return [{ partition, offset: `${next}` }]
      })
      if (finished.length > 0)
        await admin.deleteTopicRecords({ topic: topicName(connection, kind), partitions: finished })
    }
    return deleted
  })
}
