import { cropFace, encodeFacePicture, type FacePicture } from '../align/face-picture.js'
import { CameoError } from '../common/errors.js'
import type { BoxXyxyPx, Landmarks5Px } from '../data/geometry.js'
import { openFrames } from '../decode/frames.js'
import { slotOf } from '../decode/sampling.js'
import { neededScale } from '../detect/passes.js'
import { mapLandmarks } from '../faces/analyse-frame.js'
import type { Stages } from '../stages/load-pipeline.js'

interface FaceInClip {
  readonly timeS: number
  /** Pixels of the displayed clip. */
  readonly boxXyxyPx: BoxXyxyPx
  readonly landmarksPx: Landmarks5Px
}

/** A frame's time may be rounded. */
const sameTimeS = 1e-3

/**
 * Pictures of faces of a clip: the frames that show them are decoded once more. Undefined where a frame cannot be
 * decoded again.
 * @param path absolute
 * @param widthPx of the displayed clip
 * @throws INTERRUPTED
 */
export async function picturesInClip(
  path: string,
  faces: readonly FaceInClip[],
  widthPx: number,
  stages: Pick<Stages, 'settings' | 'detector'>,
  signal?: AbortSignal,
): Promise<(FacePicture | undefined)[]> {
  const pictures: (FacePicture | undefined)[] = []
  for (const face of faces)
    try {
      pictures.push(await pictureInClip(path, face, widthPx, stages, signal))
    } catch (error) {
      if (!(error instanceof CameoError) || error.code === 'INTERRUPTED') throw error
      pictures.push(undefined)
    }
  return pictures
}

async function pictureInClip(
  path: string,
  face: FaceInClip,
  widthPx: number,
  { settings, detector }: Pick<Stages, 'settings' | 'detector'>,
  signal: AbortSignal | undefined,
): Promise<FacePicture | undefined> {
  const { sampling, minFacePx } = settings
  const slot = slotOf(face.timeS, sampling)
  const [startS, endS] =
    sampling.kind === 'fps'
      ? [Math.max(0, slot / sampling.fps), (slot + 1) / sampling.fps]
      : [Math.max(0, face.timeS - sameTimeS), face.timeS + sameTimeS]
  const { frames } = openFrames({
    ...{ path, sampling, startS, endS, seek: 'fast' },
    detection: {
      canvasWidthPx: detector.canvasWidthPx,
      canvasHeightPx: detector.canvasHeightPx,
      neededScale: neededScale(detector, minFacePx),
    },
    ...(signal === undefined ? {} : { signal }),
  })
  for await (const { timeS, full } of frames) {
    if (Math.abs(timeS - face.timeS) > sameTimeS) continue
    const scale = full.width / widthPx
    const [x1, y1, x2, y2] = face.boxXyxyPx
    return encodeFacePicture(
      cropFace(full, {
        boxXyxyPx: [x1 * scale, y1 * scale, x2 * scale, y2 * scale],
        landmarksPx: mapLandmarks(face.landmarksPx, ({ x, y }) => ({ x: x * scale, y: y * scale })),
      }),
    )
  }
  return undefined
}
