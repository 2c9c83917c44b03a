import assert from 'node:assert/strict'
import { mkdtempSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { openArchive } from '../../../../../../index/archive/open-archive.js'
import { listAudit } from '../../../../../../index/audit/list-audit.js'
import { destroyingKeys } from '../../../../../../index/erasure/destroy-keys.js'
import { enrolledFaces, forgetFace } from '../../../../../../index/identities/enrolled-faces.js'
import {
  enroll,
  forgetEnrolled,
  forgetName,
  forgetSource,
} from '../../../../../../index/identities/identities.js'
import { listSources } from '../../../../../../index/store/reference-faces.js'
import { forgetClip, remember } from '../../../../../../index/identities/forget.js'
import { isForgotten } from '../../../../../../index/store/forgotten-clips.js'
import { pendingErasure } from '../../../../../../index/store/erasure.js'
import { journalAfter, lastJournalEntry } from '../../../../../../index/store/journal.js'
import { encodeFloat16 } from '../../../../../../pipeline/data/float16.js'
import type { OutMessage } from '../../../../../../workers/kafka/broker/out-messages.js'
import { applyNames } from '../../../../../../workers/kafka/stages/names/apply-names.js'
import { clipKey, nameKey } from '../../../../../../workers/kafka/stages/names/name-keys.js'
import { NamesLog } from '../../../../../../workers/kafka/stages/names/names-log.js'
import { decodeName, encodeMessage, wireVersion } from '../../../../../../workers/kafka/messages/schemas.js'
import { createSilentLog } from '../../../../../../workers/service/log.js'
import { searchEntry, withLog } from '../../../../../support/audit.js'
import { namesContext } from '../../../../../support/names-context.js'
import { temporaryDir } from '../../../../../support/cameo.js'

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
  const context = namesContext(send)
  const faceMessage = (name: string, source: string) => newest.get(nameKey(name, source)) ?? null
  /** Name and source of all faces that a replay would restore. */
  const faces = () =>
    [...newest.values()].flatMap((value) => {
      if (value === null) return []
      const message = decodeName(value)
      return message.kind === 'enrolled' ? message.faces.map(({ source }) => `${message.name} ${source}`) : []
    })
  /** The topic as a reader gets it. */
  const topic = () =>
    new Map([...newest].map(([key, value]) => [key, value === null ? null : Buffer.from(value)]))
  return {
    archive,
    database: archive.database,
    names: new NamesLog(context, archive),
    faces,
    faceMessage,
    sizes,
    topic,
  }
}

