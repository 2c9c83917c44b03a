import { encodeFloat16 } from '../../pipeline/data/float16.js'
import type { SegmentOutput } from '../../pipeline/segments/segment.js'

/** A segment of 10 s and 40 frames with this many people; descriptors have 2 values. */
export function segmentOutput(index: number, tracks: number): SegmentOutput {
  const float16 = encodeFloat16(Float32Array.of(1, 2))
  return {
    segment: { index, startS: index * 10, endS: (index + 1) * 10 },
    frames: 40,
    faces: 12,
    truncated: false,
    provider: 'cpu',
    tracks: Array.from({ length: tracks }, (_, number) => ({
      number,
      spansS: [[index * 10, index * 10 + 3]],
      samples: 12,
      quality: 0.5,
      descriptor: Float32Array.of(0, 1),
      thumbnailJpeg: Uint8Array.of(1, 2, 3),
      faces: [
        {
          timeS: 1,
          boxXyxyPx: [0, 0, 10, 10],
          landmarksPx: [
            { x: 1, y: 1 },
            { x: 2, y: 1 },
            { x: 1, y: 2 },
            { x: 1, y: 3 },
            { x: 2, y: 3 },
          ],
          detectionScore: 0.9,
          quality: 0.5,
          embedding: { float16, norm: 2.5 },
        },
      ],
    })),
  }
}
