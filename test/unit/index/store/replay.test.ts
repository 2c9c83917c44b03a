import assert from 'node:assert/strict'
import { it } from 'node:test'
import { openArchive } from '../../../../index/archive/open-archive.js'
import { createInbox } from '../../../../index/store/inbox.js'
import { deleteReceived } from '../../../../index/store/replay.js'
import { unknownStamp } from '../../../../workers/ingest/file-stamp.js'
import { temporaryDir } from '../../../support/cameo.js'

const clipId = 'c'.repeat(64)

it('a replay deletes received data and the reading positions, and keeps messages to publish', () => {
  const archive = openArchive(temporaryDir(), { create: true })
  const { clips, database, files } = archive
  const inbox = createInbox(database)
  const facts = { sizeBytes: 3, durationS: 40, widthPx: 640, heightPx: 360, codec: 'h264', container: 'mov' }
  const key = { clipId, recipe: 'r'.repeat(64) }
  clips.plan(key, facts, 2, true)
  files.record(files.rootFor('/clips').rootId, 'a.mp4', unknownStamp, clipId)
  const attempt = { clipId, segment: 0, attempt: 'first' }
  inbox.keepPart({ ...attempt, part: 0, message: Uint8Array.of(1) })
  inbox.setPosition('test', 0, { next: 5n, lastDigest: 'd' })
  inbox.toPublish('test.status', 'key', Uint8Array.of(1))
  assert.ok(clips.run(key) !== undefined)

  deleteReceived(database)
  assert.equal(clips.run(key), undefined)
  assert.deepEqual([clips.counts().clips, files.failures()], [0, []])
  assert.equal(inbox.position('test', 0), undefined)
  assert.deepEqual(inbox.partsOf(attempt), [])
  assert.equal(inbox.unpublished(10).length, 1)
})
