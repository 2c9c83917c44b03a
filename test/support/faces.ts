import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { demoPhotosDir, faces, fetchPhotos, photos } from '../../scripts/demo/demo-photos.js'
import type { FaceName } from '../../scripts/demo/demo-photos.js'

const run = promisify(execFile)

/** Runs ffmpeg; the last argument is the output file. */
export async function ffmpeg(...args: readonly string[]): Promise<void> {
  await run('ffmpeg', ['-v', 'error', '-nostdin', '-y', ...args])
}

/** Arguments for fast encoding, with a key frame every half second of a `faceClip`. */
export const x264 = ['-c:v', 'libx264', '-preset', 'ultrafast', '-threads', '1', '-g', '6', '-pix_fmt', 'yuv420p'] // prettier-ignore

export interface FaceClipOptions {
  readonly seconds?: number
  /** Frames per second. */
  readonly fps?: number
  /** Clips of one face with different numbers are different files. */
  readonly variant?: number
  /** Encoding arguments, instead of `x264`. */
  readonly encoding?: readonly string[]
  /** Faces shown one after the other for equal times, instead of the one face. */
  readonly then?: readonly FaceName[]
}

const clipFps = 12

/**
 * The folder of the group photos that faces are taken from. The set-up has fetched them into the models'
 * cache.
 */
export async function facePhotos(): Promise<string> {
  const dir = demoPhotosDir()
  await fetchPhotos(dir)
  return dir
}

/** A clip of 320×240 pixels in which one face, some 130 px high, moves a little; 1.5 s by default. */
export async function makeFaceClip(
  path: string,
  face: FaceName,
  options: FaceClipOptions = {},
): Promise<string> {
  const dir = await facePhotos()
  const { seconds = 1.5, fps = clipFps, variant = 0, encoding = x264, then = [] } = options
  const shown = [face, ...then]
  const frames = Math.round((seconds * fps) / shown.length)
  const shots = shown.map((name, k) => {
    const { x, y, size } = squareAround(name)
    // Cut out once and then repeated, so that the photo is decoded for only one frame.
    const still = `crop=${size}:${size}:${x}:${y},scale=264:264,format=yuv420p,loop=loop=${frames - 1}:size=1`
    const moving = `crop=240:240:x='12+8*sin(n/5+${variant})':y='12+6*cos(n/7+${variant})'`
    return `[${k}:v]${still},setpts=N/${fps}/TB,${moving},pad=320:240:40:0,fps=${fps}[shot${k}]`
  })
  const joined = shown.map((_, k) => `[shot${k}]`).join('')
  const graph = [...shots, `${joined}concat=n=${shown.length}:v=1:a=0[clip]`].join(';')
  const inputs = shown.flatMap((name) => ['-i', photoOf(dir, name)])
  await ffmpeg(...inputs, '-filter_complex', graph, '-map', '[clip]', ...encoding, path)
  return path
}

/** A photo of one face with some room around it. */
export async function makeFacePhoto(path: string, face: FaceName): Promise<string> {
  const dir = await facePhotos()
  const { x, y, size } = squareAround(face)
  await ffmpeg('-i', photoOf(dir, face), '-vf', `crop=${size}:${size}:${x}:${y}`, '-frames:v', '1', path)
  return path
}

const photoOf = (dir: string, face: FaceName) => join(dir, photos[faces[face].photo].file)

/** A square of 1.8 times the face's height, moved into the photo if it would reach outside. */
function squareAround(face: FaceName): { readonly x: number; readonly y: number; readonly size: number } {
  const { photo, boxXyxyPx } = faces[face]
  const [x1, y1, x2, y2] = boxXyxyPx
  const { widthPx, heightPx } = photos[photo]
  const size = 2 * Math.round((y2 - y1) * 0.9)
  const within = (middle: number, length: number) =>
    Math.max(0, Math.min(length - size, Math.round(middle - size / 2)))
  return { x: within((x1 + x2) / 2, widthPx), y: within((y1 + y2) / 2, heightPx), size }
}

export const faceNames = Object.keys(faces) as FaceName[]
