import type { RgbImage } from './image.js'
import type { ModelInput } from './models/pack.js'
import type { Tensor } from './models/session.js'

/**
 * An RGB image of the model's own size as its input tensor [1, channels, height, width]: channel order, mean and scale
 * as the pack says; grey is ITU-R BT.601 luma.
 */
export function imageToTensor(image: RgbImage, input: ModelInput): Tensor {
  const { width, height, data } = image
  const plane = width * height
  const factor = 1 / input.scale
  const offset = -input.mean / input.scale
  if (input.channelOrder === 'grey') {
    const grey = new Float32Array(plane)
    for (let pixel = 0, at = 0; pixel < plane; pixel++, at += 3)
      grey[pixel] =
        (0.299 * (data[at] ?? 0) + 0.587 * (data[at + 1] ?? 0) + 0.114 * (data[at + 2] ?? 0)) * factor +
        offset
    return { data: grey, dims: [1, 1, height, width] }
  }
  const planes = new Float32Array(plane * 3)
  const first = input.channelOrder === 'rgb' ? 0 : 2
  const last = 2 - first
  for (let pixel = 0, at = 0; pixel < plane; pixel++, at += 3) {
    planes[pixel] = (data[at + first] ?? 0) * factor + offset
    planes[pixel + plane] = (data[at + 1] ?? 0) * factor + offset
    planes[pixel + 2 * plane] = (data[at + last] ?? 0) * factor + offset
  }
  return { data: planes, dims: [1, 3, height, width] }
}
