import type { FrameImages } from '../faces/analyse-frame.js'
import { clipName } from '../common/display-name.js'
import { openFrames } from '../decode/frames.js'
import { frameSizes, sharesFullImage, type DetectionRule, type SizePx } from '../decode/image-sizes.js'
import { isAnimation } from '../decode/still/image-content.js'
import { PictureFile, readPhotoFile } from '../decode/still/image-file.js'
import { CameoError } from '../common/errors.js'

/** Of an animation so many pictures are looked at, spread over it … */
const mostPictures = 12
/** … as far as its pictures have so many pixels together: each is decoded after all before it. */
const mostAnimationPixels = 64_000_000

/** One of the pictures of a photo's file. */
export interface PhotoPicture {
  /** From 1. */
  readonly number: number
  /** Valid until the next picture is asked for. */
  readonly images: FrameImages
}

export interface PhotoPictures {
  /** Pictures in the file. */
  readonly count: number
  /** Some of them, in order. @throws IMAGE_UNREADABLE where none can be read */
  readonly pictures: AsyncIterable<PhotoPicture>
  /** How the file could be read, as sentences; complete after the last picture. */
  readonly notices: () => readonly string[]
}

/** Opens a photo, or an animation or another file of several pictures. @throws IMAGE_UNREADABLE */
export async function openPhotoPictures(path: string, rule: DetectionRule): Promise<PhotoPictures> {
  const bytes = await readPhotoFile(path)
  const file = await PictureFile.open(bytes, clipName(path))
  const notices = () => file.notices
  // libvips reads the first picture of an animated PNG alone and no animated AVIF, ffmpeg all.
  if (isAnimation(bytes)) {
    const { count, pixels } = await countFrames(path, rule)
    return { count, pictures: animationOr(path, file, rule, chosenPictures(count, pixels)), notices }
  }
  const count = await file.count()
  return { count, pictures: stills(file, count, rule), notices }
}

/** The first picture, where ffmpeg cannot read any. */
async function* animationOr(
  path: string,
  file: PictureFile,
  rule: DetectionRule,
  numbers: readonly number[],
): AsyncGenerator<PhotoPicture> {
  let isAnyReadable = false
  try {
    for await (const picture of animationFrames(path, rule, numbers)) {
      isAnyReadable = true
      yield picture
    }
  } catch (error) {
    if (!(error instanceof CameoError)) throw error
  }
  if (!isAnyReadable) yield* stills(file, 1, rule)
}

async function* stills(file: PictureFile, count: number, rule: DetectionRule): AsyncGenerator<PhotoPicture> {
  const size = await file.size(0)
  let failure: unknown
  let isAnyReadable = false
  for (const number of chosenPictures(count, size.width * size.height))
    try {
      const images = await imagesOf(file, number, number === 0 ? size : await file.size(number), rule)
      isAnyReadable = true
      yield { number: number + 1, images }
    } catch (error) {
      // The later pictures of a file that was cut off.
      if (!(error instanceof CameoError) || error.code !== 'IMAGE_UNREADABLE') throw error
      failure ??= error
    }
  if (!isAnyReadable) throw failure
}

async function imagesOf(file: PictureFile, number: number, size: SizePx, rule: DetectionRule) {
  const sizes = frameSizes(size, rule)
  const full = await file.rgb(number, sizes.full)
  return { full, detection: sharesFullImage(sizes) ? full : await file.rgb(number, sizes.detection) }
}

/** From 0: spread evenly over those that are decoded at all. */
export function chosenPictures(count: number, pixels: number): number[] {
  const within = Math.max(1, Math.min(count, Math.floor(mostAnimationPixels / pixels)))
  const chosen = Math.min(within, mostPictures)
  return Array.from({ length: chosen }, (_, k) => Math.floor((k * within) / chosen))
}

/** More often than pictures follow each other in any animation. */
const animationFps = 100

const everyFrame = (path: string, detection: DetectionRule) =>
  openFrames({
    ...{ path, detection, seek: 'fast', startS: 0, endS: Infinity },
    sampling: { kind: 'fps', fps: animationFps },
  }).frames

/** How many pictures an animation has, as far as they are decoded, and the pixels of one; one that cannot be read has one. */
async function countFrames(path: string, rule: DetectionRule) {
  let count = 0
  let pixels = 1
  try {
    for await (const { full } of everyFrame(path, rule)) {
      pixels = full.width * full.height
      if (++count * pixels > mostAnimationPixels) break
    }
  } catch (error) {
    if (!(error instanceof CameoError)) throw error
  }
  return { count: Math.max(1, count), pixels }
}

async function* animationFrames(
  path: string,
  rule: DetectionRule,
  numbers: readonly number[],
): AsyncGenerator<PhotoPicture> {
  const wanted = new Set(numbers)
  const last = numbers.at(-1) ?? 0
  let number = 0
  for await (const images of everyFrame(path, rule)) {
    if (wanted.has(number)) yield { number: number + 1, images }
    if (++number > last) return
  }
}
