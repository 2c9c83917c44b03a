import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { openFrames } from '../../pipeline/decode/frames.js'
import type { DecodeRequest } from '../../pipeline/decode/decode-request.js'
import { probeDurationS } from '../../pipeline/decode/probe-duration.js'
import type { ErrorCode } from '../../pipeline/common/errors.js'
import { cutOff } from '../support/bad-clips.js'
import { childProcesses, codeOf, decode, request, timeOf } from './decode-helpers.js'
import { ffmpeg, numberedFrames, temporaryFolder } from './make-video.js'

const folder = temporaryFolder()
const clip = (name: string) => join(folder, name)
const x264 = ['-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p']

ffmpeg(...numberedFrames({ seconds: 2 }), ...x264, '-g', '10', clip('good.mp4'))

async function refused(
  name: string,
  code: ErrorCode,
  named = name,
  changes: Partial<DecodeRequest> = {},
): Promise<void> {
  const handle = openFrames(request(clip(name), changes))
  await assert.rejects(
    async () => {
      for await (const frame of handle.frames) assert.fail(`a frame at ${frame.timeS} s`)
    },
    codeOf(code, named),
  )
  await assert.rejects(handle.info, codeOf(code))
  await assert.rejects(handle.summary, codeOf(code))
  assert.deepEqual(childProcesses(), [])
}

describe('decode: names', () => {
  it('any legal file name is opened as a file', async () => {
    const names = [
      '-dash.mp4',
      'a:b.mp4',
      'http:x.mp4',
      'two words and more.mp4',
      `quotes ' " \`.mp4`,
      'per%03dcent.mp4',
      'brackets [0:v], semi;colon.mp4',
      "line\n[info] Output #0, rawvideo, to 'pipe:1':\r\nbreaks.mp4",
      'ünïcödé 視頻 🎬.mp4',
      'back\\slash.mp4',
    ]
    for (const name of names) {
      copyFileSync(clip('good.mp4'), clip(name))
      const { frames, info } = await decode(request(clip(name)), timeOf)
      assert.equal(frames.length, 8, name)
      assert.equal(info.durationS, 2, name)
    }
  })
})

describe('decode: what is not a video', () => {
  it('an empty file, a folder and a missing file get different errors', async () => {
    writeFileSync(clip('empty.mp4'), '')
    mkdirSync(clip('folder.mp4'))
    await refused('empty.mp4', 'CLIP_EMPTY')
    await refused('folder.mp4', 'CLIP_NOT_VIDEO')
    await refused('missing.mp4', 'CLIP_GONE')
    await refused('good.mp4/inside.mp4', 'CLIP_GONE', 'inside.mp4')
    await refused(`${'x'.repeat(300)}.mp4`, 'CLIP_NAME_UNSUPPORTED', 'xxx')
  })

  it('text and random bytes are refused, whatever their names are', async () => {
    writeFileSync(clip('text.mp4'), 'no video at all\n'.repeat(50))
    writeFileSync(clip('noise.mkv'), Buffer.alloc(50_000, 'q1w2e3'))
    await refused('text.mp4', 'CLIP_NOT_VIDEO')
    await refused('noise.mkv', 'CLIP_NOT_VIDEO')
  })

  it('still images are refused, whatever their names are', async () => {
    for (const kind of ['png', 'jpg', 'bmp', 'gif']) {
      ffmpeg('-f', 'lavfi', '-i', 'color=red:s=64x64:d=1', '-frames:v', '1', clip(`still.${kind}`))
      copyFileSync(clip(`still.${kind}`), clip(`still-${kind}.mp4`))
      await refused(`still.${kind}`, 'CLIP_NOT_VIDEO')
      await refused(`still-${kind}.mp4`, 'CLIP_NOT_VIDEO')
    }
  })

  it('sound alone, with or without cover art, is a clip without video', async () => {
    const sound = ['-f', 'lavfi', '-i', 'sine=d=1']
    ffmpeg(...sound, clip('sound.m4a'))
    ffmpeg(...sound, clip('sound.mp3'))
    ffmpeg(...sound, clip('sound.wav'))
    ffmpeg(...sound, '-i', clip('still.jpg'), '-map', '0', '-map', '1', '-c:v', 'copy', '-disposition:v', 'attached_pic', clip('cover.m4a')) // prettier-ignore
    for (const name of ['sound.m4a', 'sound.mp3', 'sound.wav', 'cover.m4a'])
      await refused(name, 'CLIP_NO_VIDEO')
    await assert.rejects(probeDurationS(clip('sound.m4a')), codeOf('CLIP_NO_VIDEO', 'sound.m4a'))
  })

  it('playlists are refused, and nothing that they name is opened', async () => {
    let connections = 0
    const server = createServer((_request, response) => response.end()).on('connection', () => connections++)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    const url = `http://127.0.0.1:${port}/good.mp4`
    const hls = (target: string) =>
      `#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\n${target}\n#EXT-X-ENDLIST\n`
    execFileSync('mkfifo', [clip('target.ts')]) // opening it would hang: CLIP_STUCK instead of CLIP_NOT_VIDEO
    const playlists = {
      'hls-http.mp4': hls(url),
      'hls-http.m3u8': hls(url),
      'hls-local.mp4': hls('good.mp4'),
      'hls-pipe.mp4': hls('target.ts'),
      'concat.mp4': `ffconcat version 1.0\nfile good.mp4\n`,
      'concat-pipe.mp4': `ffconcat version 1.0\nfile target.ts\n`,
      'dash.mp4': `<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static"><Period><AdaptationSet mimeType="video/mp4"><Representation id="1"><BaseURL>${url}</BaseURL></Representation></AdaptationSet></Period></MPD>`,
      'session.mp4': `v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video ${port} RTP/AVP 96\n`,
    }
    for (const [name, text] of Object.entries(playlists)) {
      writeFileSync(clip(name), text)
      await refused(name, 'CLIP_NOT_VIDEO')
    }
    assert.equal(connections, 0)
    server.close()
  })
})

