import assert from 'node:assert/strict'
import { copyFileSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { planSegments } from '../../pipeline/segments/plan-segments.js'
import { findClips } from '../../workers/ingest/find-clips.js'
import { decode, greyAt, request } from './decode-helpers.js'
import { ffmpeg, frameGrey, numberedFrames, temporaryFolder } from './make-video.js'

const folder = temporaryFolder()
const clip = (name: string) => join(folder, name)

const seconds = 3
/** The rate of H.261 and H.263; their raw streams do not state one. */
const telephoneFps = 30000 / 1001
const scale = (size: string) => ['-vf', `scale=${size}:flags=neighbor`]
const x264 = ['-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p']
const mpeg2 = ['-c:v', 'mpeg2video', '-q:v', '2']
const quality = ['-q:v', '2']

/** A file of each container that ffmpeg both writes and reads, with the options that its writer needs. */
const containers: Record<string, readonly string[]> = {
  'film.mp4': x264,
  'fragments.mp4': [...x264, '-movflags', 'frag_keyframe+empty_moov'],
  'film.mov': ['-c:v', 'prores'],
  'film.3gp': x264,
  'film.mkv': x264,
  'film.webm': ['-c:v', 'libvpx', '-deadline', 'realtime', '-b:v', '1M'],
  'film.ts': x264,
  'film.mpg': mpeg2,
  'film.vob': mpeg2,
  'film.avi': ['-c:v', 'mpeg4', ...quality],
  'film.flv': x264,
  'film.wmv': quality,
  'film.ogv': ['-c:v', 'libtheora', '-q:v', '8'],
  'film.mxf': mpeg2,
  'film.gxf': [...scale('720x576'), ...mpeg2],
  'film.dv': [...scale('720x576'), '-c:v', 'dvvideo', '-pix_fmt', 'yuv420p'],
  'film.nut': ['-c:v', 'ffv1'],
  'film.rm': ['-c:v', 'rv20', ...quality],
  'film.swf': ['-c:v', 'mjpeg', ...quality],
  'flash.swf': ['-c:v', 'flv1', ...quality],
  'film.wtv': mpeg2,
  'film.ivf': ['-c:v', 'libvpx', '-deadline', 'realtime', '-b:v', '1M'],
  'film.h264': x264,
  'film.hevc': ['-c:v', 'libx265', '-preset', 'ultrafast', '-x265-params', 'log-level=error'],
  'film.h261': [...scale('352x288'), ...quality],
  'film.h263': [...scale('352x288'), ...quality],
  'film.m1v': ['-c:v', 'mpeg1video', ...quality],
  'film.m2v': mpeg2,
  'film.m4v': ['-c:v', 'mpeg4', ...quality, '-f', 'm4v'],
  'film.drc': ['-c:v', 'vc2', '-strict', '-1', '-pix_fmt', 'yuv422p'],
  'film.dnxhd': [...scale('1920x1080'), '-c:v', 'dnxhd', '-pix_fmt', 'yuv422p', '-b:v', '120M'],
  'film.mjpg': ['-f', 'mjpeg', ...quality],
  'parts.mjpg': ['-f', 'mpjpeg', ...quality],
  'loki.mjpg': ['-f', 'smjpeg', ...quality],
  'film.y4m': [],
  'film.gif': ['-pix_fmt', 'gray'],
  'film.apng': [],
  'animated.png': ['-f', 'apng'],
  'film.roq': [...scale('256x128'), '-r', '30', ...quality],
  'film.cpk': ['-c:v', 'cinepak', '-f', 'film_cpk'],
  'film.flm': ['-c:v', 'rawvideo', '-pix_fmt', 'rgba'],
}

describe('decode: containers', () => {
  for (const [name, encoding] of Object.entries(containers)) {
    it(`a clip has its true length, and its frames have their true times: ${name}`, async () => {
      const fps = /h26[13]$/.test(name) ? telephoneFps : 25
      ffmpeg(...numberedFrames({ seconds, fps }), ...encoding, clip(name))
      const { frames, info, summary } = await decode(request(clip(name)), ({ timeS, full }) => ({
        timeS,
        grey: greyAt(full, Math.floor(full.width * 0.7), Math.floor(full.height * 0.7)),
      }))
      const { durationS } = await planSegments(clip(name), info, 600)
      assert.ok(Math.abs(durationS - seconds) < 0.2, `${durationS} s long`)
      assert.equal(summary.truncated, false)
      assert.equal(frames.length, seconds * 4)
      for (const { timeS, grey } of frames) {
        const expected = frameGrey(Math.round(timeS * fps))
        assert.ok(Math.abs(grey - expected) < 12, `${grey} at ${timeS} s instead of ${expected}`)
      }
    })
  }

  it('moving pictures below a folder are recognised as clips by their names or first bytes', async () => {
    const archive = join(folder, 'archive')
    mkdirSync(archive)
    const moving = ['film.dv', 'film.gif', 'film.apng', 'animated.png', 'film.mjpg', 'film.roq']
    for (const name of moving) copyFileSync(clip(name), join(archive, name))
    for (const name of ['film.mxf', 'film.rm', 'film.gif']) {
      copyFileSync(clip(name), join(archive, `${name}.bak`))
      moving.push(`${name}.bak`)
    }
    for (const name of ['still.gif', 'still.png', 'still.webp'])
      ffmpeg('-i', clip('film.gif'), '-frames:v', '1', '-update', '1', join(archive, name))
    const found = []
    for await (const file of findClips([archive])) found.push(file)
    const clips = found.filter(({ kind }) => kind === 'clip').map(({ path }) => path)
    assert.deepEqual(clips.sort(), moving.map((name) => join(archive, name)).sort())
    assert.equal(found.length, moving.length + 3)
  })
})
