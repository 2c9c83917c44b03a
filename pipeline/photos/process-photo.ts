import type { FaceSample, FrameImages } from '../faces/analyse-frame.js'
import { readPart } from '../decode/clip-file.js'
import { clipName } from '../common/display-name.js'
import { contentHeadBytes, contentOf } from '../decode/still/image-content.js'
import { unreadable } from '../decode/still/image-file.js'
import { cropFace, type FaceCrop } from '../align/face-picture.js'
import { neededScale } from '../detect/passes.js'
import { embedFurther, type ExtraEmbedding } from '../embed/extra-embedders.js'
import { CameoError } from '../common/errors.js'
import { describeFace } from '../image/describe-face-position.js'
import type { BoxXyxyPx } from '../data/geometry.js'
import { facesUpright, minPhotoFacePx, type EmbeddedFace } from '../faces/upright-faces.js'
import { openPhotoPictures } from './photo-images.js'
import type { Stages } from '../stages/load-pipeline.js'
import { cropThumbnail, encodeThumbnail } from '../image/thumbnail.js'
import type { Embedding } from '../data/embedding.js'

/**
 * A face in a photo. Coordinates are in pixels of the displayed photo (EXIF rotation applied, turned upright), at most
 * 4K.
 */
export interface PhotoFace extends EmbeddedFace {
  readonly thumbnailJpeg: Uint8Array
  /** For a picture of the face that is kept. Present if `readPhoto` was asked for it. */
  readonly crop?: FaceCrop
}

export interface PhotoOptions {
  /** Also crop every face for a picture that is kept. Default: false. */
  readonly crops?: boolean
}

export interface Photo {
  readonly widthPx: number
  readonly heightPx: number
  /** Confident faces, most prominent first. */
  readonly faces: readonly PhotoFace[]
  /** Detections without a usable embedding. */
  readonly unusable: readonly FaceSample[]
  /** Sentences about the file: it is cut off, it was turned, which of its pictures this is. */
  readonly notices: readonly string[]
}

/**
 * Reads a photo and finds its faces. For an animation: the faces of the picture that shows a face best.
 * @throws IMAGE_UNREADABLE
 */
export async function readPhoto(path: string, stages: Stages, options: PhotoOptions = {}): Promise<Photo> {
  const { count, pictures, notices } = await openPhotoPictures(path, {
    canvasWidthPx: stages.detector.canvasWidthPx,
    canvasHeightPx: stages.detector.canvasHeightPx,
    neededScale: neededScale(stages.detector, minPhotoFacePx),
  })
  const name = clipName(path)
  let best: Picture | undefined
  let lookedAt = 0
  for await (const { number, images } of pictures) {
    const picture = await facesOfPicture(number, images, stages, options)
    lookedAt++
    if (best === undefined || bestQuality(picture) > bestQuality(best)) best = picture
  }
  if (best === undefined) throw unreadable(name, 'contains no picture that can be read')
  const { turnedBy, number, ...photo } = best
  const further: string[] = []
  if (turnedBy !== 0) further.push(`${name} is not upright: it was turned by ${turnedBy}° clockwise`)
  if (count > 1)
    further.push(
      `${name} has ${count} pictures; ${lookedAt} of them were searched, and picture ${number} was used`,
    )
  return { ...photo, notices: [...notices(), ...further] }
}

interface Picture extends Omit<Photo, 'notices'> {
  readonly number: number
  /** Degrees, clockwise. */
  readonly turnedBy: number
}

/** Quality of the most prominent face; a picture without a face is worst. */
const bestQuality = ({ faces: [first] }: Picture) => first?.quality ?? -1

async function facesOfPicture(
  number: number,
  asGiven: FrameImages,
  stages: Stages,
  { crops = false }: PhotoOptions,
): Promise<Picture> {
  const { images, turns, faces: found, unusable } = await facesUpright(asGiven, stages)
  const { width, height } = images.full
  const faces = await Promise.all(
    found.map(async (face): Promise<PhotoFace> => {
      const thumbnailJpeg = await encodeThumbnail(cropThumbnail(images.full, face.sample.boxXyxyPx))
      return { ...face, thumbnailJpeg, ...(crops ? { crop: cropFace(images.full, face.sample) } : {}) }
    }),
  )
  faces.sort((a, b) => prominence(b.sample, width, height) - prominence(a.sample, width, height))
  return { number, widthPx: width, heightPx: height, faces, unusable, turnedBy: turns * 90 }
}

/** True if the file's content is a picture that may be opened. */
export async function isPhoto(path: string): Promise<boolean> {
  return (await contentOf(await readPart(path, 0, contentHeadBytes))).kind === 'picture'
}

