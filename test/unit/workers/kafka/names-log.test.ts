import assert from 'node:assert/strict'
import { mkdtempSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { openArchive } from '../../../../index/archive.js'
import { enroll, forgetName, forgetSource } from '../../../../index/identities.js'
import { journalAfter } from '../../../../index/store/journal.js'
import { encodeFloat16 } from '../../../../pipeline/embed/float16.js'
import { createKafka, type OutMessage } from '../../../../workers/kafka/client.js'
import { createNamesLog } from '../../../../workers/kafka/names-log.js'
import { decodeName } from '../../../../workers/kafka/wire.js'
import { createSilentLog } from '../../../../workers/log.js'
import { createMetrics } from '../../../../workers/metrics.js'
import { temporaryDir } from '../../../support/cameo.js'

const archives = temporaryDir()
const embedder = 'e'.repeat(16)
const face = (source: string) => ({
  ...{ source, quality: 0.5 },
  embedding: { float16: encodeFloat16(new Float32Array(512).fill(0.1)), norm: 5 },
})
const photo = (number: number) => `/photos/${number}.jpg`

/** An archive, and the newest message of each key that its log published. */
function start() {
  const archive = openArchive(mkdtempSync(join(archives, 'archive-')), { create: true })
  const newest = new Map<string, Uint8Array | null>()
  const sizes: number[] = []
  const send = (messages: readonly OutMessage[]) => {
    for (const { key, value } of messages) {
      newest.set(key, value)
      sizes.push(value?.byteLength ?? 0)
    }
    return Promise.resolve()
  }
  const log = createSilentLog()
  const connection = {
    ...{ brokers: ['127.0.0.1:1'], clientId: 'test', prefix: 'test' },
    ...{ tls: undefined, sasl: undefined },
  }
  const context = {
    kafka: createKafka(connection, log, 'prompt'),
    ...{ connection, log, metrics: createMetrics('index') },
    publisher: { send, disconnect: () => Promise.resolve() },
  }
  /** Name and source of all faces that a replay would bring back. */
  const faces = () =>
    [...newest.values()].flatMap((value) => {
      if (value === null) return []
      const message = decodeName(value)
      return message.kind === 'enrolled' ? message.faces.map(({ source }) => `${message.name} ${source}`) : []
    })
  return { database: archive.database, names: createNamesLog(context, archive), faces, sizes }
}

describe('the log of names', () => {
  it('a name may have any number of faces: no message grows with them', async () => {
    const { database, names, faces, sizes } = start()
    const photos = Array.from({ length: 2000 }, (_, number) => photo(number))
    enroll(database, 'Ada', embedder, photos.map(face))
    await names.publish()
    assert.deepEqual(faces().sort(), photos.map((path) => `Ada ${path}`).sort())
    assert.ok(Math.max(...sizes) < 2000, `${Math.max(...sizes)} bytes`)
  })

  it('forgetting takes every face out, also those published long before; what is enrolled later is there', async () => {
    const { database, names, faces } = start()
    enroll(database, 'Ada', embedder, [face(photo(1)), face(photo(2))])
    await names.publish()
    enroll(database, 'Ada', embedder, [face(photo(3))])
    enroll(database, 'Grace', embedder, [face(photo(1))])
    await names.publish()
    assert.equal(faces().length, 4)
    forgetName(database, 'Ada')
    await names.publish()
    assert.deepEqual(faces(), [`Grace ${photo(1)}`])
    enroll(database, 'Ada', embedder, [face(photo(2))])
    await names.publish()
    assert.deepEqual(faces().sort(), [`Ada ${photo(2)}`, `Grace ${photo(1)}`])
  })

  it('the journal says what a forgotten name was enrolled with until that is out of the topic, and no longer', async () => {
    const { database, names, faces } = start()
    const said = () => journalAfter(database, 0, 100).map(({ action, subject }) => [action, subject])
    enroll(database, 'Ada', embedder, [face(photo(1))])
    enroll(database, 'Grace', embedder, [face(photo(2))])
    await names.publish()
    forgetName(database, 'Ada')
    enroll(database, 'Ada', embedder, [face(photo(3))])
    assert.equal(said().length, 4)
    await names.publish()
    assert.deepEqual(faces().sort(), [`Ada ${photo(3)}`, `Grace ${photo(2)}`])
    assert.deepEqual(said(), [
      ['enroll', { name: 'Grace', sources: [photo(2)] }],
      ['enroll', { name: 'Ada', sources: [photo(3)] }],
    ])
  })

  it('in an archive that publishes nothing the journal forgets with the name', () => {
    const { database } = start()
    enroll(database, 'Ada', embedder, [face(photo(1))])
    enroll(database, 'Grace', embedder, [face(photo(2))])
    forgetName(database, 'Ada')
    const left = journalAfter(database, 0, 100).map(({ subject }) => subject)
    assert.deepEqual(left, [{ name: 'Grace', sources: [photo(2)] }])
  })

  it('a face of the same source takes the place of the earlier one', async () => {
    const { database, names, faces } = start()
    enroll(database, 'Ada', embedder, [face(photo(1)), face(photo(1))])
    await names.publish()
    assert.equal(faces().length, 2, 'a clip gives several')
    enroll(database, 'Ada', embedder, [face(photo(1))])
    await names.publish()
    assert.deepEqual(faces(), [`Ada ${photo(1)}`])
  })

  it('a source that others took out leaves what is needed to forget the rest', async () => {
    const { database, names, faces } = start()
    enroll(database, 'Ada', embedder, [face(photo(1)), face(photo(2))])
    await names.publish()
    forgetSource(database, 'Ada', photo(1))
    await names.publish()
    forgetName(database, 'Ada')
    await names.publish()
    assert.deepEqual(faces(), [])
    assert.equal(database.prepare('SELECT count(*) FROM journal').pluck().get(), 0)
  })
})
