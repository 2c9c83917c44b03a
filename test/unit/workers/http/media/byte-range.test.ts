import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { askedPart, hasVersion } from '../../../../../workers/http/media/byte-range.js'

const file = { size: 1000, etag: '"v1"' }
const asked = (range?: string, ifRange?: string, size = 1000) =>
  askedPart({ range, ifRange }, { ...file, size })
const part = (first: number, last: number) => ({ kind: 'part', first, last })

describe('a range of bytes', () => {
  it('is what the header says, with both ends, within the file (examples of RFC 9110, 14.1.2)', () => {
    assert.deepEqual(asked('bytes=0-499'), part(0, 499))
    assert.deepEqual(asked('bytes=500-999'), part(500, 999))
    assert.deepEqual(asked('bytes=-500'), part(500, 999))
    assert.deepEqual(asked('bytes=500-'), part(500, 999))
    assert.deepEqual(asked('bytes=0-0'), part(0, 0))
    assert.deepEqual(asked('bytes=-1'), part(999, 999))
    assert.deepEqual(asked('bytes=900-5000'), part(900, 999))
    assert.deepEqual(asked('bytes=-5000'), part(0, 999))
  })

  it('cannot be satisfied behind the end, or without a byte', () => {
    for (const range of ['bytes=1000-', 'bytes=1000-1001', 'bytes=-0', `bytes=${'9'.repeat(40)}-`])
      assert.deepEqual(asked(range), { kind: 'unsatisfiable' }, range)
    assert.deepEqual(asked('bytes=0-', undefined, 0), { kind: 'unsatisfiable' })
  })

  it('is ignored where it cannot be understood, or there are several', () => {
    const others = [
      'bytes=-',
      'bytes=a-b',
      'bytes=5-2',
      'lines=0-5',
      'bytes=0-1,5-6',
      'bytes',
      '',
      'bytes=0x1-0x5',
    ]
    for (const range of [undefined, ...others]) assert.deepEqual(asked(range), { kind: 'whole' }, range)
  })

  it('holds only for the version that If-Range names; a weak tag or a date names none', () => {
    assert.deepEqual(asked('bytes=0-4', '"v1"'), part(0, 4))
    for (const ifRange of ['"v2"', 'W/"v1"', 'Wed, 21 Oct 2015 07:28:00 GMT'])
      assert.deepEqual(asked('bytes=0-4', ifRange), { kind: 'whole' }, ifRange)
  })
})

describe('a version that the browser has', () => {
  it('is one of those that If-None-Match lists', () => {
    assert.ok(hasVersion('"v0", W/"v1"', '"v1"'))
    assert.ok(hasVersion('*', '"v1"'))
    assert.ok(!hasVersion('"v2"', '"v1"'))
    assert.ok(!hasVersion(undefined, '"v1"'))
  })
})
