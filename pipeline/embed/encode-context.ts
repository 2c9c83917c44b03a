import pMap from 'p-map'
import type { RgbImage } from '../data/image.js'
import { scaleImage, type ImagePart } from '../image/image-scale.js'
import { createToTensor } from '../image/image-tensor.js'
import { contextDigestOf, type ContextFile } from '../models/packs/encoder-file.js'
import type { Model } from '../models/session.js'
import { encodeFloat16 } from '../data/float16.js'
import type { Tensor } from '../data/tensor.js'
import { l2Normalise } from '../data/vector-math.js'

/** The result of one context encoder for a segment, independent of the people in it. */
export interface ContextFeature {
  /** Digest of the encoder. */
  readonly encoder: string
  /** Number of encoded frames. */
  readonly frames: number
  /**
   * Half-precision bits: the mean of the frames' L2-normalised vectors. It is not normalised again, so that the
   * weighted mean of a clip's segments, with their frames as weights, is the mean over the clip.
   */
  readonly float16: Uint16Array
}

export interface ContextEncoder {
  readonly digest: string
  /** A frame in the model's input size; a copy of its pixels. */
  fit(frame: RgbImage): RgbImage
  /** At least one frame, as returned by `fit`. */
  encode(frames: readonly RgbImage[]): Promise<ContextFeature>
}

export function createContextEncoder(spec: ContextFile, model: Model): ContextEncoder {
  const { widthPx, heightPx, resize } = spec.input
  const toTensor = createToTensor(spec.input)
  const digest = contextDigestOf(spec)
  const encodeFrame = async (frame: RgbImage) => contextVector(spec, await model.run(toTensor(frame)))
  return {
    digest,
    fit(frame) {
      const part = resize === 'crop' ? middlePart(frame, widthPx / heightPx) : wholeImage(frame)
      return scaleImage(frame, part, widthPx, heightPx)
    },
    async encode(frames) {
      const sum = new Float64Array(spec.dimension)
      for (const vector of await pMap(frames, encodeFrame, { concurrency: model.inFlight ?? 1 }))
        l2Normalise(vector).forEach((value, i) => (sum[i] = (sum[i] ?? 0) + value))
      const mean = Float32Array.from(sum, (value) => value / frames.length)
      return { encoder: digest, frames: frames.length, float16: encodeFloat16(mean) }
    },
  }
}

/** One frame's vector from the model's outputs: [dimension], as the encoder file states. */
export function contextVector(
  { output, pool }: Pick<ContextFile, 'output' | 'pool'>,
  outputs: ReadonlyMap<string, Tensor>,
): Float32Array {
  const tensor = outputs.get(output)
  if (tensor === undefined) throw new Error(`the model has no output ${output}`)
  return pool === 'none' ? tensor.data : averageOverSpace(tensor)
}

/** [1, channels, …] to [channels]. */
function averageOverSpace({ data, dims }: Tensor): Float32Array {
  const [, channels = 0, ...space] = dims
  const positions = space.reduce((product, size) => product * size, 1)
  return Float32Array.from({ length: channels }, (_, channel) => {
    let sum = 0
    for (let i = channel * positions; i < (channel + 1) * positions; i++) sum += data[i] ?? 0
    return sum / positions
  })
}

const wholeImage = ({ width, height }: RgbImage): ImagePart => ({
  ...{ xPx: 0, yPx: 0 },
  widthPx: width,
  heightPx: height,
})

/** The largest centred part with those proportions (width / height). */
function middlePart({ width, height }: RgbImage, proportions: number): ImagePart {
  const widthPx = Math.max(1, Math.min(width, Math.round(height * proportions)))
  const heightPx = Math.max(1, Math.min(height, Math.round(width / proportions)))
  return { xPx: (width - widthPx) >> 1, yPx: (height - heightPx) >> 1, widthPx, heightPx }
}