/**
 * How much a photo is about a face: the face's area minus twice its squared distance from the middle, as a share of the
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

/** The face of a portrait fills at least this share of the photo's longer side … */
const portraitShare = 0.25
/** … and no other face is more than this share as prominent. */
const rivalShare = 0.5
/** A face this many times as high as another one is the intended one … */
const plainlyHigher = 1.5
/** … if no face is, a face that is this many times as plausible … */
const plainlySurer = 2
/** … but never a face if another one is this many times as plausible. */
const farSurer = 3

/**
 * The requested face: number `choice` (from 1) if given, otherwise the only face, or the face that the photo clearly
 * shows. @throws IMAGE_NO_FACE, IMAGE_SEVERAL_FACES (lists the faces and how to choose), FACE_UNKNOWN
 */
export function chooseFace(photo: Photo, path: string, choice: number | undefined): PhotoFace {
  const { faces } = photo
  if (faces.length === 0) throw noFace(photo, path)
  if (choice !== undefined) {
    const chosen = faces[choice - 1]
    if (chosen !== undefined) return chosen
    throw new CameoError(
      'FACE_UNKNOWN',
      `${clipName(path)} has no face ${choice}; its faces are:\n${listFaces(photo)}`,
    )
  }
  const main =
    mainFace(faces, (face, other) => isMoreProminent(photo, face, other)) ??
    mainFace(
      faces,
      (face, other) => isMoreProminent(photo, face, other) || isSurer(face, other, plainlySurer),
    )
  if (main !== undefined) return main
  throw new CameoError(
    'IMAGE_SEVERAL_FACES',
    `${clipName(path)} shows ${faces.length} faces; choose one of them:\n${listFaces(photo)}`,
    { details: { remedy: 'choose-face', path, faces: faces.length } },
  )
}

/** A sentence that says which of several faces `chooseFace` chose by itself; undefined if there was no choice. */
export function tellChoice(photo: Photo, path: string, chosen: PhotoFace): string | undefined {
  const { faces } = photo
  if (faces.length < 2) return undefined
  const isLargest = faces.every(({ sample }) => heightOf(sample) <= heightOf(chosen.sample))
  return `${clipName(path)} shows ${faces.length} faces; face ${faces.indexOf(chosen) + 1} was chosen, ${isLargest ? 'the largest' : 'the main one'}`
}

function noFace(photo: Photo, path: string): CameoError {
  const { notices, unusable } = photo
  const [first] = unusable
  const found =
    first === undefined
      ? `no face was found in ${clipName(path)}`
      : `no usable face was found in ${clipName(path)}: what looks like one (${describeFace(first, photo)}) is too blurred or hidden, or is not a face`
  const about = notices.length === 0 ? '' : ` (${notices.join('; ')})`
  return new CameoError(
    'IMAGE_NO_FACE',
    `${found}: use a photo in which the face is at least ${minPhotoFacePx} px high and seen from the front${about}`,
  )
}

/** The face that dominates every other. */
const mainFace = (
  faces: readonly PhotoFace[],
  dominates: (face: PhotoFace, other: PhotoFace) => boolean,
): PhotoFace | undefined =>
  faces.find((face) => faces.every((other) => other === face || dominates(face, other)))

const isMoreProminent = (photo: Photo, face: PhotoFace, other: PhotoFace) =>
  !isSurer(other, face, farSurer) &&
  (heightOf(face.sample) >= heightOf(other.sample) * plainlyHigher || isPortraitBeside(photo, face, other))

const isSurer = (face: PhotoFace, other: PhotoFace, times: number) =>
  face.plausibility > other.plausibility * times

const heightOf = ({ boxXyxyPx: [, top, , bottom] }: { readonly boxXyxyPx: BoxXyxyPx }) => bottom - top

function isPortraitBeside({ widthPx, heightPx }: Photo, face: PhotoFace, other: PhotoFace): boolean {
  const own = prominence(face.sample, widthPx, heightPx)
  return (
    heightOf(face.sample) / Math.max(widthPx, heightPx) >= portraitShare &&
    own > 0 &&
    prominence(other.sample, widthPx, heightPx) < own * rivalShare
  )
}

export function listFaces(photo: Photo): string {
  return photo.faces
    .map(
      ({ sample: { boxXyxyPx }, quality }, index) =>
        `  ${index + 1}: ${describeFace({ boxXyxyPx, quality }, photo)}`,
    )
    .join('\n')
}

/** The face's embedding with its final quality, and its embeddings by the further embedders that are loaded. */
export async function embedPhotoFace(
  { sample, embedding, quality }: PhotoFace,
  stages: Stages,
): Promise<{
  readonly embedding: Embedding
  readonly quality: number
  readonly extraEmbeddings: readonly ExtraEmbedding[]
}> {
  const [extraEmbeddings = []] = await embedFurther([sample.alignedCrop], stages.encoders.embedders)
  return { embedding, quality, extraEmbeddings }
}
