import { copyFileSync, mkdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ffmpeg, makeFaceClip, makeFacePhoto, x264 } from './faces.js'

/** A folder of bad clips, each with another fault, between two good clips. */
export async function makeBadClips(folder: string): Promise<void> {
  mkdirSync(folder)
  const clip = (name: string) => join(folder, name)
  await makeFaceClip(clip('a first good.mp4'), 'costumes right')
  await makeFaceClip(clip('z last good.mp4'), 'party first')

  writeFileSync(clip('empty.mp4'), '')
  writeFileSync(clip('text.mp4'), 'This is a letter, not a video.\n'.repeat(40))

  await makeFaceClip(clip('cut.mp4'), 'sofa right', {
    seconds: 4,
    encoding: [...x264, '-movflags', 'faststart'],
  })
  await makeFaceClip(clip('cut.ts'), 'sofa left', { seconds: 4 })
  await makeFaceClip(clip('no index.mp4'), 'sofa middle', { seconds: 4 })
  for (const name of ['cut.mp4', 'cut.ts', 'no index.mp4']) cutOff(clip(name), 0.6)

  const sound = ['-f', 'lavfi', '-i', 'sine=d=1']
  await makeFacePhoto(clip('still.jpg'), 'party second')
  copyFileSync(clip('still.jpg'), clip('still jpg.mp4'))
  await ffmpeg(...sound, '-c:a', 'aac', clip('sound.mp4'))
  const cover = ['-map', '0', '-map', '1', '-c:a', 'aac', '-c:v', 'mjpeg', '-disposition:v', 'attached_pic']
  await ffmpeg(...sound, '-i', clip('still.jpg'), ...cover, clip('cover art.mp4'))

  await makeFaceClip(clip('one frame.mp4'), 'party third', { seconds: 1 / 12 })
  await ffmpeg('-f', 'lavfi', '-i', 'testsrc2=s=320x240:r=12:d=1.5', ...x264, clip('no face.mp4'))
  await makeHugeFrameClip(clip('huge.mkv'))
}

/**
 * Keeps this share of a file's bytes. A transport stream is not cut between packets, because it would look
 * complete.
 */
export function cutOff(path: string, share: number): void {
  const bytes = statSync(path).size * share
  // Half a packet more is an odd multiple of 94, and not a multiple of 188, 192 or 204.
  const kept = path.endsWith('.ts') ? Math.floor(bytes / 188) * 188 + 94 : Math.floor(bytes)
  truncateSync(path, kept)
}

/**
 * A small clip with a header that states 16,000×16,000 (0x3e80). A decoder would allocate memory for that
 * size.
 */
async function makeHugeFrameClip(path: string): Promise<void> {
  await ffmpeg('-f', 'lavfi', '-i', 'testsrc2=s=300x260:r=12:d=0.3', '-c:v', 'ffv1', path)
  const bytes = readFileSync(path)
  for (const widthOrHeight of ['b082012c', 'ba820104']) {
    const at = bytes.indexOf(Buffer.from(widthOrHeight, 'hex'))
    if (at < 0) throw new Error('ffmpeg wrote another header than expected')
    bytes.writeUInt16BE(16_000, at + 2)
  }
  writeFileSync(path, bytes)
}

/** Changes the duration that the header of a Matroska file states. */
export function stateDuration(path: string, durationMs: number): void {
  const bytes = readFileSync(path)
  const at = bytes.indexOf(Buffer.from('448988', 'hex')) // Duration, a double
  if (at < 0) throw new Error('ffmpeg wrote another header than expected')
  bytes.writeDoubleBE(durationMs, at + 3)
  writeFileSync(path, bytes)
}

/** Playlists by their file names. Each refers to `target`: a path or a URL. */
export function playlistsOf(target: string): Record<string, string> {
  const hls = `#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\n${target}\n#EXT-X-ENDLIST\n`
  const concat = `ffconcat version 1.0\nfile '${target}'\n`
  return { 'list.m3u8': hls, 'list.mp4': hls, 'list.ffconcat': concat, 'concat.mkv': concat }
}
