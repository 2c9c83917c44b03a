import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from 'pino'
import { openArchive, type Archive } from '../../../../index/archive/open-archive.js'
import { createInbox } from '../../../../index/store/inbox.js'
import { lockAsFollower } from '../../../../index/store/locks.js'
import { readMeta } from '../../../../index/store/meta.js'
import { messageOf } from '../../../../pipeline/common/errors.js'
import { checkHead, type HeadFile } from '../../../../pipeline/describe/head/head-file.js'
import { createErasureFollower, type ErasureFollower } from '../../../ingest/follow-erasures.js'
import { createVectorFollower, type VectorFollower } from '../../../ingest/vector-follower.js'
import { CatchUp } from '../../broker/catch-up.js'
import { withAdmin, type EachBatchPayload } from '../../broker/client.js'
import { joinGroup } from '../../broker/group-member.js'
import type { Group, GroupEvents, GroupMember } from '../../broker/group.js'
import { topicEnds, type TopicEnds } from '../../broker/topic-offsets.js'
import { groupName, topicName } from '../../broker/topics.js'
import { endReplay, isReplaying } from './archive-recipes.js'
import { checkCluster } from './archive-source.js'
import { createDescriptorWriter, topicChanged, type DescriptorWriter } from './descriptor-writer.js'
import { NamesLog } from '../names/names-log.js'
import { OutboxPublisher } from './outbox-publisher.js'
import type { StageWorker, WorkerContext } from '../shared/stage-worker.js'
import { undoLostStatuses } from './status.js'

export interface IndexWorkerOptions {
  readonly context: WorkerContext
  readonly archiveDir: string
  readonly reprocess: boolean
  /** The head of the describe workers, for searches in this archive. */
  readonly head: HeadFile | undefined
  /** Called for an error that stops this worker: the disk is full, the archive was fed from another topic. */
  readonly onFatal: (error: unknown) => void
}

const indexEveryMs = 2000
const publishEveryMs = 500

/** A fetch is one transaction, and stays in memory until it is written. */
const fetch = { maxBytes: 1024 * 1024, minBytes: 128 * 1024, maxWaitMs: 500 }

/**
 * Reads described segments into an archive. Rows and position are one transaction. Reading continues at the
 * archive's position, not at the group's committed offset. So nothing is lost or done twice, wherever the
 * process ends. Messages to publish because of the rows are also stored in the archive, until they are
 * published.
 * @throws ARCHIVE_BUSY, TOPIC_CHANGED, TOPIC_MISSING and errors of `openArchive`
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
      return await startLocked(archive, options, () => {
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
  archive: Archive,
  { context, head, reprocess, onFatal }: IndexWorkerOptions,
  release: () => void,
): Promise<IndexWorker> {
  const { kafka, connection, publisher, log, metrics } = context
  const { database, recipe } = archive
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
  const names = new NamesLog(context, archive)
  await names.restore(cluster)

  const archiveId = readMeta(database, 'archive_id') ?? ''
  metrics.setInfo({ head: head?.sha256 ?? 'none', archive: archiveId })
  const worker = new IndexWorker({
    // Each archive reads everything.
    groupId: `${groupName(connection, 'index')}.${archiveId}`,
    ...{ log, archive, writer, names, ends, release, onFatal },
    outbox: new OutboxPublisher(inbox, publisher),
    undoLostStatuses: () => undoLostStatuses(context, archive),
  })
  const { groupId } = worker
  const { sessionTimeoutMs } = connection
  await worker.join((events) => joinGroup({ kafka, topic, groupId, log, fetch, sessionTimeoutMs, ...events }))
  return worker
}

export interface IndexWorkerParts {
  readonly groupId: string
  readonly log: Logger
  readonly archive: Archive
  readonly writer: DescriptorWriter
  readonly names: Pick<NamesLog, 'publish'>
  readonly outbox: OutboxPublisher
  /** Ends of the topic's partitions at the start. */
  readonly ends: TopicEnds
  /** See `undoLostStatuses`. */
  readonly undoLostStatuses: () => Promise<number>
  /** Closes the archive and gives its lock back. */
  readonly release: () => void
  readonly onFatal: (error: unknown) => void
}

/**
 * Writes the messages of its group into an archive, and updates what depends on the rows: statuses, names,
 * vectors.
 */
export class IndexWorker implements StageWorker {
  readonly #parts: IndexWorkerParts
  readonly #progress: CatchUp
  readonly #vectors: VectorFollower
  readonly #erasures: ErasureFollower
  readonly #timers: readonly NodeJS.Timeout[]
  #group: Group | undefined
  #member: GroupMember | undefined
  #isStopping = false
  #hasFailed = false
  /** Resolves when everything that was in the topic at the start is in the archive. */
  readonly caughtUp: Promise<void>

