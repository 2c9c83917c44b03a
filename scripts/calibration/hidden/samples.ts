import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { alignAndMeasure, findFaces, type FoundFace } from '../../../pipeline/faces/analyse-frame.js'
import { imageLibrary } from '../../../pipeline/image/image-library.js'
import type { RgbImage } from '../../../pipeline/data/image.js'
import { seededPart } from '../../../pipeline/common/seeded-random.js'
import { minPhotoFacePx } from '../../../pipeline/faces/upright-faces.js'
import type { Stages } from '../../../pipeline/stages/load-pipeline.js'
import { startProgress } from '../../cli/progress.js'
import { heldCovers, paintOver, trainingCovers, type Cover, type Random } from './paint.js'
import { unitOf } from '../../../pipeline/data/embedding.js'

/** A face of a photo, unpainted or with a painted part. */
export interface OcclusionSample {
  /** Number of the person. */
  readonly person: number
  /** The painted cover; undefined for the unpainted face. */
  readonly cover: string | undefined
  /** L2-normalised embedding. */
  readonly unit: Float32Array
}

const covers = { ...trainingCovers, ...heldCovers }

/**
 * Embeds the one face of each photo of a folder of people (the LFW layout) without paint, and once with each
 * kind of cover. Keeps the detector's box of the unpainted face; detects landmarks again.
 * @param perPerson largest number of photos
 */
export async function paintedSamples(
  images: string,
  perPerson: number,
  stages: Stages,
): Promise<OcclusionSample[]> {
  const people = readdirSync(images).filter((name) => existsSync(join(images, name, `${name}_0001.jpg`)))
  const files = people.sort().flatMap((name, person) =>
    readdirSync(join(images, name))
      .filter((file) => file.endsWith('.jpg'))
      .sort()
      .slice(0, perPerson)
      .map((file) => ({ person, path: join(images, name, file) })),
  )
  const samples: OcclusionSample[] = []
  const bar = startProgress('painting faces {bar} {value} of {total}')
  for (const [index, { person, path }] of files.entries()) {
    bar.update(index + 1, files.length, {})
    for (const { cover, unit } of await paintedFaces(path, index, covers, stages))
      samples.push({ person, cover, unit })
  }
  bar.stop()
  return samples
}

/**
 * The samples of one photo; none if it does not show exactly one face. The same seed paints the same covers.
 */
export async function paintedFaces(
  path: string,
  seed: number,
  kinds: Readonly<Record<string, (random: Random) => Cover>>,
  stages: Stages,
): Promise<Omit<OcclusionSample, 'person'>[]> {
  const image = await readRgb(path)
  const found = await findFaces({ full: image, detection: image }, stages, minPhotoFacePx)
  const [face, ...others] = found.filter(({ detectionScore }) => detectionScore >= stages.highScore)
  if (face === undefined || others.length > 0) return []
  const { landmarksPx } = await alignAndMeasure(face, image, stages)
  const faces: Omit<OcclusionSample, 'person'>[] = [
    { cover: undefined, unit: await embed(face, image, stages) },
  ]
  for (const [kind, [cover, make]] of Object.entries(kinds).entries()) {
    const random = seededPart(1, seed, kind)
    const painted = paintOver(image, landmarksPx, make(random), random)
    faces.push({ cover, unit: await embed(face, painted, stages) })
  }
  return faces
}

async function embed(face: FoundFace, image: RgbImage, stages: Stages): Promise<Float32Array> {
  const { alignedCrop } = await alignAndMeasure(face, image, stages)
  return unitOf(await stages.embedder.embed(alignedCrop))
}

async function readRgb(path: string): Promise<RgbImage> {
  const sharp = await imageLibrary()
  const { data, info } = await sharp(path)
    .removeAlpha()
    .toColourspace('srgb')
    .raw()
    .toBuffer({ resolveWithObject: true })
  return { width: info.width, height: info.height, data }
}
