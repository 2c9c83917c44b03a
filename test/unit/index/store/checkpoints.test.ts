import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { openArchive } from '../../../../index/archive/open-archive.js'
import { forgetClip } from '../../../../index/identities/forget.js'
import { segmentSpans } from '../../../../pipeline/segments/segment-spans.js'
import { temporaryDir } from '../../../support/cameo.js'

const key = { clipId: 'ab'.repeat(32), recipe: 'recipe', embedder: 'embedder', spaceId: 1 }
const facts = { sizeBytes: 3, durationS: 1, widthPx: 64, heightPx: 48, codec: 'h264', container: 'mp4' }

/** An update with this total number of parts. */
const update = (segment: number, state: string, parts: number, newPart?: string) => ({
  ...{ segment, timeS: 1, state: Buffer.from(state) },
  parts: Array.from({ length: parts }, (_, i) => `digest ${i}`),
  ...(newPart === undefined ? {} : { newPart: Buffer.from(newPart) }),
})

function planned() {
  const archive = openArchive(temporaryDir(), { create: true })
  archive.clips.plan(key, facts, 3, true)
  const read = (segment: number) => {
    const found = archive.checkpoints.read(key, segment)
    return found && [found.state, ...found.parts].map((bytes) => Buffer.from(bytes).toString())
  }
  const count = () => archive.database.prepare('SELECT count(*) FROM checkpoints').pluck().get()
  return { archive, read, count }
}

describe('checkpoints in an archive', () => {
  it('are read as last written: the state is replaced, and parts are added', () => {
    const { archive, read } = planned()
    assert.equal(read(1), undefined)
    archive.checkpoints.write(key, update(1, 'one', 1, 'part 1'))
    archive.checkpoints.write(key, update(1, 'two', 1))
    archive.checkpoints.write(key, update(1, 'three', 2, 'part 2'))
    archive.checkpoints.write(key, update(2, 'other', 0))
    assert.deepEqual(read(1), ['three', 'part 1', 'part 2'])
    assert.deepEqual(read(2), ['other'])
    archive.close()
  })

  it('keep nothing of an earlier attempt after a restart', () => {
    const { archive, read } = planned()
    archive.checkpoints.write(key, update(1, 'one', 1, 'part 1'))
    archive.checkpoints.write(key, update(1, 'two', 2, 'part 2'))
    archive.checkpoints.write(key, update(1, 'anew', 1, 'another part'))
    assert.deepEqual(read(1), ['anew', 'another part'])
    archive.close()
  })

  it('are deleted when the segment is stored, and when it fails', () => {
    const { archive, read, count } = planned()
    for (const segment of [0, 1, 2]) archive.checkpoints.write(key, update(segment, 'x', 1, 'part'))
    const [first, second] = segmentSpans(3, 600)
    archive.clips.storeSegment(key, {
      ...{ segment: first!, tracks: [], frames: 1, faces: 0, truncated: false, provider: 'cpu' },
    })
    assert.equal(read(0), undefined)
    archive.clips.giveUpSegment(key, second!, { code: 'CLIP_STUCK', message: 'it is stuck' })
    assert.equal(read(1), undefined)
    assert.equal(count(), 2)
    archive.close()
  })

  it('are deleted with a forgotten clip, and with a deleted run', () => {
    for (const erase of ['forget', 'drop'] as const) {
      const { archive, count } = planned()
      archive.checkpoints.write(key, update(0, 'x', 1, 'part'))
      if (erase === 'forget') forgetClip(archive.database, key.clipId)
      else archive.clips.dropEmptyRun(key)
      assert.equal(count(), 0)
      archive.close()
    }
  })
})
