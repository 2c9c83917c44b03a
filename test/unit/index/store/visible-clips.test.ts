import assert from 'node:assert/strict'
import { mkdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { openArchive } from '../../../../index/archive/open-archive.js'
import { activeSpace } from '../../../../index/store/meta.js'
import { PathScope } from '../../../../index/store/path-scope.js'
import { temporaryDir } from '../../../support/cameo.js'
import { damageRows } from '../../../support/damage-rows.js'
import { madeClipId, peopleArchive, type MadeClip } from '../../../support/people-archive.js'

const track = { like: {}, spansS: [[0, 1]] } as const
const film = (path: string, tracks: number): MadeClip => ({ path, tracks: Array.from({ length: tracks }, () => track) }) // prettier-ignore

describe('the files below some folders', () => {
  it('are the files in them and in folders below, and no folder that only begins with the same letters', () => {
    const scope = new PathScope(['/films/a', '/films/b/', 's3://films/a', '/films/c/one.mp4'])
    for (const path of [
      '/films/a/x.mp4',
      '/films/a/b/x.mp4',
      '/films/b/x.mp4',
      's3://films/a/x.mp4',
      '/films/c/one.mp4',
    ])
      // prettier-ignore
      assert.equal(scope.has(path), true, path)
    for (const path of [
      '/films/ab/x.mp4',
      '/films/x.mp4',
      '/film',
      's3://films/ab',
      '/films/c/one.mp4.avi',
      '',
    ])
      assert.equal(scope.has(path), false, path)
    assert.equal(new PathScope([]).has('/films/a/x.mp4'), false)
    assert.equal(new PathScope(['/']).has('/films/a/x.mp4'), true)
  })

  it('are those of the folder that a link leads to, too', () => {
    const dir = temporaryDir()
    mkdirSync(join(dir, 'real'))
    symlinkSync(join(dir, 'real'), join(dir, 'link'))
    const scope = new PathScope([join(dir, 'link')])
    assert.equal(scope.has(join(dir, 'real/x.mp4')), true)
    assert.equal(scope.has(join(dir, 'link/x.mp4')), true)
  })
})

describe('the clips below some folders', () => {
  const archive = peopleArchive(
    temporaryDir(),
    [],
    [film('a/1.mp4', 1), film('b/2.mp4', 2), film('b/3.mp4', 3)],
  )
  const spaceId = activeSpace(archive.database)?.spaceId ?? 0
  const seen = (...folders: string[]) => {
    const { clipIds, ...clips } = archive.visibleClips.below(folders)
    return [[...clipIds].sort(), clips.countTracks(), clips.countDescribed(spaceId)]
  }
  const ids = (...indexes: number[]) => indexes.map(madeClipId)

  it('are counted with their tracks', () => {
    assert.deepEqual(seen('/films/a'), [ids(0), 1, 1])
    assert.deepEqual(seen('/films/b'), [ids(1, 2), 5, 5])
    assert.deepEqual(seen('/films'), [ids(0, 1, 2), 6, 6])
    assert.deepEqual(seen('/films/a', '/films/b/3.mp4'), [ids(0, 2), 4, 4])
    assert.deepEqual(seen('/film'), [[], 0, 0])
    assert.deepEqual(seen(), [[], 0, 0])
  })

  it('are read once, until this process or another changes the archive', () => {
    const read = () => archive.visibleClips.below(['/films/a'])
    const first = read()
    assert.equal(read(), first)
    const { rootId } = archive.files.rootFor('/films')
    const stamp = { device: '1', inode: 'copy', sizeBytes: 9, mtimeNs: '0' }
    const other = openArchive(archive.dir)
    other.files.record(rootId, 'a/copy.mp4', stamp, madeClipId(2))
    other.close()
    assert.deepEqual(seen('/films/a'), [ids(0, 2), 4, 4])
    archive.files.removePath(rootId, 'a/copy.mp4')
    assert.deepEqual(seen('/films/a'), [ids(0), 1, 1])
  })

  it('do not hold a clip whose path is in a damaged row', () => {
    damageRows(
      archive.database,
      "UPDATE paths SET relative_path = 'a/moved.mp4' WHERE relative_path = 'b/2.mp4'",
    )
    assert.deepEqual(seen('/films/a')[0], ids(0))
  })
})
