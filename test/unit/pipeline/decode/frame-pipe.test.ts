import assert from 'node:assert/strict'
import { setImmediate as turn } from 'node:timers/promises'
import { describe, it } from 'node:test'
import { FramePipe } from '../../../../pipeline/decode/frame-pipe.js'
import { PacketTimes } from '../../../../pipeline/decode/packet-times.js'

describe('frames from a pipe', () => {
  const bytes = (from: number, count: number) =>
    Buffer.from(Array.from({ length: count }, (_, n) => from + n))

  it('are cut out of chunks of any size', async () => {
    for (const chunkSize of [1, 3, 5, 12, 100]) {
      const pipe = new FramePipe(() => undefined)
      const stream = bytes(0, 15)
      for (let at = 0; at < stream.length; at += chunkSize) pipe.write(stream.subarray(at, at + chunkSize))
      pipe.end()
      const frames: number[][] = []
      for (let frame = new Uint8Array(5); await pipe.fill(frame); frame = new Uint8Array(5))
        frames.push([...frame])
      assert.deepEqual(frames, [[0, 1, 2, 3, 4], [5, 6, 7, 8, 9], [10, 11, 12, 13, 14]]) // prettier-ignore
    }
  })

  it('are taken only when a frame is requested', async () => {
    const pipe = new FramePipe(() => undefined)
    let taken = 0
    for (let n = 0; n < 3; n++) pipe.write(bytes(n * 4, 4), () => taken++)
    await turn()
    assert.deepEqual([taken, pipe.isHolding, pipe.writableNeedDrain], [0, true, true])
    assert.equal(await pipe.fill(new Uint8Array(4)), true)
    await turn()
    assert.deepEqual([taken, pipe.isHolding], [1, true])
  })

  it('do not include half a frame at the end', async () => {
    const pipe = new FramePipe(() => undefined)
    pipe.end(bytes(0, 7))
    assert.equal(await pipe.fill(new Uint8Array(4)), true)
    assert.equal(await pipe.fill(new Uint8Array(4)), false)
    assert.equal(await pipe.fill(new Uint8Array(4)), false)
  })

  it('release the reader and the writer of a discarded pipe', async () => {
    const pipe = new FramePipe(() => undefined)
    const filling = pipe.fill(new Uint8Array(10))
    pipe.write(bytes(0, 4))
    pipe.discard()
    assert.equal(await filling, false)
    await new Promise<void>((resolve) => pipe.write(bytes(0, 4), () => resolve()))
  })
})

describe('packet times', () => {
  const read = (lines: string, stream = 0) => {
    const times = new PacketTimes()
    for (const line of lines.split('\n')) times.readLine(line, stream)
    return times.endS
  }

  it('use the latest end of presentation, in any order', () => {
    assert.equal(read('#tb 0: 1/100\n0, 0, 0, 4, 10, 0x1\n0, 4, 12, 4, 10, 0x1\n0, 8, 8, 4, 9, 0x2\n'), 0.16)
  })

  it('are separate for each of several streams', () => {
    const lines = '#tb 0: 1/100\n#tb 1: 1/10\n0, 0, 0, 4, 10, 0x1\n1, 0, 0, 5, 10, 0x1\n'
    assert.deepEqual([read(lines, 0), read(lines, 1)], [0.04, 0.5])
  })

  it('count decoding times from their beginning if there are no presentation times', () => {
    const none = '-9223372036854775808'
    assert.equal(read(`#tb 0: 1/100\n0, -8, ${none}, 4, 10, 0x1\n0, 12, ${none}, 4, 10, 0x1\n`), 0.24)
  })

  it('have no end without a packet', () => {
    assert.equal(read('#tb 0: 1/100\n'), undefined)
  })
})
