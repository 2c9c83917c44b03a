import { open } from 'node:fs/promises'
import { extname } from 'node:path'
import { fileTypeFromBuffer } from 'file-type'
import sharp from 'sharp'
import { regularFileBytes } from './clip-file.js'
import { notVideo } from './failures.js'

/** Files of JPEG after JPEG without any container; ffmpeg takes the first for all there is. */
const motionJpegNames = new Set(['.mjpeg', '.mjpg'])

/**
 * The demuxer that ffmpeg has to be told for a file, undefined where it knows by itself: it takes a GIF of one picture for a
 * video, and motion JPEG for a picture.
 * @throws CLIP_NOT_VIDEO for a still GIF
 */
export async function demuxerFor(path: string): Promise<'mjpeg' | undefined> {
  const kind = await pictureKind(path)
  if (kind === 'image/gif' && !(await isAnimatedGif(path))) throw notVideo(path, 'it is a still image')
  return kind === 'image/jpeg' && motionJpegNames.has(extname(path).toLowerCase()) ? 'mjpeg' : undefined
}

/** True for pictures that move and that ffmpeg can read: GIF and APNG. */
export async function isAnimation(path: string): Promise<boolean> {
  const kind = await pictureKind(path)
  return kind === 'image/apng' || (kind === 'image/gif' && (await isAnimatedGif(path)))
}

/** Enough for the chunks before a PNG's first picture, by which an animated one is known. */
const headBytes = 4100

/** The MIME type of a file that is a picture by its first bytes. */
async function pictureKind(path: string): Promise<string | undefined> {
  // Opening a pipe would wait for its writer.
  if ((await regularFileBytes(path)) === undefined) return undefined
  try {
    const file = await open(path, 'r')
    try {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(headBytes), 0, headBytes, 0)
      const type = await fileTypeFromBuffer(buffer.subarray(0, bytesRead))
      return type?.mime.startsWith('image/') === true ? type.mime : undefined
    } finally {
      await file.close()
    }
  } catch {
    return undefined // ffmpeg will say it better
  }
}

async function isAnimatedGif(path: string): Promise<boolean> {
  return sharp(path)
    .metadata()
    .then(
      ({ pages = 1 }) => pages > 1,
      () => true, // damaged: ffmpeg decides
    )
}
