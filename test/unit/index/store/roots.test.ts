import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { everyPathOf } from '../../../../index/store/clip-lookup.js'
import { RootRows } from '../../../../index/store/roots.js'
import { clipIdOf, filledArchive } from '../../../support/filled-archive.js'

describe('the root of a folder', () => {
  it('is the same for a folder below it', () => {
    const roots = new RootRows(filledArchive(['a']).database)
    assert.deepEqual(roots.holding('/films/copies'), roots.holding('/films'))
  })

  it('is a new one for a sibling folder', () => {
    const roots = new RootRows(filledArchive(['a']).database)
    assert.equal(roots.holding('/filmstrips').path, '/filmstrips')
    assert.notEqual(roots.holding('/filmstrips').rootId, roots.holding('/films').rootId)
  })

  it('replaces the roots below it and takes over their files', () => {
    const { database, files } = filledArchive(['a'])
    const above = new RootRows(database).holding('/')
    assert.deepEqual(everyPathOf(database, clipIdOf('a')), ['/films/a.mp4', '/films/copies/a.mp4'])
    assert.deepEqual(
      files.placesOf(clipIdOf('a')).map(({ rootId, relativePath }) => [rootId, relativePath]),
      [
        [above.rootId, 'films/a.mp4'],
        [above.rootId, 'films/copies/a.mp4'],
      ],
    )
  })

  it('may be a URL, which replaces a URL below it', () => {
    const { database, files } = filledArchive(['a'])
    const stamp = { device: '', inode: '', sizeBytes: 1, mtimeNs: '' }
    const { rootId } = files.rootFor('https://host/films/2024')
    files.record(rootId, 'may.mp4', stamp, clipIdOf('b'))
    assert.equal(new RootRows(database).holding('https://host/films').path, 'https://host/films')
    assert.deepEqual(files.pathsOf(clipIdOf('b')), ['https://host/films/2024/may.mp4'])
  })
})
