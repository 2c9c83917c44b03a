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

/** A writer into an empty archive, and ways to look into that. */
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

/** The two messages of a segment in which one track was seen. */
const segment = (index: number, firstOffset: number) =>
  good(index, { segments: 2, pass: 'first' }).map((message, i) =>
    record(firstOffset + i, encodeMessage(message)),
  )

const batchOf = (partition: number, messages: readonly KafkaMessage[]): PartitionBatch => ({
  ...{ partition, messages },
  highWatermark: `${Number(messages.at(-1)?.offset ?? -1) + 1}`,
})

describe('writing what a fetch brought', () => {
  it('all partitions are written, each with the position after its last message', () => {
    const { writer, tracks, published } = start()
    writer.write([batchOf(3, segment(0, 5)), batchOf(4, segment(1, 0))])
    assert.deepEqual([writer.nextOf(3), writer.nextOf(4), writer.nextOf(5)], [7n, 2n, undefined])
    assert.equal(tracks(), 2)
    assert.deepEqual(published(), ['test.status'], 'the clip is told as done once both segments are there')
  })

  it('what is written already is left out: rows and positions stay as they are', () => {
    const { writer, rows, published } = start()
    const batch = batchOf(0, segment(0, 0))
    writer.write([batch, batchOf(1, segment(1, 0))])
    const before = { rows: rows(), published: published() }
    writer.write([batch])
    assert.deepEqual({ rows: rows(), published: published() }, before)
    assert.equal(writer.nextOf(0), 2n)
  })

  it('a topic that is another one in one partition: of the others nothing is written either', () => {
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

  it('a topic that was made again and is shorter than the position is not taken for the old one', () => {
    const { writer } = start()
    writer.write([batchOf(0, segment(0, 5))])
    assert.throws(
      () => writer.write([batchOf(0, segment(1, 0))]),
      (error) => error instanceof CameoError && error.code === 'TOPIC_CHANGED',
    )
  })

  it('a message that cannot be read goes to the dead letters, and what lies around it is written', () => {
    const { writer, tracks, published } = start()
    const [described, closing] = segment(0, 0)
    assert.ok(described !== undefined && closing !== undefined)
    const poison = record(1, Uint8Array.of(0xc1))
    writer.write([batchOf(0, [described, poison, { ...closing, offset: '2' }]), batchOf(1, segment(1, 0))])
    assert.equal(tracks(), 2)
    assert.deepEqual([writer.nextOf(0), writer.nextOf(1)], [3n, 2n])
    assert.deepEqual(published().sort(), ['test.dead-letters', 'test.status'])
  })

  it('what is given up is logged without what signs its address', () => {
    const { writer, logged } = start()
    const of = { uri: 'https://host/a.mp4?signature=secret', root: 'https://host' }
    const [, closing] = good(0, { segments: 1, pass: 'first', of })
    assert.ok(closing?.kind === 'closing')
    writer.write([batchOf(0, [record(0, encodeMessage({ ...closing, parts: 0 }))])])
    assert.equal(logged.length, 2, 'why, and what became of the clip')
    assert.match(logged[0] ?? '', /"uri":"https:\/\/host\/a.mp4",.*MESSAGE_INVALID/)
    assert.ok(!logged.join().includes('signature'))
  })
})
