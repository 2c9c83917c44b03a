import assert from 'node:assert/strict'
import { statSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import {
  checkUnchanged,
  isSameContent,
  isSameTime,
  remoteDevice,
  stampOf,
} from '../../../../workers/ingest/file-stamp.js'
import { temporaryDir } from '../../../support/cameo.js'

const exact = '1764170234123456789'

describe('the same file on two machines', () => {
  it('times are equal at the coarser precision of the two', () => {
    for (const other of [
      exact,
      '1764170234123456700',
      '1764170234123456000',
      '1764170234123000000',
      '1764170234000000000',
    ]) {
      assert.ok(isSameTime(exact, other), other)
      assert.ok(isSameTime(other, exact), other)
    }
  })

  it('times that differ at that precision belong to different files', () => {
    for (const other of [
      '1764170234123456788',
      '1764170234123456800',
      '1764170234123457000',
      '1764170234124000000',
      '1764170235000000000',
      // A precision that no file system has.
      '1764170234123456780',
      '1764170230000000000',
      '',
      '"1764170234123456789"',
      '1764170234123456789.0',
      '-1764170234123456789',
    ])
      for (const [a, b] of [
        [exact, other],
        [other, exact],
      ] as const)
        assert.equal(isSameTime(a, b), false, other)
  })

  it('a different size means a different file, and versions of addresses are not times', () => {
    const stamp = { device: '1', inode: '2', sizeBytes: 3, mtimeNs: '1500' }
    const rounded = { ...stamp, device: '7', inode: '8', mtimeNs: '1000' }
    assert.ok(isSameContent(stamp, rounded))
    assert.ok(!isSameContent(stamp, { ...rounded, sizeBytes: 4 }))
    const remote = { ...stamp, device: remoteDevice }
    assert.ok(isSameContent(remote, { ...remote }))
    assert.ok(!isSameContent(remote, { ...remote, mtimeNs: '1000' }))
  })

  it('detects a write during reading even if the old time is set again', () => {
    const path = join(temporaryDir(), 'a.mp4')
    writeFileSync(path, 'a clip')
    const { atime, mtime } = statSync(path)
    utimesSync(path, atime, mtime)
    const stamp = stampOf(path)
    writeFileSync(path, 'b clip')
    utimesSync(path, atime, mtime)
    const now = stampOf(path)
    assert.deepEqual({ ...now, ctimeNs: stamp.ctimeNs }, stamp, 'nothing else tells them apart')
    assert.throws(() => checkUnchanged({ path, stamp }), { code: 'CLIP_CHANGED' })
  })

  it('detects the smallest change of the time during reading', () => {
    const path = join(temporaryDir(), 'a.mp4')
    writeFileSync(path, 'a clip')
    utimesSync(path, 1764170234.5, 1764170234.5)
    const stamp = stampOf(path)
    checkUnchanged({ path, stamp })
    utimesSync(path, 1764170234, 1764170234)
    assert.equal(statSync(path).mtimeMs, 1764170234000)
    assert.ok(isSameContent(stampOf(path), stamp))
    assert.throws(() => checkUnchanged({ path, stamp }), { code: 'CLIP_CHANGED' })
  })
})
