import { join } from 'node:path'
import { alignedFacePx } from '../align/align-face.js'
import { createLandmarker, type Landmarker } from '../align/points68.js'
import { createDetector } from '../detect/create-detector.js'
import type { Detector } from '../detect/detector.js'
import {
  createEmbedder,
  createEnsembleEmbedder,
  type Embedder,
  type EmbedderOptions,
} from '../embed/embed-faces.js'
import { CameoError, messageOf } from '../common/errors.js'
import type { RgbImage } from '../data/image.js'
import { itemDims } from '../image/image-tensor.js'
import { runnableFile, type RunnableFile } from '../models/flushed-model.js'
import { modelsOf, type EmbedderSpec, type Pack, type PackFile } from '../models/packs/pack.js'
import type { Model, ModelLoader, Provider } from '../models/session.js'

export interface PackModels {
  readonly provider: Provider
  readonly detector: Detector
  readonly landmarker: Landmarker | undefined
  readonly embedder: Embedder
}

export interface PackModelOptions extends EmbedderOptions {
  /** The CPU runs the models: it loads the files that `runnableFile` made. */
  readonly isForCpu: boolean
}

/**
 * Loads a pack's models and runs each on a blank image, in the same way as later on clips. So a pack that does not fit
 * its files is reported before any clip is processed.
 * @throws PACK_INVALID that names both; otherwise the same errors as `load`
 */
export async function loadPackModels(
  pack: Pack,
  modelsDir: string,
  options: PackModelOptions,
  load: ModelLoader,
): Promise<PackModels> {
  const [owner = pack, ...others] = pack.members ?? []
  /** `use` makes a stage from the model and runs it. */
  async function fitted<Stage>(
    part: 'detector' | 'landmarker' | 'embedder',
    { file, input }: Pick<EmbedderSpec, 'file' | 'input'>,
    use: (model: Model) => Promise<Stage>,
    folder = owner.name,
  ): Promise<Stage> {
    try {
      const source = join(modelsDir, folder, file.name)
      const path = options.isForCpu ? (await runnableFile(source, file.sha256, input)).path : source
      return await use(await load(path, itemDims(input)))
    } catch (cause) {
      if (cause instanceof CameoError) throw cause
      throw new CameoError(
        'PACK_INVALID',
        `the model pack ${pack.name} does not fit its ${part} ${file.name}: ${messageOf(cause).replace(/\s+/g, ' ')}`,
        { cause },
      )
    }
  }

  const { provider, detector } = await fitted('detector', pack.detector, async (model) => {
    const made = createDetector(pack.detector, model)
    await made.detectOnCanvas(blankImage(made.canvasWidthPx, made.canvasHeightPx))
    return { provider: model.provider, detector: made }
  })
  const spec = pack.landmarker
  const landmarker =
    spec &&
    (await fitted('landmarker', spec, async (model) => {
      const made = createLandmarker(spec, model)
      await made.findLandmarks(blankFace, [0, 0, alignedFacePx, alignedFacePx])
      return made
    }))
  const loadEmbedder = ({ name, embedder: spec }: Pack) =>
    fitted(
      'embedder',
      spec,
      async (model) => {
        const embedder = createEmbedder(spec, model, options)
        await embedder.embed(blankFace)
        return { spec, model, embedder }
      },
      name,
    )
  const first = await loadEmbedder(owner)
  if (others.length === 0) return { provider, detector, landmarker, embedder: first.embedder }
  const embedders = [first]
  for (const other of others) embedders.push(await loadEmbedder(other))
  return { provider, detector, landmarker, embedder: createEnsembleEmbedder(embedders, options) }
}

/**
 * Makes the files that `loadPackModels` loads on a CPU, if they do not exist yet. So they exist before many threads
 * need them.
 * @param pack its files are in the folder and verified
 */
export async function prepareForCpu(pack: Pack, modelsDir: string): Promise<(RunnableFile & PackFile)[]> {
  const prepared: (RunnableFile & PackFile)[] = []
  for (const { file, input, folder } of modelsOf(pack))
    prepared.push({
      ...file,
      ...(await runnableFile(join(modelsDir, folder, file.name), file.sha256, input)),
    })
  return prepared
}

const blankImage = (width: number, height: number): RgbImage => ({
  ...{ width, height },
  data: new Uint8Array(width * height * 3),
})

const blankFace = blankImage(alignedFacePx, alignedFacePx)
