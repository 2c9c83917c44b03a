import { mapLandmarks, type FrameImages } from '../faces/analyse-frame.js'
import type { BoxXyxyPx, Landmarks5Px } from '../data/geometry.js'
import { facesUpright } from '../faces/upright-faces.js'
import { plainlyUpright, unturnBox, unturnPoint, type QuarterTurns } from '../faces/quarter-turn.js'
import type { Stages } from '../stages/load-pipeline.js'

/** How the images in which faces are detected relate to the displayed clip. */
export interface ClipView {
  /** Size of a frame of the clip's usual size, before it is turned. */
  readonly widthPx: number
  readonly heightPx: number
  /** Pixels of the displayed clip per pixel of a frame, which may be smaller. */
  readonly sourcePxPerPx: number
  /** Quarter turns applied to the frames: a clip with a sideways picture is turned upright. */
  readonly turns: QuarterTurns
}

/** A face's position in pixels of the displayed clip. */
export function placeInClip(
  { boxXyxyPx, landmarksPx }: { readonly boxXyxyPx: BoxXyxyPx; readonly landmarksPx: Landmarks5Px },
  view: ClipView,
) {
  const { turns, sourcePxPerPx: scale } = view
  const [x1, y1, x2, y2] = unturnBox(boxXyxyPx, turns, view)
  return {
    boxXyxyPx: [x1 * scale, y1 * scale, x2 * scale, y2 * scale] as const,
    landmarksPx: mapLandmarks(landmarksPx, (point) => {
      const { x, y } = unturnPoint(point, turns, view)
      return { x: x * scale, y: y * scale }
    }),
  }
}

/**
 * A face of this plausibility is enough to leave a segment unturned: hard footage seldom shows better ones, and trying
 * four turns costs as much as several frames.
 */
const uprightEnough = 0.5

/** The numbers of frames without such a face after which other turns are tried. */
const triedAfterFrames: readonly number[] = [5, 17, 65]

/**
 * How many more quarter turns a segment needs; 0 if it is upright, or if nothing shows that it is not.
 * @param seen number of processed frames of the segment, this one included, and the highest plausibility of a face in
 * them, 0..1
 */
export async function furtherTurns(
  frame: FrameImages,
  seen: { readonly frames: number; readonly plausibility: number },
  stages: Stages,
): Promise<QuarterTurns> {
  if (seen.plausibility >= uprightEnough || !triedAfterFrames.includes(seen.frames)) return 0
  const { turns, faces } = await facesUpright(frame, stages)
  return faces.some(({ plausibility }) => plausibility >= plainlyUpright) ? turns : 0
}

export const addTurns = (a: QuarterTurns, b: QuarterTurns): QuarterTurns => quarters[(a + b) % 4] ?? 0
const quarters: readonly QuarterTurns[] = [0, 1, 2, 3]
