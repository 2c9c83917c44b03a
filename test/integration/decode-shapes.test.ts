import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import type { DecodedFrame } from '../../pipeline/decode/decode-request.js'
import { frameSizes } from '../../pipeline/decode/image-sizes.js'
import { decode, greyAt, request, timeOf } from './decode-helpers.js'
import { ffmpeg, frameGrey, numberedFrames, temporaryFolder } from './make-video.js'

const folder = temporaryFolder()
const clip = (name: string) => join(folder, name)
const x264 = ['-c:v', 'libx264', '-preset', 'ultrafast', '-crf', '12', '-pix_fmt', 'yuv420p']
const sizeOf = ({ full }: DecodedFrame) => [full.width, full.height]

/** The corner of the full image that contains the white square of `numberedFrames`. */
function markedCorner({ full }: DecodedFrame): string {
  const [right, bottom] = [full.width - 8, full.height - 8]
  const corners = { 'top left': [8, 8], 'top right': [right, 8], 'bottom left': [8, bottom], 'bottom right': [right, bottom] } // prettier-ignore
  for (const [name, [x = 0, y = 0]] of Object.entries(corners)) if (greyAt(full, x, y) > 230) return name
  return 'none'
}

/**
 * Copies an MP4 of 160×120 pixels with a display rotation of 90° to the right. No ffmpeg option does that in all
 * versions.
 */
function turnRight(from: string, to: string): void {
  const bytes = readFileSync(from)
  const box = bytes.indexOf('tkhd') + 4
  assert.ok(box > 4 && bytes[box] === 0, 'the track header has version 0')
  // ISO/IEC 14496-12, 8.3.2: (x, y) becomes (120 - y, x), in 16.16 numbers, with a 2.30 number at each third place.
  const matrix = [0, 2 ** 16, 0, -(2 ** 16), 0, 0, 120 * 2 ** 16, 0, 2 ** 30]
  for (const [n, value] of matrix.entries()) bytes.writeInt32BE(value, box + 40 + 4 * n)
  writeFileSync(to, bytes)
}

