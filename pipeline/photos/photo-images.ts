import type { FrameImages } from '../faces/analyse-frame.js'
import { clipName } from '../common/display-name.js'
import { openFrames } from '../decode/frames.js'
import { frameSizes, sharesFullImage, type DetectionRule, type SizePx } from '../decode/image-sizes.js'
import { isAnimation } from '../decode/still/image-content.js'
import { PictureFile, readPhotoFile } from '../decode/still/image-file.js'
import { CameoError } from '../common/errors.js'

/** Number of pictures of an animation that are processed, spread over it … */
const mostPictures = 12
/** … as long as its pictures have at most this many pixels together: each picture is decoded after all before it. */
const mostAnimationPixels = 64_000_000

/** One of the pictures of a photo's file. */
export interface PhotoPicture {
  /** From 1. */
  readonly number: number
  /** Valid until the next picture is requested. */
  readonly images: FrameImages
}

export interface PhotoPictures {
  /** Pictures in the file. */
  readonly count: number
  /** Some of them, in order. @throws IMAGE_UNREADABLE if none can be read */
  readonly pictures: AsyncIterable<PhotoPicture>
  /** Sentences about problems while the file was read; complete after the last picture. */
  readonly notices: () => readonly string[]
}

/** Opens a photo, or an animation or another file of several pictures. @throws IMAGE_UNREADABLE */
export async function openPhotoPictures(path: string, rule: DetectionRule): Promise<PhotoPictures> {
  const bytes = await readPhotoFile(path)
  const file = await PictureFile.open(bytes, clipName(path))
  const notices = () => file.notices
  // libvips reads only the first picture of an animated PNG and no animated AVIF; ffmpeg reads all.
  if (isAnimation(bytes)) {
    const { count, pixels } = await countFrames(path, rule)
    return { count, pictures: animationOr(path, file, rule, chosenPictures(count, pixels)), notices }
  }
  const count = await file.count()
  return { count, pictures: stills(file, count, rule), notices }
}

/** The pictures of an animation, or the first picture if ffmpeg cannot read any. */
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
      // The later pictures of a file that was cut off cannot be read.
      if (!(error instanceof CameoError) || error.code !== 'IMAGE_UNREADABLE') throw error
      failure ??= error
    }
  if (!isAnyReadable) throw failure
}

async function imagesOf(file: PictureFile, number: number, size: SizePx, rule: DetectionRule) {
  const sizes = frameSizes(size, rule)
  const isShared = sharesFullImage(sizes)
  // Both at once: most machines have a second core.
  const [full, smaller] = await Promise.all([
    file.rgb(number, sizes.full),
    isShared ? undefined : file.rgb(number, sizes.detection),
  ])
  return { full, detection: smaller ?? full }
}

/** Indexes from 0, spread evenly over the pictures that are decoded. */
export function chosenPictures(count: number, pixels: number): number[] {
  const within = Math.max(1, Math.min(count, Math.floor(mostAnimationPixels / pixels)))
  const chosen = Math.min(within, mostPictures)
  return Array.from({ length: chosen }, (_, k) => Math.floor((k * within) / chosen))
}

/** A higher rate than pictures have in any animation. */
const animationFps = 100

const everyFrame = (path: string, detection: DetectionRule) =>
  openFrames({
    ...{ path, detection, seek: 'fast', startS: 0, endS: Infinity },
    sampling: { kind: 'fps', fps: animationFps },
  }).frames

/**
 * The number of pictures of an animation, up to the decoding limit, and the pixels of one picture. An animation that
 * cannot be read counts as one picture.
 */
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
