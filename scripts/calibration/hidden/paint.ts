import type { Landmarks5Px, PointPx } from '../../../pipeline/data/geometry.js'
import type { RgbImage } from '../../../pipeline/data/image.js'

/**
 * A place on a face. u runs along the eyes, to the right of the picture; v runs down to the mouth. The origin
 * is the middle between the eyes; the unit is the distance between the eyes. The eyes are at (±0.5, 0), the
 * nose near v = 0.6, the mouth near 1.05, the chin near 1.8.
 */
type Shape = (u: number, v: number) => boolean

/** What hides a part of a face: the covered area, and the brightness there as a share of its colour. */
export interface Cover {
  readonly covers: Shape
  readonly light: (u: number, v: number) => number
}

export type Random = () => number

const between = (random: Random, low: number, high: number) => low + (high - low) * random()
const within = (
  u: number,
  v: number,
  [cu, cv]: readonly [number, number],
  [ru, rv]: readonly [number, number],
) => ((u - cu) / ru) ** 2 + ((v - cv) / rv) ** 2 < 1

/** Covers for training: a name, and a cover of that kind. */
export const trainingCovers: Readonly<Record<string, (random: Random) => Cover>> = {
  mask(random) {
    const [top, side, chin] = [
      between(random, 0.25, 0.5),
      between(random, 0.9, 1.15),
      between(random, 1.7, 2),
    ]
    return {
      covers: (u, v) =>
        v > top + 0.12 * Math.abs(u) && v < chin && Math.abs(u) < side * (1 - 0.3 * Math.max(0, v - 1)),
      light: (u, v) => 1 - 0.2 * Math.abs(u) + (Math.abs((v * 4) % 1) < 0.12 ? -0.1 : 0),
    }
  },
  sunglasses(random) {
    const [wide, high] = [between(random, 0.36, 0.48), between(random, 0.26, 0.4)]
    return {
      covers: (u, v) =>
        within(Math.abs(u), v, [0.5, 0.05], [wide, high]) || (Math.abs(u) < 0.2 && Math.abs(v) < 0.07),
      light: (_, v) => 0.35 - 0.3 * v,
    }
  },
  half(random) {
    const [side, edge] = [random() < 0.5 ? 1 : -1, between(random, -0.12, 0.12)]
    return {
      covers: (u, v) => u * side > edge && u * side < 1.5 && v > -1.4 && v < 2.1,
      light: (u, v) => 0.9 + 0.1 * Math.sin(3 * u) * Math.cos(2 * v),
    }
  },
  hand(random) {
    const [u0, v0] = [between(random, -0.35, 0.35), between(random, 0.85, 1.2)]
    const [wide, high] = [between(random, 0.6, 0.85), between(random, 0.55, 0.75)]
    return {
      covers: (u, v) => within(u, v, [u0, v0], [wide, high]),
      light: (u) => 0.9 + 0.15 * Math.cos(9 * u),
    }
  },
}

/** Covers that are only used to test the model that was trained without them. */
export const heldCovers: Readonly<Record<string, (random: Random) => Cover>> = {
  bar(random) {
    const [half, wide] = [between(random, 0.24, 0.36), between(random, 0.95, 1.3)]
    return { covers: (u, v) => Math.abs(v) < half && Math.abs(u) < wide, light: () => 0.2 }
  },
  scarf(random) {
    const [top, phase] = [between(random, 0.4, 0.65), between(random, 0, 6)]
    return {
      covers: (u, v) => v > top + 0.06 * Math.sin(7 * u + phase) && v < 2.4 && Math.abs(u) < 1.6,
      light: (u, v) => (Math.sin(11 * (u + v)) > 0 ? 1 : 0.55),
    }
  },
  hood(random) {
    const edge = between(random, 0.1, 0.25)
    return {
      covers: (u, v) => v < edge && v > -1.6 && Math.abs(u) < 1.5,
      light: (u) => 0.8 + 0.2 * Math.sin(5 * u),
    }
  },
}

/** A copy of the image with the cover painted over the face in its own colour, with a little noise. */
export function paintOver(
  image: RgbImage,
  [leftEye, rightEye, , leftMouth, rightMouth]: Landmarks5Px,
  { covers, light }: Cover,
  random: Random,
): RgbImage {
  const origin = middle(leftEye, rightEye)
  const along = { x: rightEye.x - leftEye.x, y: rightEye.y - leftEye.y }
  const mouth = middle(leftMouth, rightMouth)
  const down = { x: (mouth.x - origin.x) / mouthV, y: (mouth.y - origin.y) / mouthV }
  const determinant = along.x * down.y - along.y * down.x
  const colour = [0, 1, 2].map(() => between(random, 20, 250))
  const data = Uint8Array.from(image.data)
  for (let y = 0; y < image.height; y++)
    for (let x = 0; x < image.width; x++) {
      const [dx, dy] = [x - origin.x, y - origin.y]
      const u = (dx * down.y - dy * down.x) / determinant
      const v = (along.x * dy - along.y * dx) / determinant
      if (!covers(u, v)) continue
      const share = light(u, v)
      for (let channel = 0; channel < 3; channel++)
        data[(y * image.width + x) * 3 + channel] = Math.min(
          255,
          Math.max(0, (colour[channel] ?? 0) * share + between(random, -6, 6)),
        )
    }
  return { ...image, data }
}

const mouthV = 1.05
const middle = (a: PointPx, b: PointPx): PointPx => ({ x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 })
