import { readFileSync, writeFileSync } from 'node:fs'
import type { FaceName } from '../../scripts/demo/demo-photos.js'
import { ffmpeg, makeFaceClip, x264 } from './faces.js'

/** Video files as people have them, each with a face: one function per kind. */

const face: FaceName = 'party first'

/** A plain clip beside a file, as input for it. */
async function plainClip(path: string, name: string, seconds: number, encoding = x264): Promise<string> {
  return makeFaceClip(`${path}.${name}`, face, { seconds, encoding })
}

/**
 * A black picture as the first of two video streams, flagged neither as cover nor as default; then the film.
 */
export async function makePictureBeforeFilm(path: string): Promise<void> {
  const film = await plainClip(path, 'film.mp4', 3)
  const picture = `${path}.picture.mov`
  await ffmpeg(...black('160x120', 1), '-frames:v', '1', '-c:v', 'mjpeg', picture)
  await ffmpeg('-i', picture, '-i', film, '-map', '0:v', '-map', '1:v', '-c', 'copy', '-disposition:v:0', '0', path) // prettier-ignore
}

/** A preview of 48×36 pixels first, then the film. @param isDefault the stream that is flagged as default */
export async function makePreviewBeforeFilm(path: string, isDefault: 'preview' | 'film'): Promise<void> {
  const film = await plainClip(path, 'film.mp4', 3)
  const [first, second] = isDefault === 'preview' ? ['default', '0'] : ['0', 'default']
  const flags = ['-disposition:v:0', first, '-disposition:v:1', second]
  await ffmpeg(...black('48x36', 3), '-i', film, '-map', '0', '-map', '1', ...x264, ...flags, path)
}

/** Two programs in one transport stream, the smaller first. */
export async function makeTwoPrograms(path: string): Promise<void> {
  const film = await plainClip(path, 'film.mp4', 3)
  const programs = ['-program', 'program_num=1:st=0', '-program', 'program_num=2:st=1']
  await ffmpeg(...black('160x120', 3), '-i', film, '-map', '0', '-map', '1', ...x264, ...programs, path)
}

const black = (size: string, seconds: number) => [
  '-f',
  'lavfi',
  '-i',
  `color=black:s=${size}:r=12:d=${seconds}`,
]

/** One second of 320×180 pixels, with a face of some 20 px that is not found; then the same at 1280×720. */
export async function makeGrowingSize(path: string): Promise<void> {
  const film = await plainClip(path, 'film.mp4', 3)
  const [small, large] = [`${path}.small.ts`, `${path}.large.ts`]
  await ffmpeg('-i', film, '-vf', 'scale=160:120,pad=1280:720:500:200:gray', ...x264, large)
  await ffmpeg('-i', large, '-t', '1', '-vf', 'scale=320:180', ...x264, small)
  writeFileSync(path, Buffer.concat([readFileSync(small), readFileSync(large)]))
}

/** The same in VP8, as a browser records it. Its key frames may have any size. */
export async function makeGrowingVp8(path: string): Promise<void> {
  const film = await plainClip(path, 'film.mp4', 3)
  const vp8 = ['-c:v', 'libvpx', '-deadline', 'realtime', '-b:v', '2M', '-g', '12']
  const [small, large] = [`${path}.small.ivf`, `${path}.large.ivf`]
  await ffmpeg('-i', film, '-vf', 'scale=160:120,pad=1280:720:500:200:gray', ...vp8, large)
  await ffmpeg('-i', large, '-t', '1', '-vf', 'scale=320:180', ...vp8, small)
  const list = `${path}.list.ffconcat`
  writeFileSync(list, `ffconcat version 1.0\nfile '${small}'\nfile '${large}'\n`)
  await ffmpeg('-f', 'concat', '-safe', '0', '-i', list, '-c', 'copy', path)
}

/** Pictures that lie on their side. Only the film's own key frames say so (SEI display orientation). */
export async function makeTurnedBySei(path: string): Promise<void> {
  const film = await plainClip(path, 'film.mp4', 3)
  const turned = ['-vf', 'setsar=1,transpose=1', ...x264]
  await ffmpeg('-i', film, ...turned, '-bsf:v', 'h264_metadata=display_orientation=insert:rotate=90', path)
}

/** The start and the length of the content in an MP4 without its index, in bytes. */
export function contentOf(bytes: Buffer): readonly [startByte: number, length: number] {
  const box = bytes.indexOf('mdat')
  return box === -1 ? [0, bytes.length] : [box + 4, bytes.readUInt32BE(box - 4) - 8]
}

/** A file of full length with a part of the content, given by shares, set to zeros. */
export async function makeHole(path: string, from: number, to: number, seconds = 12): Promise<void> {
  await makeFaceClip(path, face, { seconds })
  const bytes = readFileSync(path)
  const [start, length] = contentOf(bytes)
  bytes.fill(0, start + Math.floor(length * from), start + Math.floor(length * to))
  writeFileSync(path, bytes)
}

/**
 * Recordings with these lengths, one after the other in one file. Each has its own clock, which starts at
 * `clocksS`.
 */
export async function makeJoined(
  path: string,
  lengthsS: readonly number[],
  clocksS: readonly number[] = [],
): Promise<void> {
  const parts: Buffer[] = []
  for (const [n, seconds] of lengthsS.entries()) {
    const kind = path.slice(path.lastIndexOf('.'))
    const codec = kind === '.mpg' ? ['-r', '25', '-c:v', 'mpeg2video', '-q:v', '3'] : x264
    const clock = ['-output_ts_offset', String(clocksS[n] ?? 0)]
    parts.push(readFileSync(await plainClip(path, `part${n}${kind}`, seconds, [...codec, ...clock])))
  }
  writeFileSync(path, Buffer.concat(parts))
}

export async function makeAnimatedAvif(path: string): Promise<void> {
  await makeFaceClip(path, face, { seconds: 3, encoding: ['-c:v', 'libaom-av1', '-cpu-used', '8', '-crf', '30', '-pix_fmt', 'yuv420p'] }) // prettier-ignore
}

export async function makeEncrypted(path: string): Promise<void> {
  const film = await plainClip(path, 'film.mp4', 3)
  const scheme = ['-encryption_scheme', 'cenc-aes-ctr']
  const key = ['-encryption_key', '76a6c65c5ea762046bd749a2e632ccbb', '-encryption_kid', 'a7e61c373e219033c21091fa607bf3b8'] // prettier-ignore
  await ffmpeg('-i', film, '-c', 'copy', ...scheme, ...key, path)
}
