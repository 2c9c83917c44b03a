import { alignAndMeasure, findFaces, type FaceSample, type FrameImages } from './analyse-frame.js'
import { normTerm } from '../align/quality.js'
import { visibleTerm } from '../embed/hidden-face.js'
import { bestTurn, plainlyUpright, turnFrame, type QuarterTurns } from './quarter-turn.js'
import type { Stages } from '../stages/load-pipeline.js'
import { unitOf, type Embedding } from '../data/embedding.js'

/** Photos contain small faces too; below this height (px) an embedding says little. */
export const minPhotoFacePx = 24

/** The stages that are needed to find faces in a photo. */
export type PhotoStages = Pick<
  Stages,
  'detector' | 'landmarker' | 'embedder' | 'normRange' | 'hiddenFaces' | 'highScore'
>

/** A face, embedded. Coordinates in pixels of the picture that it was found in. */
export interface EmbeddedFace {
  readonly sample: FaceSample
  readonly embedding: Embedding
  /** 0..1, with the norm term. */
  readonly quality: number
  /** How certain it is that this is a face: the norm term alone, 0..1; wrong landmarks cannot affect it. */
  readonly plausibility: number
}

/** The faces found in a picture. */
export interface PictureFaces {
  /** Confident faces, best detection score first. */
  readonly faces: readonly EmbeddedFace[]
  /** Detections without a usable embedding: the embedder saw no face, or hardly a face next to a much better one. */
  readonly unusable: readonly FaceSample[]
}

/**
 * A detection with a lower plausibility may be clutter: racket strings, ears, chairs and the phantom between two heads
 * have norms from 2.0 to 2.6, and so do half faces at the edge …
 */
const doubtful = 0.3
/** … and it is not listed if another face has this many times its quality. */
const hopelessBeside = 8

/** Finds the faces of a picture and embeds each one, because only its embedding separates a face from clutter. */
export async function embedFaces(images: FrameImages, stages: PhotoStages): Promise<PictureFaces> {
  const embedded: EmbeddedFace[] = []
  const unusable: FaceSample[] = []
  for (const face of await findFaces(images, stages, minPhotoFacePx)) {
    if (face.detectionScore < stages.highScore) continue
    const sample = await alignAndMeasure(face, images.full, stages)
    const embedding = await stages.embedder.embed(sample.alignedCrop)
    if (embedding.norm < (stages.normRange?.low ?? 0)) {
      unusable.push(sample)
      continue
    }
    const plausibility = normTerm(embedding.norm, stages.normRange)
    const quality = sample.quality * plausibility * visibleTerm(unitOf(embedding), stages.hiddenFaces)
    embedded.push({ sample, embedding, quality, plausibility })
  }
  const faces: EmbeddedFace[] = []
  for (const face of embedded)
    if (embedded.some((other) => isHopelessBeside(face, other))) unusable.push(face.sample)
    else faces.push(face)
  return { faces, unusable }
}

const isHopelessBeside = (face: EmbeddedFace, other: EmbeddedFace) =>
  face.plausibility < doubtful && face.quality * hopelessBeside < other.quality

/** A picture in the orientation that shows its faces best. */
export interface UprightPicture extends PictureFaces {
  readonly images: FrameImages
  /** The turn that was applied. */
  readonly turns: QuarterTurns
}

/** Finds the faces of a picture that may lie on its side or be upside down. */
export async function facesUpright(images: FrameImages, stages: PhotoStages): Promise<UprightPicture> {
  const asGiven = await turnedBy(0, images, stages)
  if (plausibilityOf(asGiven) >= plainlyUpright) return asGiven
  const right = await turnedBy(1, images, stages)
  const over = await turnedBy(2, images, stages)
  const left = await turnedBy(3, images, stages)
  const turns = bestTurn([
    plausibilityOf(asGiven),
    plausibilityOf(right),
    plausibilityOf(over),
    plausibilityOf(left),
  ])
  return [asGiven, right, over, left][turns] ?? asGiven
}

/** Plausibility of the most certain face; 0 if there is none. */
const plausibilityOf = ({ faces }: PictureFaces) =>
  Math.max(0, ...faces.map(({ plausibility }) => plausibility))

async function turnedBy(
  turns: QuarterTurns,
  asGiven: FrameImages,
  stages: PhotoStages,
): Promise<UprightPicture> {
  const images = turnFrame(asGiven, turns)
  return { ...(await embedFaces(images, stages)), images, turns }
}