describe('the log of names', () => {
  it('a name may have any number of faces without a growing message', async () => {
    const { database, names, faces, sizes } = start()
    const photos = Array.from({ length: 2000 }, (_, number) => photo(number))
    enroll(database, 'Ada', embedder, photos.map(face))
    await names.publish()
    assert.deepEqual(faces().sort(), photos.map((path) => `Ada ${path}`).sort())
    assert.ok(Math.max(...sizes) < 2000, `${Math.max(...sizes)} bytes`)
  })

  it('forgetting deletes every face, also those published long before; later enrolments stay', async () => {
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

  it('the journal names the sources of a forgotten name only until the topic no longer has them', async () => {
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

  it('in an archive that publishes nothing, the journal forgets the sources with the name', () => {
    const { database } = start()
    enroll(database, 'Ada', embedder, [face(photo(1))])
    enroll(database, 'Grace', embedder, [face(photo(2))])
    forgetName(database, 'Ada')
    const left = journalAfter(database, 0, 100).map(({ subject }) => subject)
    assert.deepEqual(left, [{ name: 'Grace', sources: [photo(2)] }])
  })

  it('a face of the same source replaces the earlier one', async () => {
    const { database, names, faces } = start()
    enroll(database, 'Ada', embedder, [face(photo(1)), face(photo(1))])
    await names.publish()
    assert.equal(faces().length, 2, 'a clip gives several')
    enroll(database, 'Ada', embedder, [face(photo(1))])
    await names.publish()
    assert.deepEqual(faces(), [`Ada ${photo(1)}`])
  })

  it('a source that others deleted leaves what is needed to forget the rest', async () => {
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

  it('deletes one of the sources of a name without a trace', async () => {
    const { database, names, faces } = start()
    enroll(database, 'Ada', embedder, [face(photo(1)), face(photo(2))])
    await names.publish()
    enroll(database, 'Ada', embedder, [face(photo(3))])
    forgetEnrolled(database, 'Ada', photo(1))
    await names.publish()
    assert.deepEqual(faces().sort(), [`Ada ${photo(2)}`, `Ada ${photo(3)}`])
    const said = journalAfter(database, 0, 100).map(({ subject }) => subject)
    assert.deepEqual(said, [
      { name: 'Ada', sources: [photo(2)] },
      { name: 'Ada', sources: [photo(3)] },
    ])
  })

  it('deletes one face of a source from the topic, and the source with its last face', async () => {
    const { database, names, faces } = start()
    enroll(database, 'Ada', embedder, [face(photo(1)), face(photo(1)), face(photo(2))])
    await names.publish()
    assert.deepEqual(forgetFace(database, 'Ada', embedder, 1), { source: photo(1), left: 2 })
    await names.publish()
    assert.deepEqual(faces().sort(), [`Ada ${photo(1)}`, `Ada ${photo(2)}`])
    forgetFace(database, 'Ada', embedder, 1)
    await names.publish()
    assert.deepEqual(faces(), [`Ada ${photo(2)}`])
    assert.equal(forgetFace(database, 'Ada', embedder, 1).left, 0)
    await names.publish()
    assert.deepEqual(faces(), [])
    assert.deepEqual([listSources(database), journalAfter(database, 0, 100)], [[], []])
  })

  it('deletes with the next message what was forgotten while a message was being sent', async () => {
    const { database, names, faces } = start()
    enroll(database, 'Grace', embedder, [face(photo(1))])
    await names.publish()
    enroll(database, 'Ada', embedder, [face(photo(1))])
    const publishing = names.publish()
    forgetName(database, 'Ada')
    await publishing
    assert.deepEqual(faces(), [`Grace ${photo(1)}`])
    assert.equal(journalAfter(database, 0, 100).length, 1)
  })
})

describe('the topic of names, read into an archive', () => {
  const [a, b] = ['a'.repeat(64), 'b'.repeat(64)]

  /** The messages of one archive, for another archive that has the same content and continues by commands. */
  async function published() {
    const { database, names, faceMessage } = start()
    for (const name of ['Ada', 'Bob', 'Cleo'])
      enroll(database, name, embedder, [face(photo(1)), face(photo(2))])
    await names.publish()
    const forgotten = (clipId: string): [string, Buffer] => [
      clipKey(clipId),
      Buffer.from(encodeMessage({ v: wireVersion, kind: 'forgotten', clipId })),
    ]
    const messages = new Map<string, Buffer | null>([forgotten(a), forgotten(b)])
    for (const name of ['Ada', 'Bob', 'Cleo'])
      for (const number of [1, 2]) {
        const value = faceMessage(name, photo(number))
        messages.set(nameKey(name, photo(number)), value === null ? null : Buffer.from(value))
      }
    messages.set(nameKey('Cleo', photo(3)), null)
    return { database, messages }
  }

  const sources = (database: Parameters<typeof listSources>[0]) =>
    listSources(database)
      .map(({ name, source }) => `${name} ${source}`)
      .sort()

  it('fills a new archive, and reports that nothing was newer', async () => {
    const { messages } = await published()
    const { database } = start()
    assert.equal(applyNames(database, messages, 0, createSilentLog()), 0)
    assert.notEqual(pendingErasure(database), undefined, 'the erased data still has to leave the files')
    assert.equal(sources(database).length, 6)
    assert.ok(isForgotten(database, a) && isForgotten(database, b))
  })

  it('a face that was forgotten does not stay in a copy of the archive from before', async () => {
    const { database, names, faceMessage } = start()
    const copy = start().database
    const shades = [0.1, 0.2, 0.3].map((shade) => {
      const float16 = encodeFloat16(new Float32Array(512).fill(shade))
      return { ...face(photo(1)), embedding: { float16, norm: 5 } }
    })
    for (const each of [database, copy]) enroll(each, 'Ada', embedder, [face(photo(2)), ...shades])
    await names.publish()
    forgetFace(database, 'Ada', embedder, 3)
    await names.publish()
    const topic = [1, 2].map((number): [string, Buffer] => [
      nameKey('Ada', photo(number)),
      Buffer.from(faceMessage('Ada', photo(number)) ?? []),
    ])
    const vectors = (of: typeof database) => enrolledFaces(of, 'Ada', embedder).map(({ float16 }) => float16)
    applyNames(copy, new Map(topic), lastJournalEntry(copy), createSilentLog())
    const erasure = pendingErasure(copy)
    assert.notEqual(erasure, undefined)
    assert.deepEqual(vectors(copy), vectors(database))
    assert.equal(vectors(copy).length, 3)
    applyNames(copy, new Map(topic), lastJournalEntry(copy), createSilentLog())
    assert.equal(pendingErasure(copy), erasure, 'once')
    const fresh = start().database
    applyNames(fresh, new Map(topic), 0, createSilentLog())
    assert.equal(vectors(fresh).length, 3)
  })

  it('erasures destroy the keys of the audit log, too', async () => {
    const { messages } = await published()
    messages.set(nameKey('Eve', photo(3)), null)
    const { archive } = start()
    enroll(archive.database, 'Eve', embedder, [face(photo(3))])
    enroll(archive.database, 'Dora', embedder, [face(photo(4))])
    await withLog(archive.dir, async (log) => {
      await log.append(searchEntry('Eve', [a]))
      await log.append(searchEntry('Dora', ['f'.repeat(64)]))
    })
    destroyingKeys(
      archive,
      (notice) => assert.fail(notice),
      (before) =>
        applyNames(archive.database, messages, lastJournalEntry(archive.database), createSilentLog(), before),
    )
    await withLog(archive.dir, (log) =>
      assert.deepEqual(
        listAudit(log, { order: 'oldest' }).entries.map(({ parts }) => parts.map(({ state }) => state)),
        [
          ['erased', 'erased'],
          ['readable', 'readable'],
        ],
      ),
    )
  })

  it('faces that the topic does not have stay', async () => {
    const { messages } = await published()
    const { database } = start()
    const other = {
      ...face(photo(1)),
      embedding: { float16: encodeFloat16(new Float32Array(512).fill(0.7)), norm: 5 },
    }
    enroll(database, 'Ada', embedder, [other, other])
    applyNames(database, messages, lastJournalEntry(database), createSilentLog())
    const own = enrolledFaces(database, 'Ada', embedder).filter(({ source }) => source === photo(1))
    assert.equal(own.length, 2)
  })

  it('later commands win: forgotten names stay forgotten, new enrolments stay, and clips that were allowed again stay allowed', async () => {
    const { database, messages } = await published()
    forgetClip(database, a)
    forgetClip(database, b)
    const before = lastJournalEntry(database)
    forgetName(database, 'Bob')
    forgetEnrolled(database, 'Ada', photo(2))
    enroll(database, 'Cleo', embedder, [face(photo(3))])
    remember(database, a)
    const newer = applyNames(database, messages, before, createSilentLog())
    assert.equal(newer, 4)
    assert.deepEqual(sources(database), [
      `Ada ${photo(1)}`,
      ...[1, 2, 3].map((number) => `Cleo ${photo(number)}`),
    ])
    assert.deepEqual([isForgotten(database, a), isForgotten(database, b)], [false, true])
  })
})
