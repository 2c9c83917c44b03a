import type { RgbImage } from '../data/image.js'

/**
 * Pictures for comparing two versions of a model, the same in every call: drawn faces of several shapes and tones, in
 * bright and dim light, smooth and coarse noise, black and white.
 */
export function* probeImages(width: number, height: number): Generator<RgbImage> {
  for (const [tone, light, turn] of faces) yield paint(width, height, faceAt(tone, light, turn))
  for (const cells of [4, 16, width]) yield paint(width, height, noiseOf(cells))
  for (const value of [0, 255]) yield paint(width, height, () => [value, value, value])
}

type Rgb = readonly [red: number, green: number, blue: number]

/** The colour at a place; both coordinates are 0..1. */
type Painter = (x: number, y: number) => Rgb

/** Skin tone, light 0..1, and how far the features are shifted to one side. */
const faces: readonly (readonly [tone: Rgb, light: number, turn: number])[] = [
  [[224, 172, 105], 1, 0],
  [[255, 219, 172], 0.9, 0.06],
  [[141, 85, 36], 0.8, -0.06],
  [[198, 134, 66], 0.35, 0.12],
  [[241, 194, 125], 0.15, -0.12],
]

function faceAt(tone: Rgb, light: number, turn: number): Painter {
  const within = (x: number, y: number, cx: number, cy: number, rx: number, ry: number) =>
    ((x - cx) / rx) ** 2 + ((y - cy) / ry) ** 2 < 1
  return (x, y) => {
    // Light comes from one side.
    const shade = light * (0.7 + 0.3 * x)
    const lit = ([red, green, blue]: Rgb): Rgb => [red * shade, green * shade, blue * shade]
    const at = x - turn
    for (const eye of [0.34, 0.66]) {
      if (within(at, y, eye, 0.46, 0.03, 0.03)) return lit([20, 20, 25])
      if (within(at, y, eye, 0.46, 0.08, 0.04)) return lit([235, 235, 235])
      if (within(at, y, eye, 0.38, 0.1, 0.02)) return lit([60, 40, 20])
    }
    if (within(at, y, 0.5, 0.83, 0.16, 0.04)) return lit([170, 60, 70])
    if (within(at, y, 0.5, 0.64, 0.05, 0.08)) return lit([tone[0] * 0.85, tone[1] * 0.85, tone[2] * 0.85])
    if (within(x, y, 0.5, 0.55, 0.42, 0.55)) return lit(tone)
    return lit([80, 100, 120])
  }
}

/** Cells of random colours (Lehmer's generator). */
function noiseOf(cells: number): Painter {
  let state = 1
  const next = () => (state = (state * 48_271) % 0x7fff_ffff) % 256
  const colours = Array.from({ length: cells * cells }, (): Rgb => [next(), next(), next()])
  return (x, y) => colours[Math.floor(y * cells) * cells + Math.floor(x * cells)] ?? [0, 0, 0]
}

function paint(width: number, height: number, colourAt: Painter): RgbImage {
  const data = new Uint8Array(width * height * 3)
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) data.set(colourAt(x / width, y / height), (y * width + x) * 3)
  return { width, height, data }
}
