import type { FrameImages } from './analyse-frame.js'
import type { BoxXyxyPx, PointPx } from '../data/geometry.js'
import type { RgbImage } from '../data/image.js'

/** Quarter turns clockwise that turn a picture upright. */
export type QuarterTurns = 0 | 1 | 2 | 3

const turnsAside = [1, 2, 3] as const

/** The image turned clockwise. */
export function turnImage(image: RgbImage, turns: QuarterTurns): RgbImage {
  if (turns === 0) return image
  const { width, height, data } = image
  const isOnItsSide = turns !== 2
  const turned = new Uint8Array(data.length)
  const outputWidth = isOnItsSide ? height : width
  for (let y = 0, from = 0; y < height; y++)
    for (let x = 0; x < width; x++, from += 3) {
      const column = turns === 1 ? height - 1 - y : turns === 2 ? width - 1 - x : y
      const row = turns === 1 ? x : turns === 2 ? height - 1 - y : width - 1 - x
      const to = (row * outputWidth + column) * 3
      turned[to] = data[from] ?? 0
      turned[to + 1] = data[from + 1] ?? 0
      turned[to + 2] = data[from + 2] ?? 0
    }
  return { width: outputWidth, height: isOnItsSide ? width : height, data: turned }
}

/** The images of a frame turned clockwise. */
export function turnFrame<T extends FrameImages>(frame: T, turns: QuarterTurns): T {
  if (turns === 0) return frame
  const full = turnImage(frame.full, turns)
  const detection = frame.detection === frame.full ? full : turnImage(frame.detection, turns)
  return { ...frame, full, detection }
}

/**
 * From this plausibility on, a face in the original picture is upright, and the other turns are not tried. Of 1,200
 * sideways or upside-down faces 2 are this plausible, of 400 upright ones 343.
 */
export const plainlyUpright = 0.7

/** A face in a turned picture must be at least this plausible … */
const leastTurned = 0.3
/** … and this many times as plausible as any face in the original picture. */
const turnedBetterBy = 1.2

/**
 * The turn that shows faces best.
 * @param plausibilities of the most plausible face after each number of quarter turns: the norm term of its embedding's
 * quality, 0..1. It does not depend on landmarks, which are wrong if the face is turned. 0 if there is no face
 */
export function bestTurn(plausibilities: readonly [number, number, number, number]): QuarterTurns {
  let best: QuarterTurns = 0
  let bestPlausibility = Math.max(leastTurned, plausibilities[0] * turnedBetterBy)
  for (const turns of turnsAside)
    if (plausibilities[turns] >= bestPlausibility) [best, bestPlausibility] = [turns, plausibilities[turns]]
  return best
}

/** The position in the original image of a point of the turned image. @param size of the original image, px */
export function unturnPoint(
  { x, y }: PointPx,
  turns: QuarterTurns,
  { widthPx, heightPx }: { readonly widthPx: number; readonly heightPx: number },
): PointPx {
  if (turns === 1) return { x: y, y: heightPx - x }
  if (turns === 2) return { x: widthPx - x, y: heightPx - y }
  if (turns === 3) return { x: widthPx - y, y: x }
  return { x, y }
}

export function unturnBox(
  [x1, y1, x2, y2]: BoxXyxyPx,
  turns: QuarterTurns,
  size: { readonly widthPx: number; readonly heightPx: number },
): BoxXyxyPx {
  const [a, b] = [unturnPoint({ x: x1, y: y1 }, turns, size), unturnPoint({ x: x2, y: y2 }, turns, size)]
  return [Math.min(a.x, b.x), Math.min(a.y, b.y), Math.max(a.x, b.x), Math.max(a.y, b.y)]
}
