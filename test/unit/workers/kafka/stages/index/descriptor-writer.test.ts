import assert from 'node:assert/strict'
import { mkdtempSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import pino from 'pino'
import { openArchive } from '../../../../../../index/archive/open-archive.js'
import { createInbox } from '../../../../../../index/store/inbox.js'
import { CameoError } from '../../../../../../pipeline/common/errors.js'
import type { KafkaMessage } from '../../../../../../workers/kafka/broker/client.js'
import {
  createDescriptorWriter,
  type PartitionBatch,
} from '../../../../../../workers/kafka/stages/index/descriptor-writer.js'
import { encodeMessage } from '../../../../../../workers/kafka/messages/schemas.js'
import { createMetrics } from '../../../../../../workers/service/metrics.js'
import { dumpArchive } from '../../../../../support/archive-dump.js'
import { temporaryDir } from '../../../../../support/cameo.js'
import { clipId, good } from '../../../../../support/described.js'

const archives = temporaryDir()

/** A writer into an empty archive, and functions to inspect the archive. */
function start() {
  const dir = mkdtempSync(join(archives, 'archive-'))
  const archive = openArchive(dir, { create: true })
  const inbox = createInbox(archive.database)
  const connection = {
    ...{ brokers: ['127.0.0.1:9092'], clientId: 'test', prefix: 'test' },
    ...{ tls: undefined, sasl: undefined },
  }
  const logged: string[] = []
  const log = pino({}, { write: (line: string) => void logged.push(line) })
  const context = { connection, log, metrics: createMetrics('index') }
  const writer = createDescriptorWriter({ context, archive, inbox, reprocess: false, head: undefined })
  return {
    ...{ writer, logged },
    published: () => inbox.unpublished(100).map(({ topic }) => topic),
    rows: () => dumpArchive(dir),
    tracks: () => dumpArchive(dir).filter((row) => row.startsWith('track ')).length,
  }
}

const record = (offset: number, value: Uint8Array): KafkaMessage => ({
  ...{ key: Buffer.from(clipId), value: Buffer.from(value), offset: `${offset}` },
  ...{ timestamp: '1', attributes: 0, headers: {} },
})

/** The two messages of a segment with one track. */
const segment = (index: number, firstOffset: number) =>
  good(index, { segments: 2, pass: 'first' }).map((message, i) =>
    record(firstOffset + i, encodeMessage(message)),
  )

const batchOf = (partition: number, messages: readonly KafkaMessage[]): PartitionBatch => ({
  ...{ partition, messages },
  highWatermark: `${Number(messages.at(-1)?.offset ?? -1) + 1}`,
})

describe('writing a fetch', () => {
  it('writes all partitions, each with the position after its last message', () => {
    const { writer, tracks, published } = start()
    writer.write([batchOf(3, segment(0, 5)), batchOf(4, segment(1, 0))])
    assert.deepEqual([writer.nextOf(3), writer.nextOf(4), writer.nextOf(5)], [7n, 2n, undefined])
    assert.equal(tracks(), 2)
    assert.deepEqual(
      published(),
      ['test.status'],
      'the clip is reported as done once both segments are there',
    )
  })

  it('skips written messages: rows and positions stay unchanged', () => {
    const { writer, rows, published } = start()
    const batch = batchOf(0, segment(0, 0))
    writer.write([batch, batchOf(1, segment(1, 0))])
    const before = { rows: rows(), published: published() }
    writer.write([batch])
    assert.deepEqual({ rows: rows(), published: published() }, before)
    assert.equal(writer.nextOf(0), 2n)
  })

  it('writes nothing of any partition if one partition belongs to a new topic', () => {
    const { writer, rows } = start()
    writer.write([batchOf(0, segment(0, 0))])
    const before = rows()
    assert.throws(
      () => writer.write([batchOf(1, segment(1, 0)), batchOf(0, [record(1, Uint8Array.of(1))])]),
      (error) => error instanceof CameoError && error.code === 'TOPIC_CHANGED',
    )
    assert.deepEqual(rows(), before)
    assert.equal(writer.nextOf(1), undefined)
  })

  it('detects a topic that was created again and is shorter than the position', () => {
    const { writer } = start()
    writer.write([batchOf(0, segment(0, 5))])
    assert.throws(
      () => writer.write([batchOf(0, segment(1, 0))]),
      (error) => error instanceof CameoError && error.code === 'TOPIC_CHANGED',
    )
  })

  it('an unreadable message goes to the dead letters, and the messages around it are written', () => {
    const { writer, tracks, published } = start()
    const [described, closing] = segment(0, 0)
    assert.ok(described !== undefined && closing !== undefined)
    const poison = record(1, Uint8Array.of(0xc1))
    writer.write([batchOf(0, [described, poison, { ...closing, offset: '2' }]), batchOf(1, segment(1, 0))])
    assert.equal(tracks(), 2)
    assert.deepEqual([writer.nextOf(0), writer.nextOf(1)], [3n, 2n])
    assert.deepEqual(published().sort(), ['test.dead-letters', 'test.status'])
  })

  it('logs a failed message without the signature of its address', () => {
    const { writer, logged } = start()
    const of = { uri: 'https://host/a.mp4?signature=secret', root: 'https://host' }
    const [, closing] = good(0, { segments: 1, pass: 'first', of })
    assert.ok(closing?.kind === 'closing')
    writer.write([batchOf(0, [record(0, encodeMessage({ ...closing, parts: 0 }))])])
    assert.equal(logged.length, 2, 'the reason, and the result of the clip')
    assert.match(logged[0] ?? '', /"uri":"https:\/\/host\/a.mp4",.*MESSAGE_INVALID/)
    assert.ok(!logged.join().includes('signature'))
  })
})
