import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Archive } from '../../../../../../index/archive/open-archive.js'
import { correctTracks, undoCorrections } from '../../../../../../index/identities/corrections.js'
import {
  describeName,
  giveAlias,
  noteName,
  takeAlias,
} from '../../../../../../index/identities/describe-name.js'
import { forgetClip } from '../../../../../../index/identities/forget.js'
import { enroll, forgetName, referenceFacesOf } from '../../../../../../index/identities/identities.js'
import { readCorrections, tracksOfClip } from '../../../../../../index/identities/verdicts.js'
import { journalAfter, lastJournalEntry, publishedKey } from '../../../../../../index/store/journal.js'
import { listIdentities } from '../../../../../../index/store/identities.js'
import { readMeta, writeMeta } from '../../../../../../index/store/meta.js'
import { encodeFloat16 } from '../../../../../../pipeline/data/float16.js'
import { maxMessageBytes } from '../../../../../../workers/kafka/broker/topics.js'
import type { OutMessage } from '../../../../../../workers/kafka/broker/out-messages.js'
import { decodeName } from '../../../../../../workers/kafka/messages/schemas.js'
import { applyNames } from '../../../../../../workers/kafka/stages/names/apply-names.js'
import { correctionKey, nameKey } from '../../../../../../workers/kafka/stages/names/name-keys.js'
import { NamesLog } from '../../../../../../workers/kafka/stages/names/names-log.js'
import { createSilentLog } from '../../../../../../workers/service/log.js'
import { namesContext } from '../../../../../support/names-context.js'
import { temporaryDir } from '../../../../../support/cameo.js'
import { madeClipId, peopleArchive } from '../../../../../support/people-archive.js'

const clips = ['a.mp4', 'b.mp4'].map((path) => ({
  path,
  tracks: [{ like: { Ada: 0.8 }, spansS: [[0, 5]] as const }],
}))
const [clip, other] = [madeClipId(0), madeClipId(1)]

/** An archive of two clips, and the newest message of each key that its log published. */
function start(names: readonly string[] = ['Ada']) {
  const archive = peopleArchive(temporaryDir(), names, clips)
  const newest = new Map<string, Buffer | null>()
  const send = (messages: readonly OutMessage[]) => {
    for (const { key, value } of messages) newest.set(key, value === null ? null : Buffer.from(value))
    return Promise.resolve()
  }
  const context = namesContext(send)
  const { database } = archive
  if (readMeta(database, publishedKey) === undefined) writeMeta(database, publishedKey, '0')
  const correct = (verdict: 'confirmed' | 'rejected', clipId: string) =>
    correctTracks(database, 'Ada', { clipId, verdict, tracks: tracksOfClip(database, clipId) })
  return { database, newest, correct, names: new NamesLog(context, archive) }
}

const said = (database: Archive['database']) =>
  readCorrections(database, 'Ada').map(({ clipId, verdict, tracks }) => [clipId, verdict, tracks.length])

const replayed = (newest: ReadonlyMap<string, Buffer | null>, names: readonly string[] = []) => {
  const { database } = start(names)
  applyNames(database, newest, lastJournalEntry(database), createSilentLog())
  return database
}

