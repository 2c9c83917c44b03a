import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import type { DecodedFrame } from '../../pipeline/decode/decode-request.js'
import { openFrames } from '../../pipeline/decode/frames.js'
import { planSegments } from '../../pipeline/segments/plan-segments.js'
import {
  contentOf,
  makeAnimatedAvif,
  makeEncrypted,
  makeJoined,
  makePictureBeforeFilm,
  makePreviewBeforeFilm,
  makeTurnedBySei,
  makeTwoPrograms,
} from '../support/field-videos.js'
import { codeOf, decode, request, timeOf } from './decode-helpers.js'
import { ffmpeg, temporaryFolder } from './make-video.js'

const folder = temporaryFolder()
const clip = (name: string) => join(folder, name)
const everyQuarter = (seconds: number) => Array.from({ length: seconds * 4 }, (_, n) => n / 4)

/** The frames that decode, and the gaps. */
async function gapsOf(path: string, range = {}) {
  const handle = openFrames(request(path, range))
  const times: number[] = []
  const afterGap: number[] = []
  for await (const frame of handle.frames) {
    times.push(timeOf(frame))
    if (frame.followsGap === true) afterGap.push(timeOf(frame))
  }
  const gaps = handle.gapsS().map(({ startS, endS }) => [startS, endS] as const)
  return { times, afterGap, gaps, summary: await handle.summary }
}

describe('decode: which stream is the film', () => {
  const isFilm = async (name: string) => {
    const { info, frames } = await decode(request(clip(name)), timeOf)
    assert.deepEqual([info.widthPx, info.heightPx, info.stream, frames.length], [320, 240, 1, 12], name)
    const [sentence = '', ...others] = info.leftOut ?? []
    assert.deepEqual(others, [])
    assert.match(
      sentence,
      /^video stream 0 \(.*\)(, one picture,)? was not processed: stream 1 \(h264, 320×240\)/s,
    )
    const { durationS } = await planSegments(clip(name), { ...info, durationS: undefined }, 600)
    assert.ok(Math.abs(durationS - 3) < 0.1, `${durationS} s`)
  }

  it('the stream that moves, if the first is a single picture', async () => {
    await makePictureBeforeFilm(clip('picture.mp4'))
    await isFilm('picture.mp4')
  })

  it('the stream flagged as default, and not a preview with that flag', async () => {
    for (const isDefault of ['film', 'preview'] as const) {
      await makePreviewBeforeFilm(clip(`${isDefault}.mkv`), isDefault)
      await isFilm(`${isDefault}.mkv`)
    }
  })

  it('the largest of several programs in a transport stream', async () => {
    await makeTwoPrograms(clip('programs.ts'))
    await isFilm('programs.ts')
  })
})

describe('decode: films that are turned by their own key frames', () => {
  it('all frames are upright, in any container', async () => {
    await makeTurnedBySei(clip('turned.ts'))
    ffmpeg('-i', clip('turned.ts'), '-c', 'copy', clip('turned.mp4'))
    for (const name of ['turned.ts', 'turned.mp4']) {
      // The clip is 240 px of picture between black borders of 40 px.
      const { frames, info } = await decode(request(clip(name)), (frame) => ({
        timeS: Math.round(frame.timeS * 4) / 4,
        size: `${frame.full.width}×${frame.full.height}`,
        border: frame.full.data[(120 * 320 + 5) * 3] ?? 255,
      }))
      assert.deepEqual([info.widthPx, info.heightPx], [320, 240])
      assert.deepEqual(frames.map(({ timeS }) => timeS), everyQuarter(3)) // prettier-ignore
      assert.ok(frames.every(({ size, border }) => size === '320×240' && border < 24))
      const second = await decode(request(clip(name), { startS: 1.5 }), timeOf)
      assert.equal(second.frames.length, 6)
    }
  })
})

const pixelsOf = (frame: DecodedFrame) => ({ timeS: timeOf(frame), pixels: frame.full.data.slice() })

