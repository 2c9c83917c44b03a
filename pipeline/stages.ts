import { join } from 'node:path'
import { createLandmarker, type Landmarker } from './align/points68.js'
import { createDescriber, type Describer } from './describe/describe-track.js'
import { createDetector } from './detect/create-detector.js'
import type { Detector } from './detect/detector.js'
import { createEmbedder, type Embedder } from './embed/embed-faces.js'
import type { DeviceChoice } from './models/device.js'
import { packDir } from './models/download.js'
import { sha256OfFile } from './models/digest.js'
import type { EmbedderSpec, Pack } from './models/pack.js'
import { loadModel, type Model, type Provider } from './models/session.js'
import { createRecipe, type Recipe, type Settings } from './settings.js'

/** The loaded models of one thread, ready to turn frames into tracks. */
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
  readonly describer: Describer
  dispose(): Promise<void>
}

export interface StageOptions {
  readonly pack: Pack
  readonly modelsDir: string
  readonly settings: Settings
  readonly device: DeviceChoice
  /** An ONNX head over the pooled embedding. */
  readonly headFile?: string | undefined
  readonly intraOpThreads?: number
}

/** Loads every model that a clip or a photo needs. Throws as `loadModel` does. */
export async function loadStages(options: StageOptions): Promise<Stages> {
  const { pack, settings } = options
  const models: Model[] = []
  const load = async (path: string): Promise<Model> => {
    const model = await loadModel(path, {
      device: options.device,
      ...(options.intraOpThreads === undefined ? {} : { intraOpThreads: options.intraOpThreads }),
    })
    models.push(model)
    return model
  }
  const file = (name: string) => join(packDir(pack, options.modelsDir), name)
  const detectorModel = await load(file(pack.detector.file.name))
  const landmarker =
    pack.landmarker === undefined
      ? undefined
      : createLandmarker(pack.landmarker, await load(file(pack.landmarker.file.name)))
  const embedder = createEmbedder(pack.embedder, await load(file(pack.embedder.file.name)), settings)
  const head = options.headFile === undefined ? undefined : await load(options.headFile)
  const headSha256 = options.headFile === undefined ? undefined : await sha256OfFile(options.headFile)
  return {
    recipe: createRecipe(pack, settings, headSha256),
    settings,
    provider: detectorModel.provider,
    detector: createDetector(pack.detector, detectorModel),
    highScore: pack.detector.highScore,
    minScore: pack.detector.minScore,
    landmarker,
    embedder,
    normRange: pack.embedder.norm,
    describer: await createDescriber(pack.embedder.dimension, head),
    async dispose() {
      for (const model of models) await model.dispose()
    },
  }
}
