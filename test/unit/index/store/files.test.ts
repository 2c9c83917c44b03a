import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { filledArchive, clipIdOf } from '../../../support/filled-archive.js'
import type { FileStamp } from '../../../../index/store/file-facts.js'

const clipId = clipIdOf('a')
const addedAtMs = Date.parse('2026-01-01T12:00:00.000Z')
const nsAt = (ms: number) => `${BigInt(ms) * 1_000_000n + 5n}`
const stamp = { device: '1', inode: '2', sizeBytes: 9, mtimeNs: '4', ctimeNs: nsAt(addedAtMs - 1000) }

/** An archive with one clip, added at noon, and one file with this stamp. */
function archiveWith(recorded: FileStamp) {
  const archive = filledArchive(['a'])
  archive.database.prepare('UPDATE clips SET added_at = ?').run(new Date(addedAtMs).toISOString())
  archive.files.record(archive.files.rootFor('/films').rootId, 'it.mp4', recorded, clipId)
  return archive
}

describe('the digest of a file that was hashed before', () => {
  it('is known under any name while its inode does not change', () => {
    const archive = archiveWith(stamp)
    assert.equal(archive.files.knownDigest(stamp), clipId)
    for (const other of [
      { ctimeNs: `${BigInt(stamp.ctimeNs) + 1n}` },
      { ctimeNs: `${BigInt(stamp.ctimeNs) - 1n}` },
      { mtimeNs: '5' },
      { inode: '3' },
      { device: '2' },
      { sizeBytes: 8 },
    ])
      assert.equal(archive.files.knownDigest({ ...stamp, ...other }), undefined, JSON.stringify(other))
    archive.close()
  })

  it('in an archive from before schema 4 is known if the inode changed before the clip was added', () => {
    const archive = archiveWith({ ...stamp, ctimeNs: undefined })
    assert.equal(archive.files.knownDigest(stamp), clipId)
    for (const ms of [addedAtMs, addedAtMs + 1, addedAtMs + 1e9])
      assert.equal(archive.files.knownDigest({ ...stamp, ctimeNs: nsAt(ms) }), undefined)
    archive.close()
  })

  it('in such an archive is unknown if its clip no longer exists', () => {
    const archive = archiveWith({ ...stamp, ctimeNs: undefined })
    archive.database.exec('DELETE FROM clips')
    assert.equal(archive.files.knownDigest(stamp), undefined)
    archive.close()
  })

  it('is known by its newest times after it is hashed again', () => {
    const archive = archiveWith(stamp)
    const later = { ...stamp, ctimeNs: nsAt(addedAtMs + 1) }
    archive.files.record(archive.files.rootFor('/films').rootId, 'it.mp4', later, clipId)
    assert.deepEqual(
      [archive.files.knownDigest(later), archive.files.knownDigest(stamp)],
      [clipId, undefined],
    )
    archive.close()
  })
})
