import { setTimeout as sleep } from 'node:timers/promises'
import { openArchive, type Archive } from '../../../index/archive/open-archive.js'
import { createInbox } from '../../../index/store/inbox.js'
import { translateSqliteErrors } from '../../../index/store/database.js'
import { lockArchive, lockAsFollower } from '../../../index/store/locks.js'
import { deleteMeta, readMeta, writeMeta } from '../../../index/store/meta.js'
import { CameoError, messageOf } from '../../../pipeline/common/errors.js'
import { checkHead, type HeadFile } from '../../../pipeline/describe/head/head-file.js'
import { beginReplay, endReplay, isReplaying } from './archive-recipes.js'
import { withAdmin, type EachBatchPayload } from '../broker/client.js'
import { createErasureFollower } from '../../ingest/follow-erasures.js'
import { createVectorFollower } from '../../ingest/vector-follower.js'
import { createDescriptorWriter, topicChanged } from './descriptor-writer.js'
import { joinGroup, type Group } from '../broker/group-member.js'
import { createNamesLog } from './names-log.js'
import type { StageWorker, WorkerContext } from './stage-worker.js'
import { undoLostStatuses } from './status.js'
import { topicEnds } from '../broker/topic-admin.js'
import { groupName, topicName } from '../broker/topics.js'

export interface IndexWorkerOptions {
  readonly context: WorkerContext
  readonly archiveDir: string
  readonly reprocess: boolean
  /** The head that the describe workers have, for searches in this archive. */
  readonly head: HeadFile | undefined
  /** Told of an error that it cannot work with: the disk is full, the archive was fed from elsewhere. */
  readonly onFatal: (error: unknown) => void
}

export interface IndexWorker extends StageWorker {
  /** Resolves when everything that lay in the topic at the start is in the archive. */
  readonly caughtUp: Promise<void>
}

const indexEveryMs = 2000
const publishEveryMs = 500

/** What a fetch brings is one transaction, and in memory as long as that takes. */
const fetch = { maxBytes: 1024 * 1024, minBytes: 128 * 1024, maxWaitMs: 500 }

const clusterKey = 'kafka.cluster'

/**
 * Reads described segments into an archive. Rows and position are one transaction, and reading goes on where the archive
 * says, whatever the group has committed: so nothing is lost or done twice, wherever the process ends. What has to be
 * published because of the rows lies in the archive too, until it is.
 * @throws ARCHIVE_BUSY, TOPIC_CHANGED, TOPIC_MISSING and what `openArchive` throws
 */
export async function startIndexWorker(options: IndexWorkerOptions): Promise<IndexWorker> {
  const { context, archiveDir } = options
  const onNotice = (message: string) => context.log.info({ archive: archiveDir }, message)
  const archive = openArchive(archiveDir, { create: true, onNotice })
  try {
    const lock = await lockAsFollower(archiveDir, () =>
      context.log.info({ archive: archiveDir }, 'another process is writing to the archive: waiting for it'),
    )
    try {
      return await startLocked(context, archive, options, () => {
        archive.close()
        lock.release()
      })
    } catch (error) {
      lock.release()
      throw error
    }
  } catch (error) {
    archive.close()
    throw error
  }
}

