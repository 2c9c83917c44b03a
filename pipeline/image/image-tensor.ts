import type { RgbImage } from '../data/image.js'
import type { Tensor } from '../data/tensor.js'
import type { ModelInput } from '../data/model-input.js'

/** The dimensions of one item: [1, channels, height, width]. */
export function itemDims({ channelOrder, heightPx, widthPx }: ModelInput): readonly number[] {
  return [1, channelOrder === 'grey' ? 1 : 3, heightPx, widthPx]
}

/** Turns images of the model's input size into its input tensor. */
export type ToTensor = (image: RgbImage) => Tensor

/**
 * A converter to `itemDims` with the channel order, mean and scale of the pack. Grey is ITU-R BT.601 luma and uses the
 * first of three means and scales. The next call reuses the tensor's memory: fresh pages cost as much as the
 * arithmetic.
 */
export function createToTensor(input: ModelInput): ToTensor {
  const { widthPx, heightPx, channelOrder } = input
  const plane = widthPx * heightPx
  const [factor, factor2, factor3] = channelValues((channel) => 1 / ofChannel(input.scale, channel))
  const [offset, offset2, offset3] = channelValues(
    (channel) => -ofChannel(input.mean, channel) / ofChannel(input.scale, channel),
  )
  const dims = itemDims(input)
  const tensor: Tensor = { data: new Float32Array(plane * (dims[1] ?? 0)), dims }
  const values = tensor.data
  const first = channelOrder === 'rgb' ? 0 : 2
  const last = 2 - first

  function fillGrey(data: Uint8Array): void {
    for (let pixel = 0, at = 0; pixel < plane; pixel++, at += 3)
      values[pixel] =
        (0.299 * (data[at] ?? 0) + 0.587 * (data[at + 1] ?? 0) + 0.114 * (data[at + 2] ?? 0)) * factor +
        offset
  }

  function fillPlanes(data: Uint8Array): void {
    for (let pixel = 0, at = 0; pixel < plane; pixel++, at += 3) {
      values[pixel] = (data[at + first] ?? 0) * factor + offset
      values[pixel + plane] = (data[at + 1] ?? 0) * factor2 + offset2
      values[pixel + 2 * plane] = (data[at + last] ?? 0) * factor3 + offset3
    }
  }

  return ({ width, height, data }) => {
    if (width !== widthPx || height !== heightPx)
      throw new Error(
        `the model's input is ${widthPx}×${heightPx} pixels, but the image has ${width}×${height}`,
      )
    if (channelOrder === 'grey') fillGrey(data)
    else fillPlanes(data)
    return tensor
  }
}

type Channel = 0 | 1 | 2

const ofChannel = (value: ModelInput['mean'], channel: Channel) =>
  typeof value === 'number' ? value : value[channel]

const channelValues = (valueOf: (channel: Channel) => number) => [valueOf(0), valueOf(1), valueOf(2)] as const
