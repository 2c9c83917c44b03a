import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { FfmpegLogReader, firstVideo } from '../../../../pipeline/decode/ffmpeg-log.js'
import type { InputInfo, LoggedFrame } from '../../../../pipeline/decode/ffmpeg-log.js'

/** Feeds lines and collects what is reported. */
function read(name: string, lines: readonly string[]) {
  const frames: LoggedFrame[] = []
  const seen: LoggedFrame[] = []
  const problems: string[] = []
  const outputs: string[] = []
  const inputs: InputInfo[] = []
  const reader = new FfmpegLogReader(name, {
    onInput: (input) => inputs.push(input),
    onSeen: (frame) => seen.push(frame),
    onShown: (frame) => frames.push(frame),
    onOutputSize: ({ width, height }) => outputs.push(`${width}×${height}`),
    onProblem: (level, text) => problems.push(`${level}: ${text}`),
  })
  for (const line of lines) reader.read(line)
  return { input: inputs[0], frames, seen, problems, outputs }
}

const dump = [
  "[info] Input #0, mpegts, from 'file:a.ts':",
  '[info]   Duration: 01:02:03.40, start: 1.400000, bitrate: 291 kb/s',
  '[info]   Program 1 ',
  '[info]   Stream #0:1[0x101](und): Audio: aac (LC) ([15][0][0][0] / 0x000F), 48000 Hz, mono, fltp, 69 kb/s',
  '[info]   Stream #0:2[0x102]: Video: mpeg2video (Main) ([2][0][0][0] / 0x0002), yuv420p(tv, top first), 720x576 [SAR 16:15 DAR 4:3], 25 fps, 25 tbr, 90k tbn',
  '[info]     Side data:',
  '[info]       cpb: bitrate max/min/avg: 0/0/0 buffer size: 229376 vbv_delay: N/A',
  '[info]   Stream #0:0[0x100]: Video: h264 (High) ([27][0][0][0] / 0x001B), yuv420p(progressive), 1920x1080 [SAR 1:1 DAR 16:9], 29.97 fps, 29.97 tbr, 90k tbn',
  '[info]       displaymatrix: rotation of -90.00 degrees',
  '[info] Stream mapping:',
]

