import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { lacksEnd } from '../../../../pipeline/decode/truncated-file.js'
import { temporaryDir } from '../../../support/cameo.js'

const path = join(temporaryDir(), 'clip')

function check(container: string, bytes: Buffer): Promise<boolean> {
  writeFileSync(path, bytes)
  return lacksEnd(path, container)
}

/** A page of Ogg with a body of 300 bytes, in two segments (RFC 3533, section 6). */
function oggPage(flags: number): Buffer {
  const page = Buffer.alloc(27 + 2 + 300)
  page.write('OggS', 'latin1')
  page[5] = flags
  page[26] = 2
  page.set([255, 45], 27)
  return page
}

/** The properties of an ASF file, after the 30 bytes of its own header (ASF specification, section 3.2). */
function asf(statedBytes: bigint, flags: number): Buffer {
  const file = Buffer.alloc(2000)
  const at = 30
  file.set(Buffer.from('a1dcab8c47a9cf118ee400c00c205365', 'hex'), at)
  file.writeBigUInt64LE(104n, at + 16)
  file.writeBigUInt64LE(statedBytes, at + 40)
  file.writeUInt32LE(flags, at + 88)
  return file
}

describe('the end of a file', () => {
  it('is complete for transport streams of whole packets', async () => {
    for (const length of [188, 192, 204])
      assert.equal(await check('mpegts', Buffer.alloc(length * 100)), false)
    assert.equal(await check('mpegts', Buffer.alloc(188 * 100 + 7)), true)
  })

  it('is complete for Ogg if the last page is whole and marked as the last', async () => {
    const [first, middle, last] = [oggPage(2), oggPage(0), oggPage(4)]
    assert.equal(await check('ogg', Buffer.concat([first, middle, last])), false)
    assert.equal(await check('ogg', Buffer.concat([first, middle])), true)
    assert.equal(await check('ogg', Buffer.concat([first, middle, last]).subarray(0, -1)), true)
    assert.equal(await check('ogg', Buffer.concat([first, Buffer.from('OggS')])), true)
    assert.equal(await check('ogg', Buffer.concat([last, Buffer.alloc(70_000)])), false)
  })

  it('is known for ASF by its stated length, unless it was broadcast', async () => {
    assert.equal(await check('asf', asf(2000n, 2)), false)
    assert.equal(await check('asf', asf(2001n, 2)), true)
    assert.equal(await check('asf', asf(2001n, 3)), false)
    assert.equal(await check('asf', Buffer.alloc(500)), false)
  })

  it('is complete for a GIF with its trailer, also with zeros after it', async () => {
    const gif = Buffer.from('GIF89a pictures;')
    assert.equal(await check('gif', gif), false)
    assert.equal(await check('gif', Buffer.concat([gif, Buffer.alloc(5)])), false)
    assert.equal(await check('gif', gif.subarray(0, -1)), true)
  })

  it('is known for AVI by the stated lengths of its chunks', async () => {
    const chunk = (bytes: number) => {
      const riff = Buffer.alloc(8 + bytes)
      riff.write('RIFF', 'latin1')
      riff.writeUInt32LE(bytes, 4)
      return riff
    }
    assert.equal(await check('avi', chunk(1000)), false)
    assert.equal(await check('avi', Buffer.concat([chunk(1000), chunk(500)])), false)
    assert.equal(await check('avi', chunk(1000).subarray(0, 600)), true)
    assert.equal(await check('avi', Buffer.concat([chunk(1000), chunk(500)]).subarray(0, 1200)), true)
    assert.equal(await check('avi', Buffer.concat([chunk(1000), Buffer.alloc(50)])), false)
    const recording = chunk(1000)
    recording.writeUInt32LE(0, 4)
    assert.equal(await check('avi', recording.subarray(0, 600)), false, 'its length was never written')
  })

  it('is complete for DV of whole frames', async () => {
    assert.equal(await check('dv', Buffer.alloc(288_000)), false)
    assert.equal(await check('dv', Buffer.alloc(240_000)), false)
    assert.equal(await check('dv', Buffer.alloc(200_000)), true)
  })

  it('is not reported as missing for other containers and for missing files', async () => {
    assert.equal(await check('matroska', Buffer.alloc(100)), false)
    assert.equal(await lacksEnd('/nowhere/clip', 'ogg'), false)
  })
})