describe('decode: shapes of pictures', () => {
  it('a rotation in the display matrix is applied', async () => {
    const [upright, turned] = [clip('upright.mp4'), clip('turned.mp4')]
    ffmpeg(...numberedFrames({ seconds: 1 }), ...x264, upright)
    turnRight(upright, turned)
    const { frames, info } = await decode(request(turned), (frame) => [...sizeOf(frame), markedCorner(frame)])
    assert.equal(frames.length, 4)
    assert.deepEqual(frames[0], [120, 160, 'top right'])
    assert.deepEqual([info.widthPx, info.heightPx, info.sourceWidthPx], [120, 160, 120])
    const empty = await decode(request(turned, { startS: 30 }), timeOf)
    assert.deepEqual([empty.info.widthPx, empty.info.heightPx], [120, 160], 'also without a frame')
  })

  it('pixels are made square', async () => {
    const path = clip('anamorphic.mp4')
    ffmpeg(...numberedFrames({ seconds: 1 }), '-vf', 'setsar=2/1', ...x264, path)
    const { frames, info } = await decode(request(path), sizeOf)
    assert.deepEqual(frames[0], [320, 120])
    assert.deepEqual([info.sourceWidthPx, info.sourceHeightPx], [320, 120])
  })

  it('10-bit, odd-sized and interlaced pictures have the right grey', async () => {
    const encodings = {
      'ten-bit.mp4': ['-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p10le'],
      'odd.mkv': ['-vf', 'format=yuv444p,crop=151:113:0:0', '-c:v', 'ffv1'],
      'odd-420.mkv': ['-vf', 'format=yuv444p,crop=151:113:0:0,format=yuv420p', '-c:v', 'ffv1'],
      'interlaced.ts': ['-vf', 'setfield=tff', '-c:v', 'mpeg2video', '-flags', '+ilme+ildct', '-q:v', '2'],
    }
    for (const [name, encoding] of Object.entries(encodings)) {
      ffmpeg(...numberedFrames({ seconds: 1 }), ...encoding, clip(name))
      const { frames } = await decode(request(clip(name)), (frame) => ({
        off: Math.abs(greyAt(frame.full, 100, 90) - frameGrey(Math.round(frame.timeS * 25))),
        size: sizeOf(frame),
      }))
      assert.equal(frames.length, 4, name)
      assert.ok(
        frames.every(({ off }) => off < 5),
        `${name}: ${frames.map(({ off }) => off.toFixed(1)).join(' ')}`,
      )
      assert.deepEqual(frames[0]?.size, name.startsWith('odd') ? [151, 113] : [160, 120])
    }
  })

  it('interlaced pictures are deinterlaced, and progressive ones stay unchanged', async () => {
    // Two fields with different grey: rows alternate until they are deinterlaced.
    const comb = "geq=lum='if(mod(Y,2),200,60)':cb=128:cr=128"
    const combing = ({ full }: DecodedFrame) => Math.abs(greyAt(full, 80, 60) - greyAt(full, 80, 61))
    for (const [field, isCombed] of [
      ['tff', false],
      ['prog', true],
    ] as const) {
      const path = clip(`comb-${field}.mkv`)
      ffmpeg(...numberedFrames({ seconds: 1 }), '-vf', `${comb},setfield=${field}`, '-c:v', 'ffv1', '-field_order', field === 'tff' ? 'tt' : 'progressive', path) // prettier-ignore
      const { frames } = await decode(request(path), combing)
      assert.equal(frames.length, 4)
      assert.equal(Math.max(...frames) > 100, isCombed, `${field}: ${frames.join(' ')}`)
    }
  })

  it('the first of two video streams is used, and cover art does not count', async () => {
    const [two, covered] = [clip('two.mkv'), clip('covered.mp4')]
    const other = ['-f', 'lavfi', '-i', 'color=white:s=64x64:r=25:d=1']
    ffmpeg(...numberedFrames({ seconds: 1 }), ...other, '-map', '0', '-map', '1', ...x264, two)
    assert.deepEqual((await decode(request(two), sizeOf)).frames[0], [160, 120])
    ffmpeg('-f', 'lavfi', '-i', 'color=white:s=64x64:d=1', '-frames:v', '1', clip('cover.jpg'))
    ffmpeg(...numberedFrames({ seconds: 1 }), ...x264, clip('bare.mp4'))
    ffmpeg('-i', clip('cover.jpg'), '-i', clip('bare.mp4'), '-map', '0', '-map', '1', '-c', 'copy', '-disposition:v:0', 'attached_pic', covered) // prettier-ignore
    const { frames, info } = await decode(request(covered), sizeOf)
    assert.deepEqual([frames.length, frames[0]], [4, [160, 120]])
    assert.equal(info.codec, 'h264')
  })

  it('frames after a change of size are fitted into the shape of the first ones, and not shrunk', async () => {
    const [wide, tall, joined] = [clip('wide.ts'), clip('tall.ts'), clip('joined.ts')]
    ffmpeg(...numberedFrames({ seconds: 2 }), ...x264, wide)
    ffmpeg(...numberedFrames({ seconds: 2, size: '120x160' }), ...x264, '-output_ts_offset', '2', tall)
    writeFileSync(joined, Buffer.concat([readFileSync(wide), readFileSync(tall)]))
    const { frames, summary } = await decode(request(joined), (frame) => ({
      timeS: timeOf(frame),
      size: sizeOf(frame).join('×'),
      edge: greyAt(frame.full, 3, 100),
      off: Math.abs(
        greyAt(frame.full, frame.full.width >> 1, 100) - frameGrey(Math.round((frame.timeS % 2) * 25)),
      ),
    }))
    const starts = frames.map((frame) => frame.timeS)
    assert.ok(frames.length >= 15 && (starts.at(-1) ?? 0) > 3.7, starts.join(' '))
    assert.ok(starts.every((timeS, n) => n === 0 || timeS > (starts[n - 1] ?? 0)))
    assert.ok(frames.every(({ timeS, size }) => size === (timeS < 1.99 ? '160×120' : '213×160')))
    assert.ok(
      frames.every((frame) => frame.off < 6),
      frames.map((frame) => frame.off.toFixed(1)).join(' '),
    )
    assert.ok((frames.at(-1)?.edge ?? 255) < 5, 'tall pictures get black borders')
    assert.equal(summary.truncated, false)
  })

  it('ffmpeg’s expressions and frameSizes give the same sizes', async () => {
    const rules = [
      { canvasWidthPx: 320, canvasHeightPx: 240, neededScale: 0.35 },
      { canvasWidthPx: 64, canvasHeightPx: 64, neededScale: 0.1 },
      { canvasWidthPx: 33, canvasHeightPx: 17, neededScale: 14 / 37 },
      { canvasWidthPx: 10, canvasHeightPx: 10, neededScale: 1.5 },
    ]
    const sources = [
      { width: 161, height: 97, sar: '1/1', displayed: 161 },
      { width: 90, height: 160, sar: '16/11', displayed: 131 },
      { width: 1280, height: 722, sar: '3/4', displayed: 960 },
    ]
    for (const { width, height, sar, displayed } of sources) {
      const path = clip(`${width}.mkv`)
      ffmpeg(
        '-f',
        'lavfi',
        '-i',
        `color=red:s=64x64:r=5:d=0.2,format=yuv444p,scale=${width}:${height},setsar=${sar}`,
        '-c:v',
        'ffv1',
        path,
      )
      for (const detection of rules) {
        const { frames } = await decode(request(path, { detection }), ({ full, detection: small }) => [
          { width: full.width, height: full.height, bytes: full.data.length },
          { width: small.width, height: small.height, bytes: small.data.length },
          full === small,
        ])
        const sizes = frameSizes({ width: displayed, height }, detection)
        const withBytes = (size: { width: number; height: number }) => ({
          ...size,
          bytes: size.width * size.height * 3,
        })
        assert.deepEqual(frames, [
          [withBytes(sizes.full), withBytes(sizes.detection), sizes.full === sizes.detection],
        ])
      }
    }
  })

  it('frames above 4K are scaled down to it', async () => {
    const path = clip('large.mkv')
    ffmpeg(
      '-f',
      'lavfi',
      '-i',
      'color=red:s=5120x2880:r=2:d=1',
      '-c:v',
      'libx264',
      '-preset',
      'ultrafast',
      path,
    )
    const detection = { canvasWidthPx: 320, canvasHeightPx: 240, neededScale: 0.1 }
    const { frames, info } = await decode(request(path, { detection }), (frame) => [
      ...sizeOf(frame),
      frame.detection.width,
      frame.detection.height,
      (frame.full.data.at(-3) ?? 0) > 200 && (frame.detection.data.at(-3) ?? 0) > 200,
    ])
    assert.deepEqual(frames, [[3840, 2160, 512, 288, true], [3840, 2160, 512, 288, true]]) // prettier-ignore
    assert.deepEqual([info.widthPx, info.sourceWidthPx, info.sourceHeightPx], [3840, 5120, 2880])
  })
})
