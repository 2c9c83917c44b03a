import type { DecodedFrame } from './decode-request.js'
import type { RawFrame } from './ffmpeg-run.js'
import { sharesFullImage } from './image-sizes.js'

/**
 * The images of a raw frame, in the frame's own memory. The function rearranges that memory: call it once per frame.
 */
export function decodedFrame({ timeS, data, sizes }: RawFrame): DecodedFrame {
  const { full, detection } = sizes
  const fullImage = { ...full, data: data.subarray(0, full.width * full.height * 3) }
  if (sharesFullImage(sizes)) return { timeS, full: fullImage, detection: fullImage }
  // Close the gaps between the detection image's rows in place: rows only move towards the beginning.
  const from = full.width * full.height * 3
  const [stride, rowBytes] = [full.width * 3, detection.width * 3]
  for (let row = 1; row < detection.height && rowBytes < stride; row++) {
    data.copyWithin(from + row * rowBytes, from + row * stride, from + row * stride + rowBytes)
  }
  return {
    timeS,
    full: fullImage,
    detection: { ...detection, data: data.subarray(from, from + detection.height * rowBytes) },
  }
}
