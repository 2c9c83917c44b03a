import { alignAndMeasure, findFaces, type FaceSample, type FrameImages } from './analyse-frame.js'
import { normTerm } from './align/quality.js'
import type { Embedding } from './embed/embed-faces.js'
import { bestTurn, plainlyUpright, turnImage, type QuarterTurns } from './quarter-turn.js'
import type { Stages } from './stages.js'

/** Photos hold small faces too; below this height an embedding says little. */
export const minPhotoFacePx = 24

/** A face, embedded. Coordinates in pixels of the picture that it was found in. */
export interface EmbeddedFace {
  readonly sample: FaceSample
  readonly embedding: Embedding
  /** 0..1, with the norm term. */
  readonly quality: number
}

/** What was found in a picture. */
export interface PictureFaces {
  /** Confident ones, best detection score first. */
  readonly faces: readonly EmbeddedFace[]
  /** What passed for a face until it was embedded: the embedder saw none in it, or hardly one beside a far better one. */
  readonly unusable: readonly FaceSample[]
  /** Of the face that is the most certainly one: the norm term of its quality, 0..1; 0 where there is none. */
  readonly plausibility: number
}

/**
 * Beside a face so many times as good, one is not listed: racket strings, ears, chairs and the phantom between two heads
 * have norms from 2.0 to 2.6, as half faces at the edge have, and qualities of a tenth of the person's.
 */
const hopelessBeside = 8

/** Finds the faces of a picture and embeds each, for only its embedding tells a face from clutter. */
export async function embedFaces(images: FrameImages, stages: Stages): Promise<PictureFaces> {
  const embedded: EmbeddedFace[] = []
  const unusable: FaceSample[] = []
  let plausibility = 0
  for (const face of await findFaces(images, stages, minPhotoFacePx)) {
    if (face.detectionScore < stages.highScore) continue
    const sample = await alignAndMeasure(face, images.full, stages)
    const embedding = await stages.embedder.embed(sample.alignedCrop)
    if (embedding.norm < (stages.normRange?.low ?? 0)) {
      unusable.push(sample)
      continue
    }
    const term = normTerm(embedding.norm, stages.normRange)
    plausibility = Math.max(plausibility, term)
    embedded.push({ sample, embedding, quality: sample.quality * term })
  }
  const least = Math.max(0, ...embedded.map(({ quality }) => quality)) / hopelessBeside
  for (const { quality, sample } of embedded) if (quality < least) unusable.push(sample)
  return { faces: embedded.filter(({ quality }) => quality >= least), unusable, plausibility }
}

/** A picture as it is best looked at. */
export interface UprightPicture extends PictureFaces {
  readonly images: FrameImages
  /** By which it was turned. */
  readonly turns: QuarterTurns
}

/** Finds the faces of a picture that may lie on its side or stand on its head. */
export async function facesUpright(images: FrameImages, stages: Stages): Promise<UprightPicture> {
  const asGiven = await turnedBy(0, images, stages)
  if (asGiven.plausibility >= plainlyUpright) return asGiven
  const right = await turnedBy(1, images, stages)
  const over = await turnedBy(2, images, stages)
  const left = await turnedBy(3, images, stages)
  const turns = bestTurn([asGiven.plausibility, right.plausibility, over.plausibility, left.plausibility])
  return [asGiven, right, over, left][turns] ?? asGiven
}

async function turnedBy(turns: QuarterTurns, asGiven: FrameImages, stages: Stages): Promise<UprightPicture> {
  const full = turnImage(asGiven.full, turns)
  const detection = asGiven.detection === asGiven.full ? full : turnImage(asGiven.detection, turns)
  const images = { full, detection }
  return { ...(await embedFaces(images, stages)), images, turns }
}
