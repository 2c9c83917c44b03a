import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import sharp from 'sharp'
import { frameSizes } from '../../pipeline/decode/image-sizes.js'
import { createDetector } from '../../pipeline/detect/create-detector.js'
import { detectFaces } from '../../pipeline/detect/detect-faces.js'
import { neededScale } from '../../pipeline/detect/passes.js'
import { iou, type BoxXyxyPx } from '../../pipeline/data/geometry.js'
import type { RgbImage } from '../../pipeline/data/image.js'
import { findPack } from '../../pipeline/models/packs/catalog.js'
import { defaultModelsDir, packDir } from '../../pipeline/models/packs/models-dir.js'
import { loadModel } from '../../pipeline/models/session.js'
import { defaultSettings } from '../../pipeline/recipe/recipe.js'
import { testDataDir } from '../support/data.js'
import { seededRandom } from '../support/random.js'

const people = join(testDataDir(), 'data/people')
const pack = findPack('lite')
const detector = createDetector(
  pack.detector,
  await loadModel(join(packDir(pack, defaultModelsDir()), pack.detector.file.name), {
    device: { kind: 'cpu' },
  }),
)

const frameWidth = 1920
const frameHeight = 1080
const facesPerFrame = 8
const frames = 12

interface Placed {
  readonly photo: BoxXyxyPx
  readonly face: BoxXyxyPx
}

/** The box of a photo's own face, found at full size. */
async function ownFace(file: string): Promise<BoxXyxyPx | undefined> {
  const { data, info } = await sharp(file).removeAlpha().raw().toBuffer({ resolveWithObject: true })
  const faces = await detectFaces(detector, { width: info.width, height: info.height, data }, 80)
  return faces[0]?.boxXyxyPx
}

/** Photos scaled so that their faces are `faceHeightPx` high, side by side on a plain 1080p frame, as JPEG. */
async function composite(
  faceHeightPx: number,
  random: () => number,
): Promise<{ jpeg: Buffer; placed: Placed[] }> {
  const names = readdirSync(people).sort()
  const placed: Placed[] = []
  const layers: { input: Buffer; left: number; top: number }[] = []
  while (layers.length < facesPerFrame) {
    const name = names[Math.floor(random() * names.length)] ?? ''
    const file = join(people, name, `${name}_0001.jpg`)
    const box = await ownFace(file)
    if (box === undefined) continue
    const scale = faceHeightPx / (box[3] - box[1])
    const side = Math.round(250 * scale)
    const left = Math.floor(random() * (frameWidth - side))
    const top = Math.floor(random() * (frameHeight - side))
    const photo: BoxXyxyPx = [left, top, left + side, top + side]
    if (placed.some((other) => iou(other.photo, photo) > 0)) continue
    layers.push({ input: await sharp(file).resize(side, side).toBuffer(), left, top })
    const at = (value: number, offset: number) => offset + value * scale
    placed.push({ photo, face: [at(box[0], left), at(box[1], top), at(box[2], left), at(box[3], top)] })
  }
  const shade = Math.floor(40 + random() * 120)
  const background = { r: shade, g: shade, b: shade }
  const jpeg = await sharp({ create: { width: frameWidth, height: frameHeight, channels: 3, background } })
    .composite(layers)
    .jpeg({ quality: 90 })
    .toBuffer()
  return { jpeg, placed }
}

/** The image that decoding hands to the detector at the default settings. */
async function detectionImage(jpeg: Buffer): Promise<RgbImage> {
  const { detection } = frameSizes(
    { width: frameWidth, height: frameHeight },
    {
      canvasWidthPx: detector.canvasWidthPx,
      canvasHeightPx: detector.canvasHeightPx,
      neededScale: neededScale(detector, defaultSettings.minFacePx),
    },
  )
  const { data, info } = await sharp(jpeg)
    .resize(detection.width, detection.height, { fit: 'fill', kernel: 'cubic' })
    .raw()
    .toBuffer({ resolveWithObject: true })
  return { width: info.width, height: info.height, data }
}

describe('small faces in 1080p frames at the default settings', () => {
  it('recall is at least 0.95 for faces 48 px high, several a frame', async () => {
    const random = seededRandom(48)
    let wanted = 0
    let found = 0
    let claimed = 0
    let wrong = 0
    for (let frame = 0; frame < frames; frame++) {
      const { jpeg, placed } = await composite(48, random)
      const image = await detectionImage(jpeg)
      const scale = frameWidth / image.width
      const faces = (await detectFaces(detector, image, defaultSettings.minFacePx / scale)).filter(
        ({ detectionScore }) => detectionScore >= pack.detector.highScore,
      )
      const boxes = faces.map(({ boxXyxyPx: [x1, y1, x2, y2] }): BoxXyxyPx => [
        x1 * scale,
        y1 * scale,
        x2 * scale,
        y2 * scale,
      ])
      wanted += placed.length
      found += placed.filter(({ face }) => boxes.some((box) => iou(box, face) >= 0.4)).length
      claimed += boxes.length
      // Photos show bystanders too, so only what lies on the plain background is certainly no face.
      wrong += boxes.filter((box) => placed.every(({ photo }) => iou(photo, box) === 0)).length
    }
    const recall = found / wanted
    console.log(
      `48 px at 1080p: recall ${recall.toFixed(3)} of ${wanted}, precision ${(1 - wrong / claimed).toFixed(3)} of ${claimed}`,
    )
    assert.ok(recall >= 0.95, `recall is ${recall}`)
    assert.ok(1 - wrong / claimed >= 0.95, `precision is ${1 - wrong / claimed}`)
  })
})