describe('decode: damaged clips', () => {
  it('a frame of 16,000×16,000 pixels is refused before it is decoded', async () => {
    // The header of a small clip, changed to 16,000 (0x3e80): what matters is what ffmpeg would allocate.
    ffmpeg(...numberedFrames({ seconds: 0.2, size: '300x260' }), '-c:v', 'ffv1', clip('huge.mkv'))
    const bytes = readFileSync(clip('huge.mkv'))
    for (const field of ['b082012c', 'ba820104']) {
      const at = bytes.indexOf(Buffer.from(field, 'hex'))
      assert.ok(at > 0)
      bytes.writeUInt16BE(16_000, at + 2)
    }
    writeFileSync(clip('huge.mkv'), bytes)
    await refused('huge.mkv', 'CLIP_FRAME_TOO_LARGE')
  })

  it('a file that is cut off returns the frames before the cut, and the summary reports it', async () => {
    const encodings = {
      'cut.mp4': ['-i', clip('good.mp4'), '-c', 'copy', '-movflags', 'faststart'],
      'cut.mkv': ['-i', clip('good.mp4'), '-c', 'copy'],
      'cut.avi': [...numberedFrames({ seconds: 2 }), '-c:v', 'mpeg4', '-g', '10'],
      'cut.wmv': [...numberedFrames({ seconds: 2 }), '-g', '10'],
      'cut.ogv': [...numberedFrames({ seconds: 2 }), '-g', '10', '-page_duration', '200000'],
      'cut.ts': ['-i', clip('good.mp4'), '-c', 'copy'],
    }
    for (const [name, encoding] of Object.entries(encodings)) {
      ffmpeg(...encoding, clip(name))
      cutOff(clip(name), 0.6)
      const { frames, summary } = await decode(request(clip(name)), timeOf)
      assert.ok(frames.length >= 2 && frames.length < 8, `${name}: ${frames.join(' ')}`)
      assert.equal(summary.truncated, true, name)
      const after = await decode(request(clip(name), { startS: 30 }), timeOf)
      assert.deepEqual(after.frames, [], `${name}: a segment after the cut is empty`)
    }
  })

  it('a few missing bytes at the end are noticed if the container shows them', async () => {
    const encodings = {
      'short.wmv': ['-i', clip('good.mp4'), '-c:v', 'wmv2'],
      'short.ogv': ['-i', clip('good.mp4'), '-page_duration', '200000'],
      'short.ts': ['-i', clip('good.mp4'), '-c', 'copy'],
      'short.mkv': ['-i', clip('good.mp4'), '-c', 'copy'],
      'short.gif': ['-i', clip('good.mp4')],
      'short.avi': ['-i', clip('good.mp4'), '-c:v', 'mpeg4'],
    }
    for (const [name, encoding] of Object.entries(encodings)) {
      ffmpeg(...encoding, clip(name))
      assert.equal((await decode(request(clip(name)), timeOf)).summary.truncated, false, name)
      truncateSync(clip(name), statSync(clip(name)).size - 94)
      assert.equal((await decode(request(clip(name)), timeOf)).summary.truncated, true, name)
    }
  })

  it('a slide show, and an animation that stays on its last picture, are complete', async () => {
    ffmpeg(
      '-f',
      'lavfi',
      '-i',
      'testsrc=s=64x64:r=1/5:d=20',
      ...x264,
      '-fps_mode',
      'passthrough',
      clip('slides.mp4'),
    )
    ffmpeg('-f', 'lavfi', '-i', 'testsrc=s=64x64:r=10:d=1', '-final_delay', '600', clip('rests.gif'))
    for (const [name, count] of Object.entries({ 'slides.mp4': 4, 'rests.gif': 4 })) {
      const { frames, summary } = await decode(request(clip(name)), timeOf)
      assert.deepEqual([frames.length, summary.truncated], [count, false], name)
    }
  })

  it('an MP4 without its index is reported as cut off', async () => {
    const whole = readFileSync(clip('good.mp4'))
    writeFileSync(clip('no-moov.mp4'), whole.subarray(0, whole.length >> 1))
    await refused('no-moov.mp4', 'CLIP_DECODE_FAILED', 'cut off')
  })

  it('a clip without a decodable frame is an error', async () => {
    ffmpeg(...numberedFrames({ seconds: 1 }), '-c:v', 'mpeg4', clip('scrambled.avi'))
    const bytes = readFileSync(clip('scrambled.avi'))
    const from = bytes.indexOf('movi') + 12
    bytes.fill(0, from, bytes.lastIndexOf('idx1'))
    writeFileSync(clip('scrambled.avi'), bytes)
    await refused('scrambled.avi', 'CLIP_DECODE_FAILED')
  })

  it('a pipe that nobody writes to fails after the stall timeout', async () => {
    execFileSync('mkfifo', [clip('pipe.mp4')])
    const soon = { stallTimeoutS: 1 }
    await refused('pipe.mp4', 'CLIP_STUCK', 'pipe.mp4', soon)
    await assert.rejects(probeDurationS(clip('pipe.mp4'), soon), codeOf('CLIP_STUCK'))
    assert.deepEqual(childProcesses(), [])
  })
})