async function startLocked(
  context: WorkerContext,
  archive: Archive,
  options: IndexWorkerOptions,
  release: () => void,
): Promise<IndexWorker> {
  const { kafka, connection, publisher, log } = context
  const { database, recipe } = archive
  const { head, reprocess } = options
  if (head !== undefined && recipe !== undefined && !reprocess) checkHead(head, recipe)
  const topic = topicName(connection, 'descriptors')
  const inbox = createInbox(database)
  const writer = createDescriptorWriter({ context, archive, inbox, reprocess, head })
  const { cluster, ends } = await withAdmin(kafka, connection, async (admin) => ({
    cluster: `${(await admin.describeCluster()).clusterId} ${connection.prefix}`,
    ends: await topicEnds(admin, connection, 'descriptors'),
  }))
  checkCluster(archive, cluster)
  for (const { partition, low, high } of ends) {
    const next = writer.nextOf(partition)
    if (next !== undefined && (next > high || next < low)) throw topicChanged(archive, topic)
  }
  const names = createNamesLog(context, archive)
  await names.restore(cluster)

  /** Partitions with messages that are not applied, and where they ended at the start. */
  const missing = new Map(ends.map(({ partition, high }) => [partition, high]))
  let catchUp: () => void = () => undefined
  const caughtUp = new Promise<void>((resolve) => (catchUp = resolve)).then(finishReplay)
  let isStopping = false
  let group: Group | undefined
  let fatal: unknown

  async function finishReplay(): Promise<void> {
    if (!isReplaying(database)) return
    try {
      const lost = await undoLostStatuses(context, archive)
      if (lost > 0) log.warn({ clips: lost }, 'the topic has lost clips that were indexed: submit them again')
      endReplay(database)
    } catch (error) {
      // At the next start once more.
      log.warn({ error: messageOf(error) }, 'the statuses of lost clips were not taken back')
    }
  }

  function fail(error: unknown): void {
    if (fatal !== undefined || isStopping) return
    fatal = error
    options.onFatal(error)
  }

  function noteProgress(partition: number, low: bigint): void {
    const end = missing.get(partition)
    const next = writer.nextOf(partition) ?? low
    if (end !== undefined && next >= end) missing.delete(partition)
    if (missing.size === 0) catchUp()
  }

  for (const { partition, low } of ends) noteProgress(partition, low)

  async function apply(fetched: readonly EachBatchPayload[]): Promise<void> {
    if (isStopping || fatal !== undefined) return
    try {
      writer.write(fetched.map(({ batch }) => batch))
    } catch (error) {
      fail(error)
      return
    }
    for (const payload of fetched) {
      payload.resolveOffset(payload.batch.lastOffset())
      noteProgress(payload.batch.partition, 0n)
    }
    // What is not published now, the broker being away for example, is later.
    await publish().catch((error: unknown) =>
      log.warn({ error: messageOf(error) }, 'publishing will go on later'),
    )
    await commit(fetched.map(({ batch }) => batch.partition))
  }

  /** For those who look at the lag; where to go on is what the archive says. */
  async function commit(partitions: readonly number[]): Promise<void> {
    const offsets = partitions.flatMap((partition) => {
      const next = writer.nextOf(partition)
      return next === undefined ? [] : [{ partition, next }]
    })
    await group
      ?.commit(offsets)
      .catch((error: unknown) => log.debug({ error: messageOf(error) }, 'the lag is shown late'))
  }

  let publishing: Promise<void> = Promise.resolve()

  /** One after the other, so that a clip's statuses keep their order. */
  function publish(): Promise<void> {
    const next = publishing.then(async () => {
      for (;;) {
        const entries = inbox.unpublished(200)
        const last = entries.at(-1)
        if (last === undefined) return
        await publisher.send(entries)
        inbox.markPublished(last.entry)
      }
    })
    publishing = next.catch(() => undefined)
    return next
  }

  const vectors = createVectorFollower(archive.dir, (text) => log.info(text))
  const erasures = createErasureFollower(archive, (text) => log.warn(text))
  const timers = [
    setInterval(() => vectors.follow(), indexEveryMs),
    setInterval(() => {
      erasures
        .follow()
        .catch((error: unknown) => log.warn({ error: messageOf(error) }, 'an erasure will be finished later'))
      Promise.all([publish(), names.publish()]).catch((error: unknown) =>
        log.warn({ error: messageOf(error) }, 'publishing will go on later'),
      )
    }, publishEveryMs),
  ]

  context.metrics.setInfo({ head: head?.sha256 ?? 'none', archive: readMeta(database, 'archive_id') ?? '' })
  // Each archive reads everything.
  const groupId = `${groupName(connection, 'index')}.${readMeta(database, 'archive_id') ?? ''}`
  const member = await joinGroup({
    ...{ kafka, topic, groupId, log, fetch },
    onAssigned(partitions, joined) {
      group = joined
      for (const partition of partitions) {
        const next = writer.nextOf(partition) ?? 0n
        // From the last applied message on: it is compared, not applied again.
        joined?.seek(partition, next > 0n ? next - 1n : 0n)
      }
    },
    onFetched: apply,
  })

  return {
    groupId,
    caughtUp,
    get isHealthy() {
      return fatal === undefined && !isStopping && member.isHealthy
    },
    async stop(drainMs) {
      isStopping = true
      for (const timer of timers) clearInterval(timer)
      const deadline = sleep(drainMs, undefined, { ref: false })
      await member.leave(drainMs)
      await Promise.race([publish().catch(() => undefined), deadline])
      // It is a cache: what is not written of it is made good at the next start.
      await Promise.race([vectors.close(), deadline])
      await erasures.follow().catch(() => undefined)
      release()
    },
  }
}

/** Remembers which cluster feeds the archive. Throws TOPIC_CHANGED for another. */
function checkCluster(archive: Archive, cluster: string): void {
  const own = readMeta(archive.database, clusterKey)
  if (own === undefined) writeMeta(archive.database, clusterKey, cluster)
  else if (own !== cluster)
    throw new CameoError(
      'TOPIC_CHANGED',
      `the archive ${archive.dir} was fed from another cluster or topic prefix (${own}) than this one (${cluster}): ` +
        'give its --brokers, or run "cameo replay" to build it anew from here',
    )
}

/** Takes everything out of an archive that came by messages, so that the topic is read from its beginning. */
export function resetForReplay(archiveDir: string): void {
  const archive = openArchive(archiveDir, { create: true })
  try {
    const lock = lockArchive(archiveDir)
    try {
      const { database } = archive
      translateSqliteErrors(archiveDir, () =>
        database
          .transaction(() => {
            createInbox(database).forgetPositions()
            database.prepare('DELETE FROM clips').run()
            database.prepare('DELETE FROM paths').run()
            deleteMeta(database, clusterKey)
            beginReplay(database)
          })
          .immediate(),
      )
    } finally {
      lock.release()
    }
  } finally {
    archive.close()
  }
}
