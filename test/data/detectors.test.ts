import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import sharp from 'sharp'
import { createLandmarker } from '../../pipeline/align/points68.js'
import { createDetector } from '../../pipeline/detect/create-detector.js'
import { detectFaces } from '../../pipeline/detect/detect-faces.js'
import type { DetectedFace, Detector } from '../../pipeline/detect/detector.js'
import { iou, type Landmarks5Px } from '../../pipeline/data/geometry.js'
import type { RgbImage } from '../../pipeline/data/image.js'
import { findPack } from '../../pipeline/models/packs/catalog.js'
import { defaultModelsDir, packDir } from '../../pipeline/models/packs/models-dir.js'
import type { DetectorSpec } from '../../pipeline/models/packs/pack.js'
import { loadModel } from '../../pipeline/models/session.js'
import { testDataDir } from '../support/data.js'
import { mean } from '../support/map.js'

const dir = testDataDir()
const lite = findPack('lite')
const device = { kind: 'cpu' } as const
const liteFile = (name: string) => join(packDir(lite, defaultModelsDir()), name)

const detector = createDetector(lite.detector, await loadModel(liteFile(lite.detector.file.name), { device }))
assert.ok(lite.landmarker)
const landmarker = createLandmarker(
  lite.landmarker,
  await loadModel(liteFile(lite.landmarker.file.name), { device }),
)

const scrfdSpec = findPack('buffalo_sc').detector
const yunetSpec: DetectorSpec = {
  ...scrfdSpec,
  decoder: 'yunet',
  input: { widthPx: 320, heightPx: 320, channelOrder: 'bgr', mean: 0, scale: 1 },
  minScore: 0.5,
  highScore: 0.7,
  minFacePx: 12,
  maxFacePx: 250,
}

const load = async (spec: DetectorSpec, file: string) =>
  createDetector(spec, await loadModel(join(dir, 'models', file), { device }))

/** One photo of each of the first hundred people. */
async function photos(): Promise<RgbImage[]> {
  const people = join(dir, 'data/people')
  const names = readdirSync(people).sort().slice(0, 100)
  return Promise.all(names.map((name) => readRgb(join(people, name, `${name}_0001.jpg`))))
}

async function readRgb(file: string, size?: { width: number; height: number }): Promise<RgbImage> {
  const { data, info } = await sharp(file)
    .resize(size ?? {})
    .removeAlpha()
    .toColourspace('srgb')
    .raw()
    .toBuffer({ resolveWithObject: true })
  return { width: info.width, height: info.height, data }
}

function largest(faces: readonly DetectedFace[]): DetectedFace | undefined {
  const height = ({ boxXyxyPx: box }: DetectedFace) => box[3] - box[1]
  return [...faces].sort((a, b) => height(b) - height(a))[0]
}

/** Mean distance of the five points, in distances between the eyes. */
function disagreement(a: Landmarks5Px, b: Landmarks5Px): number {
  const eyes = Math.hypot(a[0].x - a[1].x, a[0].y - a[1].y)
  return mean(a.map((point, i) => Math.hypot(point.x - (b[i]?.x ?? NaN), point.y - (b[i]?.y ?? NaN)))) / eyes
}

async function compareWith(
  other: Detector,
): Promise<{ found: number; medianDisagreement: number; sameBox: number }> {
  const distances: number[] = []
  let sameBox = 0
  const images = await photos()
  for (const image of images) {
    const own = largest(await detectFaces(detector, image, 40))
    const theirs = largest(await detectFaces(other, image, 40))
    if (own === undefined || theirs?.landmarksPx === undefined) continue
    if (iou(own.boxXyxyPx, theirs.boxXyxyPx) < 0.5) continue
    sameBox++
    distances.push(disagreement(await landmarker.findLandmarks(image, own.boxXyxyPx), theirs.landmarksPx))
  }
  distances.sort((a, b) => a - b)
  return {
    found: images.length,
    sameBox,
    medianDisagreement: distances[Math.floor(distances.length / 2)] ?? Infinity,
  }
}

describe('detectors on the development photos', () => {
  it('SCRFD and UltraFace with 68 points find the same faces and agree on the landmarks', async () => {
    const { found, sameBox, medianDisagreement } = await compareWith(
      await load(scrfdSpec, 'scrfd_500m_bnkps.onnx'),
    )
    console.log(
      `SCRFD: ${sameBox}/${found} same faces, landmarks ${medianDisagreement.toFixed(3)} eye distances apart`,
    )
    assert.ok(sameBox >= 95, `only ${sameBox} of ${found} faces are the same`)
    assert.ok(medianDisagreement < 0.12, `the landmarks are ${medianDisagreement} eye distances apart`)
  })

  it('YuNet agrees likewise', async () => {
    const { found, sameBox, medianDisagreement } = await compareWith(
      await load(yunetSpec, 'yunet_n_320_320.onnx'),
    )
    console.log(
      `YuNet: ${sameBox}/${found} same faces, landmarks ${medianDisagreement.toFixed(3)} eye distances apart`,
    )
    assert.ok(sameBox >= 95, `only ${sameBox} of ${found} faces are the same`)
    assert.ok(medianDisagreement < 0.12, `the landmarks are ${medianDisagreement} eye distances apart`)
  })

  it('SCRFD finds a face that fills a large frame, which it misses in a pass at full canvas size alone', async () => {
    const scrfd = await load(scrfdSpec, 'scrfd_500m_bnkps.onnx')
    let found = 0
    const people = readdirSync(join(dir, 'data/people')).sort().slice(0, 20)
    for (const name of people) {
      const file = join(dir, 'data/people', name, `${name}_0001.jpg`)
      const box = largest(await detectFaces(detector, await readRgb(file), 40))?.boxXyxyPx
      assert.ok(box)
      const [left, top] = [Math.max(0, Math.floor(box[0])), Math.max(0, Math.floor(box[1]))]
      const crop = { left, top, width: Math.floor(box[2]) - left, height: Math.floor(box[3]) - top }
      const { data, info } = await sharp(file)
        .extract(crop)
        .resize(900, 1200, { fit: 'fill' })
        .raw()
        .toBuffer({ resolveWithObject: true })
      const image = { width: info.width, height: info.height, data }
      const face = largest(await detectFaces(scrfd, image, 40))
      if (face !== undefined && face.boxXyxyPx[3] - face.boxXyxyPx[1] > 600) found++
    }
    console.log(`SCRFD: ${found}/${people.length} faces that fill a 900×1200 frame`)
    assert.ok(found >= 18, `only ${found} of ${people.length}`)
  })
})
