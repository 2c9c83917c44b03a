import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { FfmpegLogReader } from '../../../../pipeline/decode/ffmpeg-log.js'
import { filmOf } from '../../../../pipeline/decode/film-stream.js'
import type { InputInfo, LoggedFrame } from '../../../../pipeline/decode/ffmpeg-log.js'
import { isCutOffSign } from '../../../../pipeline/decode/summary.js'

/** Feeds lines and collects what is reported. */
function read(name: string, lines: readonly string[]) {
  const frames: LoggedFrame[] = []
  const seen: LoggedFrame[] = []
  const problems: string[] = []
  const outputs: string[] = []
  const inputs: InputInfo[] = []
  let lost = 0
  const reader = new FfmpegLogReader(name, {
    onInput: (input) => inputs.push(input),
    onSeen: (frame) => seen.push(frame),
    onShown: (frame) => frames.push(frame),
    onOutputSize: ({ width, height }) => outputs.push(`${width}×${height}`),
    onLost: () => lost++,
    onProblem: (level, text) => problems.push(`${level}: ${text}`),
  })
  for (const line of lines) reader.read(line)
  return { input: inputs[0], frames, seen, problems, outputs, lost }
}

const withoutLevel = (problem: string) => problem.replace(/^\w+: /, '')

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
  it('takes container, duration and streams from the dump', () => {
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

  it('takes the video stream with the lowest number that is not a cover', () => {
    const { input } = read('file:a.mkv', [
      ...dump.slice(0, 2),
      '[info]   Stream #0:1: Video: h264 (High), yuv420p, 64x64, 25 fps',
      '[info]   Stream #0:0: Video: mjpeg (Baseline), yuvj444p(pc), 600x600 [SAR 1:1 DAR 1:1], 90k tbr, 90k tbn (attached pic)',
      '[info] Stream mapping:',
    ])
    assert.equal(filmOf(input?.streams ?? [], undefined)?.index, 1)
  })

  it('marks a duration guessed from the bit rate, and leaves an unknown one undefined', () => {
    const warning = '[mp3 @ 0x55] [warning] Estimating duration from bitrate, this may be inaccurate'
    assert.equal(read('file:a.ts', [warning, ...dump]).input?.durationEstimated, true)
    const unknown = dump.with(1, '[info]   Duration: N/A, bitrate: N/A')
    assert.equal(read('file:a.ts', unknown).input?.durationS, undefined)
  })

  it('computes the length of a clip with a late clock start from its end time', () => {
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

  it('computes frame times from ticks and the filter’s own time base', () => {
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

  it('does not read lines of a file name as log', () => {
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

  it('keeps the component of a problem and removes its address', () => {
    const { problems, outputs } = read('file:a', [
      '[jpeg_pipe @ 0x55a4] [error] Format not on whitelist',
      '[fatal] Conversion failed!',
      "[info] Output #0, rawvideo, to 'pipe:1':",
      '[info]   Stream #0:0: Video: rawvideo (RGB[24] / 0x18424752), rgb24(pc, gbr/unknown/unknown, progressive), 320x360 [SAR 1:1 DAR 8:9], q=2-31, 69120 kb/s, 25 fps, 25 tbn',
    ])
    assert.deepEqual(problems, ['error: [jpeg_pipe] Format not on whitelist', 'fatal: Conversion failed!'])
    assert.deepEqual(outputs, ['320×360'])
  })

  it('ignores the input prefix that ffmpeg 9 puts before a demuxer’s name', () => {
    const { problems } = read('file:a', [
      '[in#0/avi @ 0x55dd] [warning] Packet corrupt (stream = 0, dts = 29).',
      "[in#0 @ 0x55dd] [error] Format not on whitelist 'mov'",
    ])
    assert.deepEqual(problems, [
      'warning: [avi] Packet corrupt (stream = 0, dts = 29).',
      "error: [in#0] Format not on whitelist 'mov'",
    ])
  })
})

/**
 * What ffmpeg 7 and newer print when demuxer, decoder and filters, which are separate threads, write into each other's
 * lines.
 */
describe('reading torn lines', () => {
  const seen = '[showinfo@seen @ 0x55] [info] '
  const shown = '[showinfo@shown @ 0x56] [info] '
  const config = (filter: string, ticks: number) =>
    `${filter}config in time_base: 1/${ticks}, frame_rate: 25/1`
  const frame = (n: number, pts: number) =>
    `n:${String(n).padStart(4)} pts:${String(pts).padStart(7)} pts_time:0       duration:      1 duration_time:0.04    fmt:yuv420p cl:left sar:1/1 s:64x48 i:P iskey:1 type:I `
  const color = 'color_range:unknown color_space:unknown color_primaries:unknown color_trc:unknown'
  const begin = ["[info] Input #0, avi, from 'file:a':", '[info] Stream mapping:']
  const begun = [...begin, config(shown, 25)]
  const timesOf = ({ frames }: { frames: readonly LoggedFrame[] }) => frames.map(({ timeS }) => timeS)

  it('reads a frame’s line that ends with a demuxer’s or a decoder’s message', () => {
    const whole = read('file:a', [...begun, shown + frame(0, 0), shown, shown + color])
    assert.deepEqual([timesOf(whole), whole.problems, whole.lost], [[0], [], 0])
    for (const words of ['Packet corrupt (stream = 0, dts = 20).', 'ac-tex damaged at 13 7']) {
      const torn = read('file:a', [...begun, shown + frame(0, 0) + words, shown, shown + color])
      assert.deepEqual([timesOf(torn), torn.problems, torn.lost], [[0], [`warning: [avi] ${words}`], 0])
    }
  })

  it('recognises the message about a cut-off file wherever it falls', () => {
    for (const torn of [
      `${shown}User Data=7832363420File ended prematurely`,
      `${shown}color_range:unknownFile ended prematurely`,
      `${shown}color_range:unknownPacket corrupt (stream = 0, dts = 20).`,
      '[info]   Stream #0:0File ended prematurely',
      '[info]   Stream #0:0: Video: rawvideo, rgb24, 160x162, q=2-31, 25 fps, Packet corrupt (stream = 0, dts = 20).',
    ]) {
      const { problems } = read('file:a', [...begun, "[info] Output #0, rawvideo, to 'pipe:1':", torn])
      assert.deepEqual(problems.map(withoutLevel).map(isCutOffSign), [true], torn)
    }
  })

  it('reads a frame after the beginning of another message, also within the dump', () => {
    const torn = [
      '[avi @ 0x57] [warning] Packet corrupt (stream = 0, dts = 20)',
      '[info]   Stream #0:0',
      '[info]     encoder         : ',
    ]
    for (const words of torn) {
      const lines = [shown + frame(0, 0), words + frame(1, 7), shown, shown + frame(2, 14)]
      const read1 = read('file:a', [...begun, ...lines])
      assert.deepEqual([timesOf(read1), read1.lost], [[0, 7 / 25, 14 / 25], 0], words)
    }
  })

  it('identifies the filter of a frame without its name by the frame’s number', () => {
    const words = '[info]   Stream #0:0'
    const both = [...begin, config(seen, 25), config(shown, 50)]
    const lines = [seen + frame(0, 0), words + frame(1, 25), words + frame(0, 0), shown + frame(1, 50)]
    const { frames, seen: passed, lost } = read('file:a', [...both, ...lines])
    assert.deepEqual([passed.map(({ timeS }) => timeS), timesOf({ frames }), lost], [[0, 1], [0, 1], 0])
  })

  it('notices a missing frame line or time base; a rebuilt graph counts again from 0', () => {
    assert.equal(read('file:a', [...begun, shown + frame(0, 0), shown + frame(2, 14)]).lost, 1)
    assert.equal(read('file:a', [...begin, shown + frame(0, 0)]).lost, 1)
    const anew = [shown + frame(0, 0), shown + frame(1, 7), config(shown, 50), shown + frame(0, 28)]
    const { frames, lost } = read('file:a', [...begun, ...anew])
    assert.deepEqual([timesOf({ frames }), lost], [[0, 7 / 25, 28 / 50], 0])
  })

  it('does not read the size in a torn dump, and reads no other one instead', () => {
    const { outputs } = read('file:a', [
      ...begun,
      "[info] Output #0, rawvideo, to 'pipe:1':",
      '[info]   Stream #0:0ac-tex damaged at 13 7',
      '[info] : Video: rawvideo (RGB[24] / 0x18424752), rgb24(pc, gbr/unknown/unknown, progressive), 320x324 [SAR 1:1 DAR 80:81], q=2-31, 62208 kb/s, 25 fps, 25 tbn',
    ])
    assert.deepEqual(outputs, [])
  })

  it('does not read a title that looks like a frame', () => {
    const title = `[info]     title           : ${frame(0, 99)}`
    const { frames, lost } = read('file:a', [
      "[info] Input #0, avi, from 'file:a':",
      title,
      ...begun.slice(1),
    ])
    assert.deepEqual([frames, lost], [[], 0])
  })
})
