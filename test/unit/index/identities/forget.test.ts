import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { openArchive } from '../../../../index/archive/open-archive.js'
import { findClipId } from '../../../../index/identities/forget.js'
import { CameoError } from '../../../../pipeline/common/errors.js'
import { temporaryDir } from '../../../support/cameo.js'

const clipId = 'ab12'.repeat(16)
const stamp = { device: '1', inode: '2', sizeBytes: 3, mtimeNs: '4' }

function archiveWith(root: string, relativePath: string) {
  const archive = openArchive(temporaryDir(), { create: true })
  archive.clips.plan(
    { clipId, recipe: 'r' },
    { sizeBytes: 3, durationS: 1, widthPx: 64, heightPx: 48, codec: 'h264', container: 'mp4' },
    1,
    true,
  )
  archive.files.record(archive.files.rootFor(root).rootId, relativePath, stamp, clipId)
  return archive
}

describe('the clip that a person means', () => {
  it('is found by its path in any folder, and by the first digits of its id', () => {
    for (const [root, relativePath] of [
      ['/films', 'a b/c.mp4'],
      ['/', 'films/a b/c.mp4'],
    ] as const) {
      const archive = archiveWith(root, relativePath)
      assert.equal(findClipId(archive.database, '/films/a b/c.mp4'), clipId)
      assert.equal(findClipId(archive.database, clipId.slice(0, 8)), clipId)
      for (const other of ['/films/c.mp4', 'films/a b/c.mp4', 'ffffffff'])
        assert.throws(
          () => findClipId(archive.database, other),
          (error) => error instanceof CameoError && error.code === 'CLIP_UNKNOWN',
        )
      archive.close()
    }
  })
})