/** Mean difference of their pixel values, 0..255. */
function differenceOf(pixels: Uint8Array, others: Uint8Array = new Uint8Array(pixels.length)): number {
  return pixels.reduce((sum, value, n) => sum + Math.abs(value - (others[n] ?? 0)), 0) / pixels.length
}

/** Overwrites 28 to 80 % of a file's content with zeros. */
function zero(name: string): void {
  const bytes = readFileSync(clip(name))
  const [startByte, length] = contentOf(bytes)
  bytes.fill(0, startByte + Math.floor(length * 0.28), startByte + Math.floor(length * 0.8))
  writeFileSync(clip(name), bytes)
}

describe('decode: holes', () => {
  const moving = 'testsrc2=s=160x120:r=25:d=10,noise=alls=20:allf=t'
  const encodings = {
    'hole.mp4': ['-c:v', 'libx264', '-preset', 'ultrafast', '-g', '25'],
    'hole.mkv': ['-c:v', 'libx264', '-preset', 'ultrafast', '-g', '25'],
    'hole.ts': ['-c:v', 'libx264', '-preset', 'ultrafast', '-g', '25'],
    'b-frames.mp4': ['-c:v', 'libx264', '-g', '25', '-bf', '3'],
    'hole.mpg': ['-c:v', 'mpeg2video', '-q:v', '4', '-g', '15'],
    'vp8.webm': ['-c:v', 'libvpx', '-deadline', 'realtime', '-b:v', '2M', '-g', '25'],
    'hevc.mp4': ['-c:v', 'libx265', '-preset', 'ultrafast', '-x265-params', 'log-level=none:keyint=25:min-keyint=25'],
    'hole.mov': ['-c:v', 'mjpeg', '-q:v', '4'],
  } // prettier-ignore

  for (const [name, encoding] of Object.entries(encodings)) {
    it(`frames in a hole are not returned, and the hole is reported: ${name}`, async () => {
      ffmpeg('-f', 'lavfi', '-i', moving, ...encoding, '-pix_fmt', name === 'hole.mov' ? 'yuvj420p' : 'yuv420p', clip(name)) // prettier-ignore
      const whole = await gapsOf(clip(name))
      assert.deepEqual([whole.times.length, whole.gaps, whole.afterGap], [40, [], []])
      const good = new Map(
        (await decode(request(clip(name)), pixelsOf)).frames.map(({ timeS, pixels }) => [timeS, pixels]),
      )
      zero(name)

      const { times, gaps, afterGap, summary } = await gapsOf(clip(name))
      assert.equal(gaps.length, 1, JSON.stringify(gaps))
      const [startS, endS] = gaps[0] ?? [0, 0]
      assert.ok(startS > 2 && startS < 3.5 && endS > 7.5 && endS <= 9.5, `${startS} to ${endS}`)
      assert.ok(times.every((timeS) => timeS < startS || timeS >= endS - 1e-6))
      assert.equal(times.length, summary.frames)
      assert.deepEqual(afterGap, times.filter((timeS) => timeS > startS).slice(0, 1))
      // The frames that are returned show what the whole clip showed, except for the rounding of a decoder that starts
      // again.
      const given = await decode(request(clip(name)), pixelsOf)
      const rightly = given.frames.filter(({ timeS, pixels }) => differenceOf(pixels, good.get(timeS)) < 4)
      assert.ok(rightly.length >= given.frames.length - 2, `${rightly.length} of ${given.frames.length}`)
      const inside = await gapsOf(clip(name), { startS: 4, endS: 7 })
      assert.deepEqual([inside.times, inside.gaps], [[], [[4, 7]]])
    })
  }

  it('a hole of more than ten seconds in a transport stream does not change the clock', async () => {
    ffmpeg('-f', 'lavfi', '-i', 'testsrc2=s=64x48:r=10:d=40,noise=alls=20:allf=t', '-c:v', 'libx264', '-preset', 'ultrafast', '-g', '10', '-pix_fmt', 'yuv420p', clip('long.ts')) // prettier-ignore
    zero('long.ts')
    const { times, gaps } = await gapsOf(clip('long.ts'))
    assert.ok((times.at(-1) ?? 0) > 39 && gaps.length === 1, JSON.stringify(gaps))
    assert.ok((gaps[0]?.[1] ?? 0) - (gaps[0]?.[0] ?? 0) > 18)
  })

  it('a clip with a damaged only key frame returns no frame, and reports that all of it is lost', async () => {
    // Nearly all of its bytes belong to its first frame.
    ffmpeg(
      '-f',
      'lavfi',
      '-i',
      'testsrc=s=320x240:r=10:d=0.1,loop=loop=-1:size=1',
      '-t',
      '0.5',
      '-c:v',
      'libx264',
      clip('all.mp4'),
    )
    zero('all.mp4')
    const { times, gaps } = await gapsOf(clip('all.mp4'))
    assert.deepEqual([times, gaps], [[], [[0, 0.5]]])
  })
})

