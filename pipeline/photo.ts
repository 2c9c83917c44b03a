import { alignAndMeasure, findFaces, type FaceSample, type FrameImages } from './analyse-frame.js'
import { normTerm } from './align/quality.js'
import { readPart } from './decode/clip-file.js'
import { clipName } from './decode/clip-name.js'
import { contentHeadBytes, contentOf } from './decode/picture-content.js'
import { unreadable } from './decode/picture-file.js'
import { neededScale } from './detect/passes.js'
import type { Embedding } from './embed/embed-faces.js'
import { embedFurther, type ExtraEmbedding } from './embed/extra-embedders.js'
import { CameoError } from './errors.js'
import { describeFace } from './face-place.js'
import { openPhotoPictures } from './photo-pictures.js'
import type { Stages } from './stages.js'
import { cropThumbnail, encodeThumbnail } from './thumbnail.js'

/** A face in a photo. Coordinates in pixels of the photo as it is seen (EXIF rotation applied), at most 4K. */
export interface PhotoFace {
  readonly sample: FaceSample
  readonly thumbnailJpeg: Uint8Array
}

export interface Photo {
  readonly widthPx: number
  readonly heightPx: number
  /** Confident ones, most prominent first. */
  readonly faces: readonly PhotoFace[]
  /** What is to be said about the file, as sentences: that it is cut off, which of its pictures this is. */
  readonly notices: readonly string[]
}

/** Photos hold small faces too; below this height an embedding says little. */
const minPhotoFacePx = 24

/**
 * Reads a photo and finds its faces; of an animation those of the picture that shows a face best.
 * @throws IMAGE_UNREADABLE
 */
export async function readPhoto(path: string, stages: Stages): Promise<Photo> {
  const { count, pictures, notices } = await openPhotoPictures(path, {
    canvasWidthPx: stages.detector.canvasWidthPx,
    canvasHeightPx: stages.detector.canvasHeightPx,
    neededScale: neededScale(stages.detector, minPhotoFacePx),
  })
  let best: Picture | undefined
  let lookedAt = 0
  for await (const { number, images } of pictures) {
    const picture = await facesOfPicture(number, images, stages)
    lookedAt++
    if (best === undefined || bestQuality(picture) > bestQuality(best)) best = picture
  }
  if (best === undefined) throw unreadable(clipName(path), 'holds no picture that can be read')
  const { widthPx, heightPx, faces, number } = best
  const ofSeveral =
    count === 1
      ? []
      : [
          `${clipName(path)} has ${count} pictures, of which ${lookedAt} were looked at; this is about picture ${number}`,
        ]
  return { widthPx, heightPx, faces, notices: [...notices(), ...ofSeveral] }
}

interface Picture extends Omit<Photo, 'notices'> {
  readonly number: number
}

/** Of the most prominent face; a picture without one is worst. */
const bestQuality = ({ faces: [first] }: Picture) => first?.sample.quality ?? -1

async function facesOfPicture(number: number, images: FrameImages, stages: Stages): Promise<Picture> {
  const { width, height } = images.full
  const samples: FaceSample[] = []
  for (const face of await findFaces(images, stages, minPhotoFacePx))
    if (face.detectionScore >= stages.highScore)
      samples.push(await alignAndMeasure(face, images.full, stages))
  samples.sort((a, b) => prominence(b, width, height) - prominence(a, width, height))
  const faces: PhotoFace[] = []
  for (const sample of samples) {
    const thumbnailJpeg = await encodeThumbnail(cropThumbnail(images.full, sample.boxXyxyPx))
    faces.push({ sample, thumbnailJpeg })
  }
  return { number, widthPx: width, heightPx: height, faces }
}

/** True where the file's content is a picture that may be opened. */
export async function isPhoto(path: string): Promise<boolean> {
  return (await contentOf(await readPart(path, 0, contentHeadBytes))).kind === 'picture'
}

/**
 * How much a face is what a photo is about: its area less twice its squared distance from the middle, as a share of the
 * photo's area (the main-face rule of the public iQIYI-VID recipes).
 */
export function prominence(
  { boxXyxyPx: [x1, y1, x2, y2] }: FaceSample,
  width: number,
  height: number,
): number {
  const aside = (x1 + x2 - width) / 2
  const above = (y1 + y2 - height) / 2
  return ((x2 - x1) * (y2 - y1) - 2 * (aside * aside + above * above)) / (width * height)
}

/** The face a photo is plainly of fills at least this share of its longer side … */
const portraitShare = 0.25
/** … and no other is more than half as prominent. */
const rivalShare = 0.5

/**
 * The face that is asked for: number `choice` (from 1) where given, else the only one, or the one that the photo is plainly
 * of. @throws IMAGE_NO_FACE, IMAGE_SEVERAL_FACES (lists them and how to choose), FACE_UNKNOWN
 */
export function chooseFace(photo: Photo, path: string, choice: number | undefined): PhotoFace {
  const [first, second] = photo.faces
  if (first === undefined)
    throw new CameoError(
      'IMAGE_NO_FACE',
      `no face was found in ${clipName(path)}: use a photo in which the face is at least ${minPhotoFacePx} px high and seen from the front${aboutFile(photo)}`,
    )
  if (choice !== undefined) {
    const chosen = photo.faces[choice - 1]
    if (chosen !== undefined) return chosen
    throw new CameoError(
      'FACE_UNKNOWN',
      `${clipName(path)} has no face ${choice}; its faces are:\n${listFaces(photo)}`,
    )
  }
  if (second === undefined || isPortraitOf(photo, first, second)) return first
  throw new CameoError(
    'IMAGE_SEVERAL_FACES',
    `${clipName(path)} shows ${photo.faces.length} faces; choose one with --face NUMBER:\n${listFaces(photo)}`,
  )
}

const aboutFile = ({ notices }: Photo) => (notices.length === 0 ? '' : ` (${notices.join('; ')})`)

function isPortraitOf({ widthPx, heightPx }: Photo, first: PhotoFace, second: PhotoFace): boolean {
  const [, top, , bottom] = first.sample.boxXyxyPx
  const own = prominence(first.sample, widthPx, heightPx)
  return (
    (bottom - top) / Math.max(widthPx, heightPx) >= portraitShare &&
    own > 0 &&
    prominence(second.sample, widthPx, heightPx) < own * rivalShare
  )
}

export function listFaces(photo: Photo): string {
  return photo.faces.map(({ sample }, index) => `  ${index + 1}: ${describeFace(sample, photo)}`).join('\n')
}

/** The face's embedding with its final quality, and those by the further embedders that are loaded. */
export async function embedPhotoFace(
  { sample }: PhotoFace,
  stages: Stages,
): Promise<{
  readonly embedding: Embedding
  readonly quality: number
  readonly extraEmbeddings: readonly ExtraEmbedding[]
}> {
  const embedding = await stages.embedder.embed(sample.alignedCrop)
  const [extraEmbeddings = []] = await embedFurther([sample.alignedCrop], stages.encoders.embedders)
  return { embedding, quality: sample.quality * normTerm(embedding.norm, stages.normRange), extraEmbeddings }
}
