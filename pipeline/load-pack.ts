import { join } from 'node:path'
import { alignedFacePx } from './align/align-face.js'
import { createLandmarker, type Landmarker } from './align/points68.js'
import { createDetector } from './detect/create-detector.js'
import type { Detector } from './detect/detector.js'
import { createEmbedder, type Embedder, type EmbedderOptions } from './embed/embed-faces.js'
import { CameoError, messageOf } from './errors.js'
import type { RgbImage } from './image.js'
import { itemDims } from './image-tensor.js'
import { packDir } from './models/models-dir.js'
import type { EmbedderSpec, Pack } from './models/pack.js'
import type { Model, ModelLoader, Provider } from './models/session.js'

export interface PackModels {
  readonly provider: Provider
  readonly detector: Detector
  readonly landmarker: Landmarker | undefined
  readonly embedder: Embedder
}

/**
 * Loads a pack's models, and has each look at a blank image as it will look at clips, so that a pack that does not fit its
 * files is told before any clip.
 * @throws PACK_INVALID that names both; else as `load` does
 */
export async function loadPackModels(
  pack: Pack,
  modelsDir: string,
  options: EmbedderOptions,
  load: ModelLoader,
): Promise<PackModels> {
  /** `use` makes a stage of the model and runs it. */
  async function fitted<Stage>(
    part: 'detector' | 'landmarker' | 'embedder',
    { file, input }: Pick<EmbedderSpec, 'file' | 'input'>,
    use: (model: Model) => Promise<Stage>,
  ): Promise<Stage> {
    try {
      return await use(await load(join(packDir(pack, modelsDir), file.name), itemDims(input)))
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
  const embedder = await fitted('embedder', pack.embedder, async (model) => {
    const made = createEmbedder(pack.embedder, model, options)
    await made.embed(blankFace)
    return made
  })
  return { provider, detector, landmarker, embedder }
}

const blankImage = (width: number, height: number): RgbImage => ({
  ...{ width, height },
  data: new Uint8Array(width * height * 3),
})

const blankFace = blankImage(alignedFacePx, alignedFacePx)