describe('decode: recordings that were joined', () => {
  const lengthOf = async (name: string) => {
    const { info, frames, summary } = await decode(request(clip(name)), timeOf)
    assert.deepEqual([frames.length, summary.truncated, info.cuttable], [28, false, false], name)
    assert.ok(
      frames.every((timeS, n) => n === 0 || timeS - (frames[n - 1] ?? 0) < 0.4),
      frames.join(' '),
    )
    return (await planSegments(clip(name), info, 600)).durationS
  }

  it('a file is as long as its parts together, wherever their clocks begin', async () => {
    await makeJoined(clip('joined.ts'), [4, 3])
    await makeJoined(clip('reversed.ts'), [3, 4])
    await makeJoined(clip('ahead.ts'), [4, 3], [0, 2000])
    await makeJoined(clip('joined.mpg'), [4, 3])
    for (const name of ['joined.ts', 'reversed.ts', 'ahead.ts', 'joined.mpg'])
      assert.ok(Math.abs((await lengthOf(name)) - 7) < 0.1, name)
  })

  it('the clock of one recording is steady even if it starts again after 2³³ ticks', async () => {
    await makeJoined(clip('wraps.ts'), [4], [95_440])
    const { info, frames } = await decode(request(clip('wraps.ts')), timeOf)
    assert.deepEqual([info.durationS, info.cuttable, frames.length], [4, true, 16])
  })
})

describe('decode: further files', () => {
  it('an animated AVIF is a clip as long as its pictures', async () => {
    await makeAnimatedAvif(clip('animated.avif'))
    const { info, frames } = await decode(request(clip('animated.avif')), timeOf)
    assert.equal(frames.length, 12)
    assert.equal((await planSegments(clip('animated.avif'), info, 600)).durationS, 3)
    ffmpeg('-i', clip('animated.avif'), '-frames:v', '1', '-c:v', 'libaom-av1', '-still-picture', '1', clip('still.avif')) // prettier-ignore
    await assert.rejects(decode(request(clip('still.avif')), timeOf), codeOf('CLIP_NOT_VIDEO', 'still.avif'))
  })

  it('an encrypted clip is refused as encrypted', async () => {
    await makeEncrypted(clip('encrypted.mp4'))
    await assert.rejects(decode(request(clip('encrypted.mp4')), timeOf), codeOf('CLIP_ENCRYPTED', 'encrypted.mp4')) // prettier-ignore
    await makeJoined(clip('scrambled.ts'), [2])
    const bytes = readFileSync(clip('scrambled.ts'))
    // Sets transport_scrambling_control of every packet, and overwrites its content with noise.
    for (let at = 0; at < bytes.length; at += 188) {
      const isVideo = (bytes.readUInt16BE(at + 1) & 0x1fff) === 0x100
      if (!isVideo) continue
      bytes[at + 3] = (bytes[at + 3] ?? 0) | 0x80
      for (let n = 12; n < 188; n++) bytes[at + n] = (bytes[at + n] ?? 0) ^ (n * 37 + at)
    }
    writeFileSync(clip('scrambled.ts'), bytes)
    await assert.rejects(decode(request(clip('scrambled.ts')), timeOf), codeOf('CLIP_ENCRYPTED', 'scrambled.ts')) // prettier-ignore
  })
})
