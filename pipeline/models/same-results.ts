import type { RgbImage } from '../data/image.js'
import { createToTensor } from '../image/image-tensor.js'
import { probeImages } from './probe-images.js'
import { loadModel, type Model } from './session.js'
import type { ModelInput } from '../data/model-input.js'

/** Whether a changed model and its source file give bit-identical outputs on the CPU for a set of pictures. */
export async function haveSameResults(
  source: string,
  changed: Uint8Array,
  input: ModelInput,
): Promise<boolean> {
  const device = { kind: 'cpu' } as const
  const models: Model[] = []
  try {
    models.push(await loadModel(source, { device }))
    models.push(await loadModel(source, { device, graph: changed }))
    for (const image of probeImages(input.widthPx, input.heightPx)) {
      const [before, after] = await Promise.all(models.map((model) => outputsOf(model, input, image)))
      if (before === undefined || after === undefined || !before.equals(after)) return false
    }
    return true
  } finally {
    for (const model of models) await model.dispose()
  }
}

async function outputsOf(model: Model, input: ModelInput, image: RgbImage): Promise<Buffer> {
  const outputs = await model.run(createToTensor(input)(image))
  return Buffer.concat(
    [...outputs.values()].map(({ data }) => Buffer.from(data.buffer, data.byteOffset, data.byteLength)),
  )
}