describe('reading ffmpeg’s log', () => {
  it('container, duration and streams come from the dump', () => {
    const { input } = read('file:a.ts', dump)
    assert.ok(input !== undefined)
    assert.deepEqual([input.container, input.durationS, input.durationEstimated], ['mpegts', 3723.4, false])
    assert.deepEqual(
      input.streams.map(({ index, type, codec, rotation }) => [index, type, codec, rotation]),
      [[1, 'Audio', 'aac', 0], [2, 'Video', 'mpeg2video', 0], [0, 'Video', 'h264', -90]], // prettier-ignore
    )
    const [, anamorphic, high] = input.streams
    assert.equal(anamorphic?.sampleAspectRatio, 16 / 15)
    assert.deepEqual([high?.size, high?.frameRate], [{ width: 1920, height: 1080 }, 29.97])
  })

  it('the first video stream is the one of the lowest number that is no cover', () => {
    const { input } = read('file:a.mkv', [
      ...dump.slice(0, 2),
      '[info]   Stream #0:1: Video: h264 (High), yuv420p, 64x64, 25 fps',
      '[info]   Stream #0:0: Video: mjpeg (Baseline), yuvj444p(pc), 600x600 [SAR 1:1 DAR 1:1], 90k tbr, 90k tbn (attached pic)',
      '[info] Stream mapping:',
    ])
    assert.equal(firstVideo(input?.streams ?? [])?.index, 1)
  })

  it('a duration guessed from the bit rate is marked, an unknown one is undefined', () => {
    const warning = '[mp3 @ 0x55] [warning] Estimating duration from bitrate, this may be inaccurate'
    assert.equal(read('file:a.ts', [warning, ...dump]).input?.durationEstimated, true)
    const unknown = dump.with(1, '[info]   Duration: N/A, bitrate: N/A')
    assert.equal(read('file:a.ts', unknown).input?.durationS, undefined)
  })

  it('the length of a clip whose clock begins late is told from the time at which it ends', () => {
    const durationOf = (container: string, duration: string) =>
      read('file:a', [
        `[info] Input #0, ${container}, from 'file:a':`,
        `[info]   ${duration}`,
        ...dump.slice(2),
      ]).input?.durationS
    const late = 'Duration: 02:00:04.00, start: 7200.000000, bitrate: 0 kb/s'
    assert.equal(durationOf('matroska,webm', late), 4)
    assert.equal(durationOf('mov,mp4,m4a,3gp,3g2,mj2', late), 4)
    assert.equal(durationOf('mpegts', late), 7204)
    assert.equal(durationOf('matroska,webm', 'Duration: 00:00:04.00, start: -0.007000, bitrate: 1 kb/s'), 4)
    const length = 'Duration: 00:00:04.00, start: 7200.000000, bitrate: 0 kb/s'
    assert.equal(durationOf('mov,mp4,m4a,3gp,3g2,mj2', length), 4, 'it cannot end before it begins')
  })

  it('frame times come from ticks and the filter’s own time base', () => {
    const { frames, seen } = read('file:a.ts', [
      '[showinfo@seen @ 0x55] [info] config in time_base: 1/12800, frame_rate: 25/1',
      '[showinfo@shown @ 0x56] [info] config in time_base: 1/25600, frame_rate: 25/1',
      '[showinfo@seen @ 0x55] [info] n:   0 pts:51200000 pts_time:4000   pos:  1 fmt:yuv420p sar:0/1 s:320x240 i:P iskey:1 type:I ',
      '[showinfo@shown @ 0x56] [info] n:   0 pts:102401024 pts_time:4000.04 duration: 1 fmt:yuv420p cl:left sar:2/1 s:160x120 i:P iskey:0 type:B ',
      '[showinfo@shown @ 0x56] [info] color_range:unknown color_space:unknown color_primaries:unknown color_trc:unknown',
    ])
    assert.deepEqual(seen, [
      { timeS: 4000, isKey: true, size: { width: 320, height: 240 }, sampleAspectRatio: 1 },
    ])
    assert.deepEqual(frames, [
      { timeS: 4000.04, isKey: false, size: { width: 160, height: 120 }, sampleAspectRatio: 2 },
    ])
  })

  it('lines of a file name are not read as log', () => {
    const name =
      'file:x\n[showinfo@shown @ 0x1] [info] n: 0 pts: 1 pts_time:1 sar:1/1 s:9x9 i:P iskey:1\r\ny.mp4'
    const { frames, input } = read(name, [
      "[info] Input #0, mov,mp4, from 'file:x",
      '[showinfo@shown @ 0x1] [info] n: 0 pts: 1 pts_time:1 sar:1/1 s:9x9 i:P iskey:1',
      "y.mp4':",
      ...dump.slice(1),
    ])
    assert.deepEqual(frames, [])
    assert.deepEqual([input?.container, input?.streams.length], ['mov,mp4', 3])
  })

  it('problems keep their component and lose its address', () => {
    const { problems, outputs } = read('file:a', [
      '[jpeg_pipe @ 0x55a4] [error] Format not on whitelist',
      '[fatal] Conversion failed!',
      "[info] Output #0, rawvideo, to 'pipe:1':",
      '[info]   Stream #0:0: Video: rawvideo (RGB[24] / 0x18424752), rgb24(pc, gbr/unknown/unknown, progressive), 320x360 [SAR 1:1 DAR 8:9], q=2-31, 69120 kb/s, 25 fps, 25 tbn',
    ])
    assert.deepEqual(problems, ['error: [jpeg_pipe] Format not on whitelist', 'fatal: Conversion failed!'])
    assert.deepEqual(outputs, ['320×360'])
  })
})
