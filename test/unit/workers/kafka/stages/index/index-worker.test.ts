import assert from 'node:assert/strict'
import { mkdtempSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { openArchive } from '../../../../../../index/archive/open-archive.js'
import { createInbox } from '../../../../../../index/store/inbox.js'
import { CameoError } from '../../../../../../pipeline/common/errors.js'
import type { OutMessage } from '../../../../../../workers/kafka/broker/out-messages.js'
import type { GroupEvents } from '../../../../../../workers/kafka/broker/group.js'
import { encodeMessage } from '../../../../../../workers/kafka/messages/schemas.js'
import { beginReplay, isReplaying } from '../../../../../../workers/kafka/stages/index/archive-recipes.js'
import { createDescriptorWriter } from '../../../../../../workers/kafka/stages/index/descriptor-writer.js'
import { IndexWorker } from '../../../../../../workers/kafka/stages/index/index-worker.js'
import { OutboxPublisher } from '../../../../../../workers/kafka/stages/index/outbox-publisher.js'
import { createSilentLog } from '../../../../../../workers/service/log.js'
import { createMetrics } from '../../../../../../workers/service/metrics.js'
import { temporaryDir } from '../../../../../support/cameo.js'
import { clipId, good, recipeWith } from '../../../../../support/described.js'
import { batchOf, messageAt, scriptedGroup } from '../../../../../support/scripted-group.js'

const archives = temporaryDir()
const recipe = recipeWith().digest

interface Setup {
  /** End of partition 0 at the start. */
  readonly high?: bigint
  readonly isReplay?: boolean
}

/** A worker of an empty archive, in a group that has passed nothing to it yet. */
async function start({ high = 2n, isReplay = false }: Setup = {}) {
  const archive = openArchive(mkdtempSync(join(archives, 'archive-')), { create: true })
  if (isReplay) beginReplay(archive.database)
  const inbox = createInbox(archive.database)
  const connection = { ...{ brokers: [], clientId: 'test', prefix: 'test' }, tls: undefined, sasl: undefined }
  const log = createSilentLog()
  const context = { connection, log, metrics: createMetrics('index') }
  const sent: OutMessage[] = []
  const send = (messages: readonly OutMessage[]) => {
    sent.push(...messages)
    return Promise.resolve()
  }
  const fatal: unknown[] = []
  const did = { undone: 0, released: 0 }
  const worker = new IndexWorker({
    ...{ groupId: 'test.index', log, archive },
    writer: createDescriptorWriter({ context, archive, inbox, reprocess: false, head: undefined }),
    names: { publish: () => Promise.resolve() },
    outbox: new OutboxPublisher(inbox, { send }),
    ends: [{ partition: 0, low: 0n, high }],
    undoLostStatuses: () => Promise.resolve(++did.undone),
    release() {
      archive.close()
      did.released++
    },
    onFatal: (error) => fatal.push(error),
  })
  let events: GroupEvents | undefined
  await worker.join((given) => {
    events = given
    return Promise.resolve({ isHealthy: true, leave: () => Promise.resolve() })
  })
  assert.ok(events !== undefined)
  return { worker, archive, events, sent, fatal, did }
}

const segment = (offset: number) =>
  good(0, { segments: 1, pass: 'first' }).map((message, i) => messageAt(offset + i, encodeMessage(message)))

describe('IndexWorker', () => {
  it('writes fetched messages, publishes the results, and then commits', async () => {
    const { worker, archive, events, sent } = await start()
    const { group, commits, seeks } = scriptedGroup()
    events.onAssigned([0], group)
    assert.deepEqual(seeks, [[0, 0n]])
    const { payload, resolved } = batchOf(0, segment(0))
    await events.onFetched([payload])
    assert.equal(archive.clips.run({ clipId, recipe })?.state, 'done')
    assert.deepEqual(sent.map(({ topic }) => topic), ['test.status']) // prettier-ignore
    assert.deepEqual(resolved, ['1'])
    assert.deepEqual(commits, [{ partition: 0, next: 2n }])
    await worker.caughtUp
    await worker.stop(1000)
  })

  it('continues at the last message that it wrote, whatever the group committed', async () => {
    const { worker, events } = await start()
    events.onAssigned([0], scriptedGroup().group)
    await events.onFetched([batchOf(0, segment(5)).payload])
    const { group, seeks } = scriptedGroup()
    events.onAssigned([0, 1], group)
    assert.deepEqual(seeks, [[0, 6n], [1, 0n]]) // prettier-ignore
    await worker.stop(1000)
  })

  it('has caught up at once with an empty topic; a replay then ends, and lost statuses are deleted', async () => {
    const { worker, archive, did } = await start({ high: 0n, isReplay: true })
    await worker.caughtUp
    assert.equal(did.undone, 1)
    assert.equal(isReplaying(archive.database), false)
    await worker.stop(1000)
  })

  it('deletes no status without a replay', async () => {
    const { worker, did } = await start({ high: 0n })
    await worker.caughtUp
    assert.equal(did.undone, 0)
    await worker.stop(1000)
  })

  it('reports a fatal error once, is not healthy any more and writes nothing more', async () => {
    const { worker, events, fatal } = await start({ high: 9n })
    events.onAssigned([0], scriptedGroup().group)
    assert.equal(worker.isHealthy, true)
    await events.onFetched([batchOf(0, segment(5)).payload])
    // Shorter than what was written: a new topic with the same name.
    const other = batchOf(0, segment(0))
    await events.onFetched([other.payload])
    await events.onFetched([other.payload])
    assert.deepEqual(fatal.map((error) => error instanceof CameoError && error.code), ['TOPIC_CHANGED']) // prettier-ignore
    assert.deepEqual(other.resolved, [])
    assert.equal(worker.isHealthy, false)
    await worker.stop(1000)
  })

  it('at the end, releases its archive, and takes nothing more', async () => {
    const { worker, events, did } = await start({ high: 0n })
    await worker.stop(1000)
    assert.equal(did.released, 1)
    const late = batchOf(0, segment(0))
    await events.onFetched([late.payload])
    assert.deepEqual(late.resolved, [])
  })
})
