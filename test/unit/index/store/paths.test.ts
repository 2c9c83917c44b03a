import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { isoTime, PathReads } from '../../../../index/store/path-reads.js'
import { PathWrites } from '../../../../index/store/path-writes.js'
import { damageRows } from '../../../support/damage-rows.js'
import { clipIdOf, filledArchive } from '../../../support/filled-archive.js'

const stamp = { device: '1', inode: '2', sizeBytes: 9, mtimeNs: '4', ctimeNs: '5' }
const failure = { code: 'CLIP_STUCK', message: 'it got stuck' }

function openPaths() {
  const archive = filledArchive(['a'])
  const { rootId } = archive.files.rootFor('/films')
  const { database } = archive
  return {
    ...{ archive, rootId, reads: new PathReads(database), writes: new PathWrites(database) },
    key: { rootId, relativePath: 'new.mp4' },
  }
}

describe('the row of a file', () => {
  it('keeps the first content if it is added twice', () => {
    const { reads, writes, key } = openPaths()
    writes.add(key, stamp, clipIdOf('b'))
    writes.add(key, { ...stamp, inode: '3' }, null)
    assert.equal(reads.digestOf(stamp), clipIdOf('b'))
  })

  it('gets the new content when it is replaced, and keeps the failure', () => {
    const { reads, writes, key } = openPaths()
    writes.put(key, stamp, clipIdOf('b'))
    writes.setFailure(key, failure)
    writes.put(key, { ...stamp, inode: '3' }, clipIdOf('c'))
    assert.equal(reads.digestOf(stamp), undefined)
    assert.deepEqual(reads.failures(), [{ path: '/films/new.mp4', clipId: clipIdOf('c'), ...failure }])
  })

  it('gives the path but not the content if it is damaged', () => {
    const { archive, reads, writes, key, rootId } = openPaths()
    writes.put(key, stamp, clipIdOf('b'))
    damageRows(archive.database, "UPDATE paths SET size_bytes = 9 WHERE relative_path = 'new.mp4'")
    assert.deepEqual([reads.digestOf(stamp), reads.placesOf(clipIdOf('b'))], [undefined, []])
    assert.deepEqual(reads.damaged(), ['/films/new.mp4'])
    const own = reads.ofRoot(rootId).find(({ relativePath }) => relativePath === 'new.mp4')
    assert.equal(own?.clipId, null)
  })

  it('is in no list after it is removed', () => {
    const { reads, writes, key, rootId } = openPaths()
    writes.put(key, stamp, clipIdOf('b'))
    writes.remove(key)
    assert.deepEqual(reads.placesOf(clipIdOf('b')), [])
    assert.equal(reads.ofRoot(rootId).length, 2)
  })
})

describe('failures of files', () => {
  it('are counted until they are cleared', () => {
    const { reads, writes, key } = openPaths()
    writes.put(key, stamp, clipIdOf('b'))
    writes.setFailure(key, failure)
    assert.equal(reads.countFailed(), 1)
    writes.setFailure(key, undefined)
    assert.equal(reads.countFailed(), 0)
  })

  it('are cleared when the clip succeeds, unless they concern the file itself', () => {
    const { reads, writes, key, rootId } = openPaths()
    for (const [name, code] of [
      ['stuck.mp4', 'CLIP_STUCK'],
      ['gone.mp4', 'CLIP_GONE'],
      ['changed.mp4', 'CLIP_CHANGED'],
    ] as const) {
      writes.put({ rootId, relativePath: name }, stamp, clipIdOf('b'))
      writes.setFailure({ rootId, relativePath: name }, { code, message: '' })
    }
    writes.put(key, stamp, clipIdOf('c'))
    writes.setFailure(key, failure)
    writes.clearFailuresOf(clipIdOf('b'))
    assert.deepEqual(
      reads.failures().map(({ path, code }) => [path, code]),
      [
        ['/films/changed.mp4', 'CLIP_CHANGED'],
        ['/films/gone.mp4', 'CLIP_GONE'],
        ['/films/new.mp4', 'CLIP_STUCK'],
      ],
    )
  })
})

describe('the time of a change as text', () => {
  it('sorts in the order of time', () => {
    assert.equal(isoTime('1767225600000000005'), '2026-01-01T00:00:00.000Z')
  })
  for (const [what, ctimeNs] of [
    ['unknown', undefined],
    ['before 1970', '-1000000'],
    ['after the year 9999', '253402300800000000000'],
  ] as const)
    it(`that is ${what} is later than any`, () => assert.ok(isoTime(ctimeNs) > '9999-12-31T23:59:59.999Z'))
})
