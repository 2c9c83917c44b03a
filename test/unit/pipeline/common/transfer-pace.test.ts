import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  AnswerWait,
  paced,
  TransferTooSlow,
  type TransferLimits,
} from '../../../../pipeline/common/transfer-pace.js'

const limits: TransferLimits = { answerS: 0.01, windowS: 10, leastBytesPerS: 100 }

/** Chunks with their own clock: each arrives this many seconds after the previous one was taken. */
function source(chunks: readonly (readonly [afterS: number, bytes: number])[]) {
  let now = 0
  async function* stream() {
    for (const [afterS, bytes] of chunks) {
      now += afterS * 1000
      yield await Promise.resolve(Buffer.alloc(bytes))
    }
  }
  return { stream: stream(), nowMs: () => now, pass: (s: number) => (now += s * 1000) }
}

async function bytesOf(chunks: readonly (readonly [number, number])[], sizeBytes?: number, spentS = 0) {
  const { stream, nowMs, pass } = source(chunks)
  let bytes = 0
  for await (const chunk of paced(stream, limits, sizeBytes, nowMs)) {
    bytes += chunk.byteLength
    pass(spentS)
  }
  return bytes
}

const tooSlow = (mayPass: boolean, said: RegExp) => (error: unknown) =>
  error instanceof TransferTooSlow && error.mayPass === mayPass && said.test(error.message)

const repeat = (count: number, chunk: readonly [number, number]) => Array.from({ length: count }, () => chunk)

describe('the pace of a transfer', () => {
  it('is measured in windows: a pause that the rest of a window makes up for is allowed', async () => {
    assert.equal(await bytesOf(repeat(50, [2, 200])), 10_000)
    assert.equal(await bytesOf([[9, 1], [0, 2000], [9, 1], [2, 2000]]), 4002) // prettier-ignore
    assert.equal(await bytesOf([[5, 7]]), 7, 'an end within the first window')
  })

  it('reports a transfer with a byte now and then as too slow after one window', async () => {
    await assert.rejects(
      bytesOf(repeat(1000, [2, 1])),
      tooSlow(true, /5 bytes in 10 s, at least 100 per second/),
    )
    await assert.rejects(
      bytesOf([...repeat(20, [1, 500] as const), ...repeat(99, [1, 1] as const)]),
      tooSlow(true, /10 bytes in 10 s/),
    )
  })

  it('does not count the time in which the reader does something else', async () => {
    assert.equal(await bytesOf(repeat(20, [0.5, 100]), 2000, 3600), 2000)
  })

  it('limits the whole transfer to its size at eight times the required rate, plus one window', async () => {
    // 8,000 bytes may take 10 + 10 s.
    assert.equal(await bytesOf(repeat(19, [1, 110]), 8000), 2090)
    await assert.rejects(
      bytesOf(repeat(80, [1, 110]), 8000),
      tooSlow(false, /8000 bytes may take at most 20 s/),
    )
    assert.equal(await bytesOf(repeat(80, [1, 110])), 8800, 'if its size is not known')
  })

  it('stops waiting for a silent source by a timer', async () => {
    const silent = {
      [Symbol.asyncIterator]: () => ({
        next: () => new Promise<IteratorResult<Uint8Array>>(() => undefined),
      }),
    }
    const soon = { ...limits, windowS: 0.01 }
    await assert.rejects(
      async () => {
        for await (const chunk of paced(silent, soon)) assert.fail(`${chunk.byteLength} bytes`)
      },
      tooSlow(true, /0 bytes in 0\.01 s/),
    )
  })

  it('ends the request if no answer comes', async () => {
    const answer = new AnswerWait(limits)
    await assert.rejects(
      answer.orLate(new Promise(() => undefined)),
      tooSlow(true, /did not answer within 0\.01 s/),
    )
    assert.equal(answer.signal.aborted, true)
    assert.equal(await new AnswerWait(limits).orLate(Promise.resolve(7)), 7)
  })
})
