import assert from 'node:assert/strict'
import { mkdtempSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { openArchive } from '../../../../../../index/archive/open-archive.js'
import { createInbox } from '../../../../../../index/store/inbox.js'
import {
  encodeMessage,
  type ClosingMessage,
  type DescribedMessage,
} from '../../../../../../workers/kafka/messages/schemas.js'
import { SegmentParts } from '../../../../../../workers/kafka/stages/index/segment-parts.js'
import { temporaryDir } from '../../../../../support/cameo.js'
import { clipId, good } from '../../../../../support/described.js'

const archives = temporaryDir()
const emptyInbox = () =>
  createInbox(openArchive(mkdtempSync(join(archives, 'archive-')), { create: true }).database)

const nobody = () => false

/** Part and closing message of a segment, in one pass over its clip. */
function segment(index: number, pass = 'first'): [DescribedMessage, ClosingMessage] {
  const [part, closing] = good(index, { segments: 2, pass })
  assert.ok(part?.kind === 'described' && closing?.kind === 'closing')
  return [part, closing]
}

describe('SegmentParts', () => {
  it('a segment is whole after its last message, whichever that is', () => {
    const [part, closing] = segment(0)
    for (const [first, last] of [
      [part, closing],
      [closing, part],
    ] as const) {
      // prettier-ignore
      const parts = new SegmentParts(emptyInbox())
      assert.equal(parts.add(first), undefined)
      assert.deepEqual(parts.add(last), { closing, parts: [part] })
    }
  })

  it('messages of segments and of attempts at one do not mix', () => {
    const parts = new SegmentParts(emptyInbox())
    const [part, closing] = segment(0)
    assert.equal(parts.add(part), undefined)
    assert.equal(parts.add(segment(1)[1]), undefined)
    assert.equal(parts.add(segment(0, 'second')[1]), undefined)
    assert.deepEqual(parts.add(closing), { closing, parts: [part] })
  })

  it('waiting messages are stored for later batches, once', () => {
    const inbox = emptyInbox()
    const [part, closing] = segment(0)
    for (let time = 0; time < 2; time++) {
      const batch = new SegmentParts(inbox)
      assert.equal(batch.add(part), undefined)
      batch.keepRest(nobody)
    }
    assert.equal(inbox.partsOf(part).length, 1)
    const whole = new SegmentParts(inbox).add(closing)
    assert.deepEqual(whole?.parts.map(encodeMessage), [encodeMessage(part)])
  })

  it('stores nothing of a forgotten clip or of whole segments', () => {
    const inbox = emptyInbox()
    const batch = new SegmentParts(inbox)
    const [part, closing] = segment(0)
    batch.add(part)
    batch.add(closing)
    batch.add(segment(1)[0])
    batch.keepRest((clip) => clip === clipId)
    assert.deepEqual([inbox.partsOf(part), inbox.partsOf(segment(1)[0])], [[], []])
  })
})
