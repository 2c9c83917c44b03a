import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { imageLibrary } from '../../pipeline/image/image-library.js'
import { detectFaces } from '../../pipeline/detect/detect-faces.js'
import { planPasses } from '../../pipeline/detect/passes.js'
import { seededRandom } from '../../pipeline/common/seeded-random.js'
import type { RgbImage } from '../../pipeline/data/image.js'
import { defaultSettings } from '../../pipeline/recipe/recipe.js'
import type { Stages } from '../../pipeline/stages/load-pipeline.js'
import { median } from './measure.js'

/** A frame of photos side by side. */
interface MadeFrame {
  readonly image: RgbImage
  /** Where the face of each photo lies: the middle of the photo. */
  readonly faces: readonly { readonly x: number; readonly y: number; readonly heightPx: number }[]
}

export interface DetectorFigures {
  readonly name: string
  /** Time of one frame: the median. */
  readonly ms: number
  readonly passes: number
  readonly recall: number
  readonly precision: number
}

const [widthPx, heightPx] = [1920, 1080]
const [columns, rows] = [4, 2]
/** In the middle of a photo of 250 px, the face takes about this share of the height. */
const faceShare = 0.45

/** 1080p frames of eight photos each, with faces 40 to 200 px high. */
export async function makeFrames(images: string, count: number): Promise<MadeFrame[]> {
  const people = readdirSync(images).sort()
  const sharp = await imageLibrary()
  const random = seededRandom(1)
  const frames: MadeFrame[] = []
  for (let number = 0; number < count; number++) {
    const faces: MadeFrame['faces'][number][] = []
    const parts: { readonly input: Buffer; readonly left: number; readonly top: number }[] = []
    for (let cell = 0; cell < columns * rows; cell++) {
      const name = people[Math.floor(random() * people.length)] ?? ''
      const sidePx = Math.round((40 * 5 ** random()) / faceShare)
      const left = Math.round((cell % columns) * (widthPx / columns) + (widthPx / columns - sidePx) / 2)
      const top = Math.round(Math.floor(cell / columns) * (heightPx / rows) + (heightPx / rows - sidePx) / 2)
      const input = await sharp(join(images, name, `${name}_0001.jpg`))
        .resize(sidePx, sidePx)
        .png()
        .toBuffer()
      parts.push({ input, left, top })
      faces.push({ x: left + sidePx / 2, y: top + sidePx / 2, heightPx: sidePx * faceShare })
    }
    const grey = { width: widthPx, height: heightPx, channels: 3 as const, background: '#606060' }
    const data = await sharp({ create: grey })
      .composite([...parts])
      .removeAlpha()
      .raw()
      .toBuffer()
    frames.push({ image: { width: widthPx, height: heightPx, data }, faces })
  }
  return frames
}

/**
 * A face counts as found if a box of about its size lies around its middle. Other faces in the same photo do
 * not count.
 */
export async function compareDetector(
  name: string,
  frames: readonly MadeFrame[],
  { detector, highScore }: Pick<Stages, 'detector' | 'highScore'>,
): Promise<DetectorFigures> {
  const { minFacePx } = defaultSettings
  const times: number[] = []
  let [found, wanted, wrong] = [0, 0, 0]
  for (const { image, faces } of frames) {
    const startedMs = performance.now()
    const seen = (await detectFaces(detector, image, minFacePx)).filter(
      (face) => face.detectionScore >= highScore,
    )
    times.push(performance.now() - startedMs)
    const offsets = seen.map(({ boxXyxyPx: [x1, y1, x2, y2] }) =>
      faces.map(({ x, y, heightPx: height }) => ({
        aside: Math.hypot((x1 + x2) / 2 - x, (y1 + y2) / 2 - y) / height,
        size: (y2 - y1) / height,
      })),
    )
    const isThere = ({ aside, size }: { readonly aside: number; readonly size: number }) =>
      aside < 0.4 && size > 0.5 && size < 2
    wanted += faces.length
    found += faces.filter((_, face) =>
      offsets.some((of) => of.some((offset, i) => i === face && isThere(offset))),
    ).length
    // A photo is 1 / faceShare times as wide as its face: bystanders lie within.
    wrong += offsets.filter((of) =>
      of.every((offset) => !isThere(offset) && (offset.aside < 0.4 || offset.aside > 1.6)),
    ).length
  }
  const [first] = frames
  return {
    name,
    ms: median(times),
    passes: first === undefined ? 0 : planPasses(first.image, detector, minFacePx).length,
    recall: found / wanted,
    precision: found / (found + wrong),
  }
}
