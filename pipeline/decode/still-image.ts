import { extname } from 'node:path'
import { readPart } from './clip-file.js'
import { notVideo } from './failures.js'
import { imageLibrary } from '../image/image-library.js'

/** Files that hold one JPEG after another without a container; ffmpeg takes the first for the whole file. */
const motionJpegNames = new Set(['.mjpeg', '.mjpg'])

/** Kinds of IFF files that hold a single picture. */
const stillIff = new Set(['ILBM', 'PBM ', 'ACBM', 'DEEP', 'RGB8', 'RGBN'])

/**
 * The demuxer that must be passed to ffmpeg for a file; undefined if ffmpeg chooses correctly itself. ffmpeg takes a
 * GIF or IFF of one picture for a video, and motion JPEG for a picture.
 * @throws CLIP_NOT_VIDEO for a still GIF or IFF
 */
export async function demuxerFor(path: string): Promise<'mjpeg' | undefined> {
  const head = await readPart(path, 0, 12)
  const begins = (text: string, at = 0) => head.toString('latin1', at, at + text.length) === text
  const isStill =
    (begins('GIF8') && !(await isAnimatedGif(path))) ||
    (begins('FORM') && stillIff.has(head.toString('latin1', 8, 12)))
  if (isStill) throw notVideo(path, 'it is a still image')
  const isMotionJpeg = begins('\xff\xd8\xff') && motionJpegNames.has(extname(path).toLowerCase())
  return isMotionJpeg ? 'mjpeg' : undefined
}

/** True for a GIF of several pictures, and for a damaged GIF. */
export async function isAnimatedGif(path: string): Promise<boolean> {
  const sharp = await imageLibrary()
  return sharp(path)
    .metadata()
    .then(
      ({ pages = 1 }) => pages > 1,
      () => true, // damaged: ffmpeg decides
    )
}
