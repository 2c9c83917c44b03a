import type { Landmarker } from '../align/points68.js'
import { createDescriber, type Describer } from '../describe/describe-track.js'
import type { Detector } from '../detect/detector.js'
import type { Embedder } from '../embed/embed-faces.js'
import { mirroredEmbedder, type ExtraEmbedder } from '../embed/extra-embedders.js'
import { loadEncoders, type LoadedEncoders } from '../embed/load-encoders.js'
import { checkHead, loadDescriberHead, readHeadFile } from '../describe/head/head-file.js'
import { loadPackModels } from './load-pack.js'
import type { DeviceChoice } from '../models/device.js'
import { noEncoders, type ExtraEncoders } from '../models/packs/encoder-file.js'
import type { EmbedderSpec, Pack, HiddenFaces } from '../models/packs/pack.js'
import { modelLoader } from '../models/model-loader.js'
import { mayUseCuda, type Model, type ModelLoader, type Provider } from '../models/session.js'
import { createRecipe, type Recipe, type Settings } from '../recipe/recipe.js'

/** The loaded models of one thread, which turn frames into tracks. */
export interface Stages {
  readonly recipe: Recipe
  readonly settings: Settings
  readonly provider: Provider
  readonly detector: Detector
  /** Faces from this score on may begin a track. */
  readonly highScore: number
  readonly minScore: number
  readonly landmarker: Landmarker | undefined
  readonly embedder: Embedder
  readonly normRange: EmbedderSpec['norm']
  /** Recognises partly hidden faces; absent if the pack has no such model. */
  readonly hiddenFaces?: HiddenFaces | undefined
  readonly describer: Describer
  /** The models that run in addition to the pack's own. */
  readonly encoders: LoadedEncoders
  /**
   * Embedders of mirror images, if these are stored: one for each embedder. They run on faces of clips, not of photos.
   */
  readonly mirrored: readonly ExtraEmbedder[]
  dispose(): Promise<void>
}

export interface StageOptions {
  readonly pack: Pack
  readonly modelsDir: string
  readonly settings: Settings
  readonly device: DeviceChoice
  /** An ONNX head over the pooled embedding. */
  readonly headFile?: string | undefined
  /** The describer with that head, if it is loaded already. */
  readonly describer?: Describer | undefined
  readonly encoders?: ExtraEncoders | undefined
  readonly intraOpThreads?: number
}

/**
 * Loads every model that a clip or a photo needs, into this thread unless `load` does otherwise. Throws the same errors
 * as `loadModel`; PACK_INVALID, ENCODER_INVALID, HEAD_OTHER_EMBEDDER, HEAD_INVALID.
 */
export async function loadStages(options: StageOptions, load = loadHere(options)): Promise<Stages> {
  const { pack, settings, encoders = noEncoders } = options
  const models: Model[] = []
  const keep: ModelLoader = async (path, dims, output) => {
    const model = await load(path, dims, output)
    models.push(model)
    return model
  }
  const { provider, detector, landmarker, embedder } = await loadPackModels(
    pack,
    options.modelsDir,
    { mirror: settings.mirror, isForCpu: !mayUseCuda(options.device) },
    keep,
  )
  const headFile = options.headFile === undefined ? undefined : await readHeadFile(options.headFile)
  const recipe = createRecipe(pack, settings, headFile?.sha256, encoders)
  const { dimension } = pack.embedder
  if (headFile !== undefined) checkHead(headFile, recipe)
  const loadDescriber = async () => {
    const head = headFile === undefined ? undefined : await loadDescriberHead(headFile, dimension, keep)
    return createDescriber({ digest: recipe.embedderDigest, dimension }, head)
  }
  const loaded = await loadEncoders(encoders, settings, keep)
  const embedders = [{ ...embedder, digest: recipe.embedderDigest }, ...loaded.embedders]
  return {
    recipe,
    settings,
    provider,
    detector,
    highScore: pack.detector.highScore,
    minScore: pack.detector.minScore,
    landmarker,
    embedder,
    normRange: pack.embedder.norm,
    hiddenFaces: pack.hiddenFaces,
    describer: options.describer ?? (await loadDescriber()),
    encoders: loaded,
    mirrored: settings.keepMirrored === true ? embedders.map(mirroredEmbedder) : [],
    async dispose() {
      for (const model of models) await model.dispose()
    },
  }
}

function loadHere({ device, intraOpThreads }: StageOptions): ModelLoader {
  return modelLoader({ device, ...(intraOpThreads === undefined ? {} : { intraOpThreads }) })
}
