import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import sharp from 'sharp'
import {
  alignAndMeasure,
  findFaces,
  type FoundFace,
  type FrameImages,
} from '../../pipeline/faces/analyse-frame.js'
import { openFrames } from '../../pipeline/decode/frames.js'
import { neededScale } from '../../pipeline/detect/passes.js'
import { decodeFloat16 } from '../../pipeline/data/float16.js'
import { iou, type BoxXyxyPx } from '../../pipeline/data/geometry.js'
import { defaultPackName, findPack } from '../../pipeline/models/packs/catalog.js'
import { defaultModelsDir } from '../../pipeline/models/packs/models-dir.js'
import { chooseFace, readPhoto } from '../../pipeline/photos/process-photo.js'
import { defaultSettings } from '../../pipeline/recipe/recipe.js'
import { loadStages } from '../../pipeline/stages/load-pipeline.js'
import { temporaryDir } from '../support/cameo.js'
import { testDataDir } from '../support/data.js'
import { ffmpeg, x264 } from '../support/faces.js'
import { dotProduct, l2Normalise } from '../../pipeline/data/vector-math.js'
import type { Embedding } from '../../pipeline/data/embedding.js'

const data = join(testDataDir(), 'data')
const dir = temporaryDir()
const pack = findPack(defaultPackName)
const stages = await loadStages({
  ...{ pack, modelsDir: defaultModelsDir(), settings: defaultSettings, device: { kind: 'cpu' } },
})
after(() => stages.dispose())

const threshold = pack.calibration?.threshold ?? NaN
const brightnesses = [0.15, 0.07]

interface Seen {
  readonly boxXyxyPx: BoxXyxyPx
  readonly embedding: Embedding
}

/** The same face at the same place. */
const isSame = (dark: Seen, bright: Seen) =>
  iou(dark.boxXyxyPx, bright.boxXyxyPx) >= 0.5 && similarity(dark.embedding, bright.embedding) >= threshold

const similarity = (a: Embedding, b: Embedding) => dotProduct(unit(a), unit(b))
const unit = ({ float16 }: Embedding) => l2Normalise(decodeFloat16(float16))

describe('dark portraits', () => {
  const names = readdirSync(join(data, 'people')).sort()
  /** One of each of 50 people. */
  const portraits = names
    .filter((_, index) => index % 8 === 3)
    .map((name) => join(data, 'people', name, `${name}_0001.jpg`))

  async function faceOf(path: string): Promise<Seen> {
    const { sample, embedding } = chooseFace(await readPhoto(path, stages), path, undefined)
    return { boxXyxyPx: sample.boxXyxyPx, embedding }
  }

  for (const brightness of brightnesses)
    it(`of ${brightness} of their brightness show the same face in at least 95 %`, async () => {
      let found = 0
      for (const portrait of portraits) {
        const path = join(dir, 'dark.jpg')
        await sharp(portrait).linear(brightness, 0).jpeg({ quality: 95 }).toFile(path)
        const bright = await faceOf(portrait)
        const dark = await faceOf(path).catch(() => undefined)
        if (dark !== undefined && isSame(dark, bright)) found++
      }
      console.log(`× ${brightness}: ${found} of ${portraits.length} portraits`)
      assert.ok(found >= 0.95 * portraits.length)
    })
})

describe('dark clips', () => {
  const clips = [
    ...['KristiNoem.mp4', 'Obama_clip2.mp4', 'feifeili_clip1.mp4', 'reagan_clip1.mp4'],
    ...['bbaf2n.mpg', 'lwbsza.mpg', 'sadgirl_clip1.mp4', 'furious_talk1_clip1.mp4'],
  ]

  /** The faces of two frames a second, each embedded. */
  async function facesOf(path: string): Promise<Seen[][]> {
    const detection = {
      canvasWidthPx: stages.detector.canvasWidthPx,
      canvasHeightPx: stages.detector.canvasHeightPx,
      neededScale: neededScale(stages.detector, defaultSettings.minFacePx),
    }
    const { frames } = openFrames({
      ...{ path, detection, seek: 'fast', startS: 0, endS: Infinity },
      sampling: { kind: 'fps', fps: 2 },
    })
    const seen: Seen[][] = []
    for await (const frame of frames) {
      const faces: Seen[] = []
      for (const face of await findFaces(frame, stages, defaultSettings.minFacePx))
        if (face.detectionScore >= stages.highScore) faces.push(await embedded(face, frame))
      seen.push(faces)
    }
    return seen
  }

  async function embedded(face: FoundFace, { full }: FrameImages): Promise<Seen> {
    const { boxXyxyPx, alignedCrop } = await alignAndMeasure(face, full, stages)
    return { boxXyxyPx, embedding: await stages.embedder.embed(alignedCrop) }
  }

  for (const brightness of brightnesses)
    it(`of ${brightness} of their brightness show the same face in at least 95 % of their frames`, async () => {
      let wanted = 0
      let found = 0
      for (const clip of clips) {
        const path = join(dir, 'dark.mp4')
        const value = `val*${brightness}`
        const darken = `format=gbrp,lutrgb=r=${value}:g=${value}:b=${value}`
        await ffmpeg('-i', join(data, 'videos', clip), '-an', '-vf', darken, ...x264, '-crf', '18', path)
        const dark = await facesOf(path)
        for (const [frame, [bright]] of (await facesOf(join(data, 'videos', clip))).entries()) {
          if (bright === undefined) continue
          wanted++
          if (dark[frame]?.some((face) => isSame(face, bright)) === true) found++
        }
      }
      console.log(`× ${brightness}: ${found} of ${wanted} frames of ${clips.length} clips`)
      assert.ok(found >= 0.95 * wanted)
    })
})
