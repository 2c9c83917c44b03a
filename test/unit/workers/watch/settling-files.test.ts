import assert from 'node:assert/strict'
import { beforeEach, describe, it } from 'node:test'
import type { FoundClip } from '../../../../workers/ingest/ingest-jobs.js'
import { SettlingFiles } from '../../../../workers/watch/settling-files.js'

const clip = (path: string): FoundClip => ({ kind: 'clip', folder: '/films', path, sizeBytes: 0 })
const a = clip('/films/a.mp4')
const b = clip('/films/b.mp4')

describe('files that settle', () => {
  let nowMs: number
  /** Size and time of the files that exist. */
  let files: Map<string, readonly [size: number, mtime: number]>
  let settling: SettlingFiles

  beforeEach(() => {
    nowMs = 0
    files = new Map([
      [a.path, [1, 1]],
      [b.path, [1, 1]],
    ])
    settling = new SettlingFiles(1000, {
      nowMs: () => nowMs,
      stampOf(path) {
        const file = files.get(path)
        if (file === undefined) throw new Error('gone')
        return { device: '1', inode: path, sizeBytes: file[0], mtimeNs: `${file[1]}`, ctimeNs: '1' }
      },
    })
  })

  const takenAt = (ms: number, limit = 9) => {
    nowMs = ms
    return settling.take(limit).map(({ path }) => path)
  }

  it('are given out once, after they have not changed for the time', () => {
    settling.offer(a)
    assert.deepEqual([takenAt(999), takenAt(1000), takenAt(5000)], [[], [a.path], []])
    settling.offer(a)
    assert.deepEqual(takenAt(9000), [])
  })

  it('wait as long as they grow, also where only the time changes', () => {
    settling.offer(a)
    files.set(a.path, [2, 2])
    assert.deepEqual(takenAt(1000), [])
    files.set(a.path, [2, 3])
    assert.deepEqual([takenAt(2000), takenAt(2999), takenAt(3000)], [[], [], [a.path]])
  })

  it('an offer of a file that waits does not let it wait longer', () => {
    settling.offer(a)
    nowMs = 900
    settling.offer(a)
    assert.deepEqual(takenAt(1000), [a.path])
  })

  it('a later version is given out, too', () => {
    settling.offer(a)
    takenAt(1000)
    files.set(a.path, [5, 5])
    settling.offer(a)
    assert.deepEqual(takenAt(2000), [a.path])
  })

  it('a file that is gone is not given out, and comes back as a new one', () => {
    settling.offer(a)
    files.delete(a.path)
    assert.deepEqual([takenAt(1000), settling.size], [[], 0])
    settling.offer(a)
    assert.equal(settling.size, 0)
    files.set(a.path, [1, 1])
    settling.offer(a)
    assert.deepEqual(takenAt(2000), [a.path])
  })

  it('come in the order in which they were found, up to a limit', () => {
    settling.offer(b)
    settling.offer(a)
    assert.deepEqual([takenAt(1000, 1), takenAt(1000, 1)], [[b.path], [a.path]])
  })

  it('can be put back, and given out again without a change', () => {
    settling.offer(a)
    takenAt(1000)
    settling.putBack([a])
    assert.deepEqual(takenAt(2000), [a.path])
    settling.forget(a.path)
    settling.offer(a)
    assert.deepEqual(takenAt(3000), [a.path])
  })
})