describe('what people said about names', () => {
  it('comes back with a replay, and finds the tracks again', async () => {
    const { database, newest, correct, names } = start()
    correct('rejected', clip)
    correct('confirmed', other)
    giveAlias(database, 'Ada', 'Countess')
    noteName(database, 'Ada', 'mathematician')
    await names.publish()
    const copy = replayed(newest)
    assert.deepEqual(said(copy), [[clip, 'rejected', 1], [other, 'confirmed', 1]]) // prettier-ignore
    assert.deepEqual(describeName(copy, 'Ada'), { aliases: ['Countess'], note: 'mathematician' })
  })

  it('comes back also if the clips come later, and in any order of the messages', async () => {
    const { newest, correct, names } = start()
    correct('rejected', clip)
    await names.publish()
    const copy = replayed(new Map([...newest].reverse()))
    assert.deepEqual(said(copy), [[clip, 'rejected', 1]])
  })

  it('what was taken back does not, and leaves no trace in the topic and the journal', async () => {
    const { database, newest, correct, names } = start()
    correct('rejected', clip)
    giveAlias(database, 'Ada', 'Countess')
    await names.publish()
    const old = replayed(newest)
    assert.equal(said(old).length, 1)
    undoCorrections(database, 'Ada', readCorrections(database, 'Ada'))
    takeAlias(database, 'Ada', 'Countess')
    await names.publish()
    assert.equal(newest.get(correctionKey('Ada', clip)), null)
    assert.deepEqual(journalAfter(database, 0, 99).map(({ action }) => action), ['enroll']) // prettier-ignore
    applyNames(old, newest, lastJournalEntry(old), createSilentLog())
    assert.deepEqual([said(old), describeName(old, 'Ada').aliases], [[], []])
  })

  it('a correction that is newer than the topic stays', async () => {
    const { newest, correct, names } = start()
    correct('rejected', clip)
    await names.publish()
    const copy = start()
    const before = lastJournalEntry(copy.database)
    copy.correct('confirmed', clip)
    applyNames(copy.database, newest, before, createSilentLog())
    assert.deepEqual(said(copy.database), [[clip, 'confirmed', 1]])
  })

  it('is forgotten with the clip, and with the name', async () => {
    const { database, newest, correct, names } = start()
    correct('rejected', clip)
    correct('rejected', other)
    noteName(database, 'Ada', 'mathematician')
    await names.publish()
    forgetClip(database, clip)
    await names.publish()
    assert.deepEqual(said(replayed(newest)), [[other, 'rejected', 1]])
    forgetName(database, 'Ada')
    await names.publish()
    const left = [...newest.values()].flatMap((value) => (value === null ? [] : decodeName(value).kind))
    assert.deepEqual(left, ['forgotten'])
    assert.deepEqual(journalAfter(database, 0, 99).map(({ action }) => action), ['forget-clip']) // prettier-ignore
    assert.deepEqual(listIdentities(replayed(newest, ['Bo'])).map(({ name }) => name), ['Bo']) // prettier-ignore
  })

  it('a message that cannot be read does not affect the others', async () => {
    const { newest, correct, names } = start()
    correct('rejected', clip)
    await names.publish()
    const odd = new Map([['correction/nonsense', Buffer.from([1])], ['about/["Ada"]', Buffer.from([0x80])], ...newest]) // prettier-ignore
    assert.equal(said(replayed(odd)).length, 1)
  })
})

describe('pictures of faces in the topic of names', () => {
  const point = { x: 100, y: 120 }
  const picture = (bytes: number) => ({
    jpeg: new Uint8Array(bytes).fill(7),
    boxXyxyPx: [1, 2, 3, 4] as const,
    landmarksPx: [point, point, point, point, point] as const,
  })
  const face = (source: string, bytes: number) => ({
    ...{ source, quality: 0.5, picture: picture(bytes) },
    embedding: { float16: encodeFloat16(new Float32Array(512).fill(0.1)), norm: 5 },
    extraEmbeddings: [
      { embedder: 'f'.repeat(16), float16: encodeFloat16(new Float32Array(8).fill(1)), norm: 6 },
    ],
  })

  it('come back with a replay, once per face', async () => {
    const { database, newest, names } = start([])
    enroll(database, 'Ada', 'e'.repeat(16), [face('/1.jpg', 900), face('/2.jpg', 1000)])
    await names.publish()
    const copy = replayed(newest)
    assert.deepEqual(referenceFacesOf(copy, 'Ada'), referenceFacesOf(database, 'Ada'))
    assert.equal(copy.prepare('SELECT count(*) FROM reference_pictures').pluck().get(), 2)
  })

  it('stay away where a message has no room for them; no face does', async () => {
    const { database, newest, names } = start([])
    const bytes = 60_000
    const clipFaces = Array.from({ length: 64 }, () => face('/clip.mp4', bytes))
    enroll(database, 'Ada', 'e'.repeat(16), clipFaces)
    await names.publish()
    const size = newest.get(nameKey('Ada', '/clip.mp4'))?.byteLength ?? 0
    assert.ok(size > 4 * bytes && size <= maxMessageBytes, `${size} bytes`)
    assert.equal(referenceFacesOf(replayed(newest), 'Ada').length, 2 * clipFaces.length)
  })
})
