import assert from 'node:assert/strict'
import { mkdtempSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { openArchive } from '../../../../../../index/archive/open-archive.js'
import { createInbox } from '../../../../../../index/store/inbox.js'
import type { OutMessage } from '../../../../../../workers/kafka/broker/out-messages.js'
import { OutboxPublisher } from '../../../../../../workers/kafka/stages/index/outbox-publisher.js'
import { temporaryDir } from '../../../../../support/cameo.js'

const archives = temporaryDir()

/** An outbox with this many entries, and what arrives from it. */
function start(entries: number) {
  const archive = openArchive(mkdtempSync(join(archives, 'archive-')), { create: true })
  const inbox = createInbox(archive.database)
  for (let i = 0; i < entries; i++) inbox.toPublish('test.status', `${i}`, Uint8Array.of(i % 256))
  const requests: string[][] = []
  const broker = { isAway: false }
  const publisher = new OutboxPublisher(inbox, {
    async send(messages: readonly OutMessage[]) {
      await new Promise(setImmediate)
      if (broker.isAway) throw new Error('away')
      requests.push(messages.map(({ key }) => key))
    },
  })
  return { inbox, requests, broker, publisher }
}

describe('OutboxPublisher', () => {
  it('publishes everything in order, in requests of up to 200', async () => {
    const { publisher, requests, inbox } = start(450)
    await publisher.publish()
    assert.deepEqual(requests.map((keys) => keys.length), [200, 200, 50]) // prettier-ignore
    assert.deepEqual(
      requests.flat(),
      Array.from({ length: 450 }, (_, i) => `${i}`),
    )
    assert.deepEqual(inbox.unpublished(1), [])
  })

  it('calls wait for each other: nothing is sent twice', async () => {
    const { publisher, requests } = start(3)
    await Promise.all([publisher.publish(), publisher.publish()])
    assert.deepEqual(requests, [['0', '1', '2']])
  })

  it('unsent messages stay for the next call, together with new ones', async () => {
    const { publisher, requests, broker, inbox } = start(1)
    broker.isAway = true
    await assert.rejects(publisher.publish(), /away/)
    broker.isAway = false
    inbox.toPublish('test.status', 'new', Uint8Array.of(1))
    await publisher.publish()
    assert.deepEqual(requests, [['0', 'new']])
  })
})
