import { readdirSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { Option } from 'commander'
import { readAlignedFace } from '../../pipeline/decode/still/read-aligned-photo.js'
import { decodeFloat16 } from '../../pipeline/data/float16.js'
import { CameoError } from '../../pipeline/common/errors.js'
import type { RgbImage } from '../../pipeline/data/image.js'
import { defaultPackName } from '../../pipeline/models/packs/catalog.js'
import type { DeviceChoice } from '../../pipeline/models/device.js'
import { defaultModelsDir } from '../../pipeline/models/packs/models-dir.js'
import { readPhoto } from '../../pipeline/photos/process-photo.js'
import { mainPerson, peopleOfClip } from '../../pipeline/photos/process-query-clip.js'
import { defaultSettings } from '../../pipeline/recipe/recipe.js'
import { loadStages, type Stages } from '../../pipeline/stages/load-pipeline.js'
import { adviceMessageOf } from '../cli/advice.js'
import { usePack } from '../cli/ensure-pack.js'
import { note, oneLine } from '../cli/output.js'
import { startProgress } from '../cli/progress.js'

/** The feature of a benchmark's picture: its embedding plus that of its mirror image, not normalised. */
export interface ImageFeature {
  readonly feature: Float32Array
  /** 0..1; 1 of an aligned picture. */
  readonly detectionScore: number
}

/** A picture or video of the benchmark without a feature. */
export interface Unusable {
  readonly source: string
  readonly code: CameoError['code']
  readonly message: string
}

export interface EvalEmbedder {
  readonly dimension: number
  readonly packName: string
  /** In the order in which they were met. */
  readonly unusable: readonly Unusable[]
  /** The most prominent face of a photo; undefined where there is none: noted as unusable. */
  photo(path: string): Promise<ImageFeature | undefined>
  /** Of an aligned face's encoded bytes. */
  aligned(bytes: Uint8Array, name: string): Promise<ImageFeature | undefined>
  /** The mean of a video's frames: of a folder of pictures, or of the faces of a clip's main person. */
  video(path: string): Promise<ImageFeature | undefined>
  dispose(): Promise<void>
}

export interface EmbedderChoice {
  readonly pack: string
  readonly device: DeviceChoice
  /** Pictures are faces of 112×112 px already. */
  readonly aligned: boolean
}

export const packOption = () =>
  new Option('--pack <pack>', 'model pack, or a JSON file of your own').default(defaultPackName)

export const alignedOption = () =>
  new Option('--aligned', 'the pictures are aligned faces of 112×112 px already: no detection').default(false)

/** The models of a pack, for the pictures of benchmarks. */
export async function loadEvalEmbedder(choice: EmbedderChoice): Promise<EvalEmbedder> {
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
      unusable.push({ source, code: error.code, message: adviceMessageOf(error) })
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
    // Benchmarks count every pair: what is too blurred or hidden for a query is compared as well as it can be.
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
      // A frame without a face is no fault of the video's.
      if (!(error instanceof CameoError)) throw error
    }
  if (features.length === 0)
    throw new CameoError('IMAGE_NO_FACE', `no face was found in the pictures of ${dir}`)
  return { feature: meanOf(features), detectionScore: 1 }
}

async function meanOfClip(path: string, stages: Stages): Promise<ImageFeature> {
  const { faces } = mainPerson(await peopleOfClip(path, stages), path)
  return {
    feature: meanOf(faces.map(({ embedding }) => decodeFloat16(embedding.float16))),
    detectionScore: 1,
  }
}

/** Lists name a video without its extension. */
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

/** Lists and file systems may put letters and accents together (NFC) or take them apart (NFD). */
const asOnDisk = (path: string) => [path, path.normalize('NFC'), path.normalize('NFD')].find(isThere) ?? path

const isThere = (path: string) => statSync(path, { throwIfNoEntry: false }) !== undefined
export const isFolder = (path: string) => statSync(path, { throwIfNoEntry: false })?.isDirectory() === true

/** In the order of their names. */
export function pictureNames(dir: string): string[] {
  return readdirSync(dir).filter(isPictureName).sort()
}

export const isPictureName = (name: string) => /\.(jpe?g|png|webp|bmp|tiff?|avif|gif)$/i.test(name)

/** Runs `work` over the items one after the other, with progress on standard error. */
export async function embedAll<T>(
  items: readonly T[],
  what: string,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const bar = startProgress(`${what} {bar} {percentage}% {value}/{total}`)
  try {
    for (const [done, item] of items.entries()) {
      bar.update(done, items.length, {})
      await work(item)
    }
    bar.update(items.length, items.length, {})
  } finally {
    bar.stop()
  }
}

/** So many of the unusable pictures are told by name; `--json` tells all. */
const listed = 20

export function tellUnusable(unusable: readonly Unusable[]): void {
  if (unusable.length === 0) return
  note(`${unusable.length} had no usable face:`)
  for (const { message, code } of unusable.slice(0, listed)) note(`  ${oneLine(message)} [${code}]`)
  if (unusable.length > listed) note(`  … and ${unusable.length - listed} more (all with --json)`)
}

export const percent = (rate: number) => (Number.isNaN(rate) ? '–' : `${(rate * 100).toFixed(2)} %`)

/** JSON knows no NaN and no infinity. */
export const orNull = (value: number) => (Number.isFinite(value) ? value : null)