  constructor(parts: IndexWorkerParts) {
    this.#parts = parts
    const { archive, ends, log, writer } = parts
    this.#progress = new CatchUp(ends.map(({ partition, high }) => [partition, high]))
    for (const { partition, low } of ends) this.#progress.noteRead(partition, writer.nextOf(partition) ?? low)
    this.caughtUp = this.#progress.caughtUp.then(() => this.#finishReplay())
    this.#vectors = createVectorFollower(archive, (text) => log.info(text))
    this.#erasures = createErasureFollower(archive, (text) => log.warn(text))
    this.#timers = [
      setInterval(() => this.#vectors.follow(), indexEveryMs),
      setInterval(() => this.#followUp(), publishEveryMs),
    ]
  }

  get groupId(): string {
    return this.#parts.groupId
  }

  get isHealthy(): boolean {
    return !this.#hasFailed && !this.#isStopping && this.#member?.isHealthy === true
  }

  async join(join: (events: GroupEvents) => Promise<GroupMember>): Promise<void> {
    this.#member = await join({
      onAssigned: (partitions, group) => this.#assign(partitions, group),
      onFetched: (batches) => this.#apply(batches),
    })
  }

  async stop(drainMs: number): Promise<void> {
    this.#isStopping = true
    for (const timer of this.#timers) clearInterval(timer)
    const deadline = sleep(drainMs, undefined, { ref: false })
    await this.#member?.leave(drainMs)
    await Promise.race([this.#parts.outbox.publish().catch(() => undefined), deadline])
    // The index is a cache: the next start writes what is missing.
    await Promise.race([this.#vectors.close(), deadline])
    await this.#erasures.follow().catch(() => undefined)
    this.#parts.release()
  }

  #assign(partitions: readonly number[], group: Group | undefined): void {
    this.#group = group
    for (const partition of partitions) {
      const next = this.#parts.writer.nextOf(partition) ?? 0n
      // Starts at the last applied message: it is compared, not applied again.
      group?.seek(partition, next > 0n ? next - 1n : 0n)
    }
  }

  async #apply(fetched: readonly EachBatchPayload[]): Promise<void> {
    if (this.#isStopping || this.#hasFailed) return
    const { writer, outbox } = this.#parts
    try {
      writer.write(fetched.map(({ batch }) => batch))
    } catch (error) {
      this.#hasFailed = true
      this.#parts.onFatal(error)
      return
    }
    for (const payload of fetched) {
      const { batch } = payload
      payload.resolveOffset(batch.lastOffset())
      this.#progress.noteRead(batch.partition, writer.nextOf(batch.partition) ?? 0n)
    }
    await outbox.publish().catch((error: unknown) => this.#warnUnpublished(error))
    await this.#commit(fetched.map(({ batch }) => batch.partition))
  }

  /** Only for monitoring of the lag. The archive decides where reading continues. */
  async #commit(partitions: readonly number[]): Promise<void> {
    const offsets = partitions.flatMap((partition) => {
      const next = this.#parts.writer.nextOf(partition)
      return next === undefined ? [] : [{ partition, next }]
    })
    await this.#group
      ?.commit(offsets)
      .catch((error: unknown) => this.#parts.log.debug({ error: messageOf(error) }, 'the lag is shown late'))
  }

  #followUp(): void {
    const { log, names, outbox } = this.#parts
    this.#erasures
      .follow()
      .catch((error: unknown) => log.warn({ error: messageOf(error) }, 'an erasure will be finished later'))
    Promise.all([outbox.publish(), names.publish()]).catch((error: unknown) => this.#warnUnpublished(error))
  }

  /** What cannot be published now, for example because the broker is unavailable, is published later. */
  #warnUnpublished(error: unknown): void {
    this.#parts.log.warn({ error: messageOf(error) }, 'publishing will continue later')
  }

  async #finishReplay(): Promise<void> {
    const { archive, log, undoLostStatuses } = this.#parts
    if (!isReplaying(archive.database)) return
    try {
      const lost = await undoLostStatuses()
      if (lost > 0) log.warn({ clips: lost }, 'the topic has lost clips that were indexed: submit them again')
      endReplay(archive.database)
    } catch (error) {
      // The next start tries again.
      log.warn({ error: messageOf(error) }, 'the statuses of lost clips were not taken back')
    }
  }
}
