import { createToTensor } from '../image/image-tensor.js'
import type { DetectorSpec } from '../models/packs/pack.js'
import type { Model } from '../models/session.js'
import type { DecodeOutputs, Detector } from './detector.js'
import { suppressNonMaxima } from './nms.js'
import { decodeScrfd } from './scrfd.js'
import { decodeUltraface } from './ultraface.js'
import { decodeYunet } from './yunet.js'

const decoders: Record<DetectorSpec['decoder'], DecodeOutputs> = {
  ultraface: decodeUltraface,
  scrfd: decodeScrfd,
  yunet: decodeYunet,
}

/** Creates a detector from its pack's description and its loaded model. */
export function createDetector(spec: DetectorSpec, model: Model): Detector {
  const decode = decoders[spec.decoder]
  const toTensor = createToTensor(spec.input)
  const canvas = { widthPx: spec.input.widthPx, heightPx: spec.input.heightPx }
  return {
    canvasWidthPx: canvas.widthPx,
    canvasHeightPx: canvas.heightPx,
    minFacePx: spec.minFacePx,
    maxFacePx: spec.maxFacePx,
    inFlight: model.inFlight,
    async detectOnCanvas(image) {
      const outputs = await model.run(toTensor(image))
      return suppressNonMaxima(decode(outputs, canvas, spec.minScore))
    },
  }
}
