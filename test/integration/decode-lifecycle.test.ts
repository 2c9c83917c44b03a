import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { describe, it } from 'node:test'
import { pathToFileURL } from 'node:url'
import { ffmpegVersion, findFfmpeg } from '../../pipeline/decode/ffmpeg.js'
import { openFrames } from '../../pipeline/decode/frames.js'
import type { DecodeHandle } from '../../pipeline/decode/decode-request.js'
import { probeDurationS } from '../../pipeline/decode/probe-duration.js'
import { fakeFfmpeg } from '../support/fake-ffmpeg.js'
import { childProcesses, codeOf, decode, fingerprint, request } from './decode-helpers.js'
import { ffmpeg, temporaryFolder } from './make-video.js'

const folder = temporaryFolder()
const path = join(folder, 'long.mp4')
ffmpeg('-f', 'lavfi', '-i', 'testsrc2=s=640x480:r=25:d=40', '-c:v', 'libx264', '-preset', 'ultrafast', path)
const everyFrame = { sampling: { kind: 'fps', fps: 25 } } as const

async function firstFrame(handle: DecodeHandle): Promise<void> {
  for await (const frame of handle.frames) {
    assert.equal(frame.timeS, 0)
    return
  }
}

describe('decode: start and end of ffmpeg', () => {
  it('the clip is described before its first frame', async () => {
    const handle = openFrames(request(path))
    assert.equal((await handle.info).durationS, 40)
    await handle.close()
    assert.deepEqual(childProcesses(), [])
  })

  it('a reader that stops early ends ffmpeg', async () => {
    const handle = openFrames(request(path, everyFrame))
    await firstFrame(handle)
    assert.deepEqual(childProcesses(), [])
    assert.deepEqual(await handle.summary, { frames: 1, lastTimeS: 0, truncated: false })
  })

  it('an abort ends ffmpeg at once, before, between and without frames', async () => {
    const aborted = openFrames(request(path, { signal: AbortSignal.abort() }))
    await assert.rejects(firstFrame(aborted), codeOf('INTERRUPTED', 'long.mp4'))

    const controller = new AbortController()
    const handle = openFrames(request(path, { ...everyFrame, signal: controller.signal }))
    await assert.rejects(async () => {
      for await (const frame of handle.frames) if (frame.timeS > 0.1) controller.abort()
    }, codeOf('INTERRUPTED'))
    await assert.rejects(handle.summary, codeOf('INTERRUPTED'))

    const early = new AbortController()
    const unread = openFrames(request(path, { signal: early.signal }))
    await unread.info
    early.abort()
    await assert.rejects(unread.summary, codeOf('INTERRUPTED'))
    // Nobody waits for this ffmpeg. It would run for minutes, because nothing reads its frames.
    for (let i = 0; i < 500 && childProcesses().length > 0; i++) await pause(20)
    assert.deepEqual(childProcesses(), [])

    const short = join(folder, 'short.mp4')
    ffmpeg('-f', 'lavfi', '-i', 'testsrc2=s=32x32:r=25:d=1', '-c:v', 'libx264', short)
    const late = new AbortController()
    const rest = openFrames(request(short, { signal: late.signal }))
    await assert.rejects(
      async () => {
        for await (const frame of rest.frames) {
          assert.equal(frame.timeS, 0, 'no frame after the abort')
          while (childProcesses().length > 0) await pause(10)
          late.abort() // ffmpeg has exited, and the other frames wait in the pipe
        }
      },
      codeOf('INTERRUPTED', 'short.mp4'),
    )
    await assert.rejects(rest.summary, codeOf('INTERRUPTED'))

    const slow = new AbortController()
    const measuring = probeDurationS(path, { signal: slow.signal })
    slow.abort()
    await assert.rejects(measuring, codeOf('INTERRUPTED'))
  })

  it('a handle that is closed without reading settles its promises', async () => {
    const handle = openFrames(request(path))
    await handle.close()
    await assert.rejects(handle.info, codeOf('INTERRUPTED'))
    await assert.rejects(handle.summary, codeOf('INTERRUPTED'))
    assert.deepEqual(childProcesses(), [])
  })

  it('one process decodes a clip, and none is left after the last frame', async () => {
    const seen = new Set<string>()
    await decode(request(path), () => seen.add(childProcesses().join()))
    assert.ok(
      [...seen].every((names) => names === 'ffmpeg' || names === ''),
      [...seen].join(' | '),
    )
    assert.deepEqual(childProcesses(), [])
  })

  it('a slow reader does not count as a stalled ffmpeg, and ffmpeg waits for it', async () => {
    const handle = openFrames(request(path, { ...everyFrame, endS: 0.2, stallTimeoutS: 3 }))
    let count = 0
    for await (const frame of handle.frames) {
      assert.equal(frame.timeS, count++ / 25)
      if (count === 2) await pause(4000)
    }
    assert.equal(count, 5)
  })

  it('memory stays small while a reader is slow', async () => {
    const before = process.memoryUsage.rss()
    const handle = openFrames(request(path, everyFrame))
    for await (const frame of handle.frames) {
      if (frame.timeS < 0.5) await pause(20)
      else break
    }
    assert.ok(process.memoryUsage.rss() - before < 50e6)
  })

  it('a frame’s buffer may be transferred to another thread', async () => {
    const whole = await decode(request(path, { endS: 3 }), fingerprint)
    const transferred = await decode(request(path, { endS: 3 }), (frame) => {
      const print = fingerprint(frame)
      const { buffer } = frame.full.data
      assert.ok(buffer instanceof ArrayBuffer)
      structuredClone(buffer, { transfer: [buffer] })
      return print
    })
    assert.deepEqual(transferred.frames, whole.frames)
  })

  it('segments are decoded in parallel without affecting each other', async () => {
    const whole = await decode(request(path, { endS: 8 }), fingerprint)
    const parts = await Promise.all(
      [0, 2, 4, 6].map((startS) => decode(request(path, { startS, endS: startS + 2 }), fingerprint)),
    )
    assert.deepEqual(
      parts.flatMap((part) => part.frames),
      whole.frames,
    )
  })

  describe('with lines missing from ffmpeg’s log', () => {
    const small = join(folder, 'small.mp4')
    ffmpeg('-f', 'lavfi', '-i', 'testsrc2=s=32x32:r=25:d=1', '-c:v', 'libx264', small)

    /** Runs `work` with an ffmpeg and removes the lines with the pattern from its log. */
    async function without<T>(pattern: string, work: () => Promise<T>): Promise<T> {
      const { FFMPEG_PATH: before } = process.env
      const real = await findFfmpeg()
      const filtered = `{ '${real}' "$@" 2>&1 >&3 3>&- | sed -u '/${pattern}/d' >&2 3>&-; } 3>&1; exit ;;`
      process.env.FFMPEG_PATH = fakeFfmpeg(join(folder, 'ffmpeg-with-losses'), `*) ${filtered}`)
      try {
        return await work()
      } finally {
        if (before === undefined) delete process.env.FFMPEG_PATH
        else process.env.FFMPEG_PATH = before
      }
    }

    it('the size of the output is not needed', async () => {
      const [whole, lossy] = [
        await decode(request(small), fingerprint),
        await without('Video: rawvideo', () => decode(request(small), fingerprint)),
      ]
      assert.deepEqual(lossy.frames, whole.frames)
    })

    it('any frame without its time is an error, and nothing waits for ever', async () => {
      const lost = codeOf('FFMPEG_FAILED', 'small.mp4')
      for (const n of [0, 1, 3]) {
        const pattern = `showinfo.* n: *${n} pts`
        await assert.rejects(
          without(pattern, () => decode(request(small), fingerprint)),
          lost,
          `frame ${n}`,
        )
      }
      const all = 'showinfo.* n: *[0-9]* pts'
      const segment = request(small, { startS: 0.5 })
      await assert.rejects(
        without(all, () => decode(segment, fingerprint)),
        lost,
      )
      const large = request(path, { endS: 0.25, stallTimeoutS: 8 })
      await assert.rejects(
        without(all, () => decode(large, fingerprint)),
        codeOf('FFMPEG_FAILED', 'long.mp4'),
      )
    })
  })

  it('the version of ffmpeg is known', async () => {
    assert.match((await ffmpegVersion()).version, /\d/)
  })

  it('without ffmpeg the error says how to install it', () => {
    const module = pathToFileURL(join(import.meta.dirname, '../../pipeline/decode/frames.js')).href
    const script = `
      import { openFrames } from ${JSON.stringify(module)}
      const handle = openFrames(${JSON.stringify({ ...request(path), endS: 5 })})
      handle.frames[Symbol.asyncIterator]().next().catch((error) => console.log(error.code, error.message))`
    const run = (environment: Record<string, string>) =>
      execFileSync(process.execPath, ['--input-type=module', '-e', script], {
        env: environment,
        encoding: 'utf8',
      })
    assert.match(run({ PATH: folder }), /^FFMPEG_MISSING .*; install ffmpeg 5\.1 or newer/)
    assert.match(run({ PATH: '/usr/bin', FFMPEG_PATH: path }), /^FFMPEG_MISSING .*FFMPEG_PATH/)
  })
})
