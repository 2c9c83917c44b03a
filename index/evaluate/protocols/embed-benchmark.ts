import { readdirSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { readAlignedFace } from '../../../pipeline/decode/still/read-aligned-photo.js'
import { decodeFloat16 } from '../../../pipeline/data/float16.js'
import { CameoError } from '../../../pipeline/common/errors.js'
import type { RgbImage } from '../../../pipeline/data/image.js'
import type { DeviceChoice } from '../../../pipeline/models/device.js'
import { defaultModelsDir } from '../../../pipeline/models/packs/models-dir.js'
import type { Pack } from '../../../pipeline/models/packs/pack.js'
import { readPhoto } from '../../../pipeline/photos/process-photo.js'
import { mainPerson, peopleOfClip } from '../../../pipeline/photos/process-query-clip.js'
import { defaultSettings } from '../../../pipeline/recipe/recipe.js'
import { loadStages, type Stages } from '../../../pipeline/stages/load-pipeline.js'
import { ensurePack } from '../../../pipeline/stages/caller.js'

/** The feature of a benchmark image: its embedding plus the embedding of its mirror image, not normalised. */
export interface ImageFeature {
  readonly feature: Float32Array
  /** 0..1. 1 for an aligned image. */
  readonly detectionScore: number
}

/** An image or video of the benchmark without a feature. */
export interface Unusable {
  readonly source: string
  readonly code: CameoError['code']
  readonly message: string
}

export interface EvalEmbedder {
  readonly dimension: number
  readonly packName: string
  /** In the order in which they were found. */
  readonly unusable: readonly Unusable[]
  /** The most prominent face of a photo. Undefined if there is none; the photo is then recorded as unusable. */
  photo(path: string): Promise<ImageFeature | undefined>
  /** The feature of an encoded image of an aligned face. */
  aligned(bytes: Uint8Array, name: string): Promise<ImageFeature | undefined>
  /** The mean feature of a video: of a folder of images, or of the faces of a clip's main person. */
  video(path: string): Promise<ImageFeature | undefined>
  dispose(): Promise<void>
}

export interface EmbedderChoice {
  readonly pack: string
  readonly device: DeviceChoice
  /** The images are already aligned faces of 112×112 px. */
  readonly aligned: boolean
}

/** Runs the models of a pack on benchmark images. */
export async function loadEvalEmbedder(
  choice: EmbedderChoice,
  usePack: (nameOrFile: string) => Promise<Pack> = ensurePack,
): Promise<EvalEmbedder> {
  const pack = await usePack(choice.pack)
  const stages = await loadStages({
    pack,
    modelsDir: defaultModelsDir(),
    settings: { ...defaultSettings, mirror: true },
    device: choice.device,
    intraOpThreads: 0,
  })
  const unusable: Unusable[] = []
  const orUnusable = async (source: string, work: () => Promise<ImageFeature>) => {
    try {
      return await work()
    } catch (error) {
      if (!(error instanceof CameoError)) throw error
      unusable.push({ source, code: error.code, message: error.message })
      return undefined
    }
  }
  const embedCrop = async (crop: RgbImage, detectionScore: number): Promise<ImageFeature> => ({
    feature: decodeFloat16((await stages.embedder.embed(crop)).float16),
    detectionScore,
  })
  const embedPhoto = async (path: string) => {
    if (choice.aligned) return embedCrop(await readAlignedFace(path, path), 1)
    const { faces, unusable: doubtful } = await readPhoto(path, stages)
    // Benchmarks count every pair, so faces that are too blurred or hidden for a query are compared too.
    const sample = faces[0]?.sample ?? doubtful[0]
    if (sample === undefined) throw new CameoError('IMAGE_NO_FACE', `no face was found in ${path}`)
    return embedCrop(sample.alignedCrop, sample.detectionScore)
  }
  return {
    dimension: pack.embedder.dimension,
    packName: pack.name,
    unusable,
    photo: (path) => orUnusable(path, () => embedPhoto(asOnDisk(path))),
    aligned: (bytes, name) => orUnusable(name, async () => embedCrop(await readAlignedFace(bytes, name), 1)),
    video: (listed) =>
      orUnusable(listed, () => {
        const path = asOnDisk(listed)
        return isFolder(path) ? meanOfFrames(path, embedPhoto) : meanOfClip(clipAt(path), stages)
      }),
    dispose: () => stages.dispose(),
  }
}

async function meanOfFrames(
  dir: string,
  embed: (path: string) => Promise<ImageFeature>,
): Promise<ImageFeature> {
  const features: Float32Array[] = []
  for (const name of pictureNames(dir))
    try {
      features.push((await embed(join(dir, name))).feature)
    } catch (error) {
      // A frame without a face is not an error.
      if (!(error instanceof CameoError)) throw error
    }
  if (features.length === 0)
    throw new CameoError('IMAGE_NO_FACE', `no face was found in the images of ${dir}`)
  return { feature: meanOf(features), detectionScore: 1 }
}

async function meanOfClip(path: string, stages: Stages): Promise<ImageFeature> {
  const { faces } = mainPerson(await peopleOfClip(path, stages), path)
  return {
    feature: meanOf(faces.map(({ embedding }) => decodeFloat16(embedding.float16))),
    detectionScore: 1,
  }
}

/** Lists name videos without their extension. */
function clipAt(path: string): string {
  if (isThere(path)) return path
  const dir = dirname(path)
  const name = isFolder(dir)
    ? readdirSync(dir).find((file) => join(dir, file.replace(/\.\w+$/, '')) === path)
    : undefined
  if (name === undefined) throw new CameoError('CLIP_GONE', `there is no video ${path}`)
  return join(dir, name)
}

function meanOf(features: readonly Float32Array[]): Float32Array {
  const [first] = features
  if (first === undefined) throw new Error('the mean of nothing')
  return first.map((_, i) => features.reduce((sum, feature) => sum + (feature[i] ?? 0), 0) / features.length)
}

/** Lists and file systems may store letters and accents combined (NFC) or separate (NFD). */
const asOnDisk = (path: string) => [path, path.normalize('NFC'), path.normalize('NFD')].find(isThere) ?? path

const isThere = (path: string) => statSync(path, { throwIfNoEntry: false }) !== undefined
export const isFolder = (path: string) => statSync(path, { throwIfNoEntry: false })?.isDirectory() === true

/** Sorted by name. */
export function pictureNames(dir: string): string[] {
  return readdirSync(dir).filter(isPictureName).sort()
}

export const isPictureName = (name: string) => /\.(jpe?g|png|webp|bmp|tiff?|avif|gif)$/i.test(name)
