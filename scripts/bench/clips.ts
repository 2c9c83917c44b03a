/** The clips of the ingest benchmarks. They are made once and kept in bench-output/. */
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, symlinkSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { findFfmpeg } from '../../pipeline/decode/ffmpeg.js'
import { CameoError } from '../../pipeline/common/errors.js'
import { note } from '../cli/output.js'

const run = promisify(execFile)

export interface BenchClips {
  /** Short clips of known people and strangers, 320×240. */
  readonly short: readonly string[]
  /** One long clip, 1920×1080, H.264, 25 fps, with parts and copies of it. */
  readonly long: LongClips
}

export interface LongClips {
  /** The clip's length, s. */
  readonly lengthS: number
  readonly at1080: string
  readonly at360: string
  /** Its first part, and the whole clip three times in a row. */
  readonly beginning: string
  readonly tripled: string
}

/** About 390 clips of 12 people and 60 strangers. */
const clipSet = { people: 12, strangers: 60, hardness: 1 }

const longClip = { lengthS: 60, beginningS: 15, sceneS: 6, facesAScene: 6, fps: 25 }

/** A folder PERSON/*.jpg: the given one, or the one of the test data. Throws USAGE if there is none. */
export function findImages(given: string | undefined): string {
  const dir = resolve(given ?? join(process.env['CAMEO_TEST_DATA'] ?? '../shared', 'data/people'))
  if (!existsSync(dir))
    throw new CameoError(
      'USAGE',
      `there are no photos in ${dir}: give --images DIR with one folder of photos per person (LFW's layout), or set CAMEO_TEST_DATA`,
    )
  return dir
}

export async function prepareClips(imagesDir: string): Promise<BenchClips> {
  // Other photos give other clips.
  const dir = resolve('bench-output', createHash('sha256').update(imagesDir).digest('hex').slice(0, 8))
  mkdirSync(dir, { recursive: true })
  return { short: await makeShortClips(imagesDir, dir), long: await makeLongClips(imagesDir, dir) }
}

/** Every nth of them, so that people, splits and strangers keep their proportions. */
export function everyNth<T>(all: readonly T[], count: number): T[] {
  return all.filter(
    (_, i) => Math.floor(((i + 1) * count) / all.length) > Math.floor((i * count) / all.length),
  )
}

/** A folder with only links to these files. */
export function linkInto(dir: string, files: readonly string[]): string {
  rmSync(dir, { recursive: true, force: true })
  mkdirSync(dir, { recursive: true })
  for (const file of files) symlinkSync(file, join(dir, basename(file)))
  return dir
}

async function makeShortClips(imagesDir: string, dir: string): Promise<string[]> {
  const { people, strangers, hardness } = clipSet
  const out = join(dir, `clips-${people}-${strangers}-${hardness}`)
  // In the source folder: the script runs without a build, also by itself.
  const script = fileURLToPath(new URL('../../../scripts/make-clips.mjs', import.meta.url))
  note('making the missing short clips …')
  await run(process.execPath, [
    ...[script, '--images', imagesDir, '--out', out, '--limit-people', `${people}`],
    ...['--strangers', `${strangers}`, '--hardness', `${hardness}`],
  ])
  return readdirSync(join(out, 'clips'))
    .sort()
    .map((name) => join(out, 'clips', name))
}

async function makeLongClips(imagesDir: string, dir: string): Promise<LongClips> {
  const name = (what: string) => join(dir, `long-${what}.mp4`)
  const clips = {
    lengthS: longClip.lengthS,
    at1080: name('1080p'),
    at360: name('360p'),
    beginning: name(`1080p-${longClip.beginningS}s`),
    tripled: name('1080p-tripled'),
  }
  const copy = ['-c', 'copy', '-map', '0:v']
  await make(clips.at1080, sceneArguments(imagesDir))
  await make(clips.at360, ['-i', clips.at1080, '-vf', 'scale=640:360', ...encoding])
  await make(clips.beginning, ['-i', clips.at1080, '-t', `${longClip.beginningS}`, ...copy])
  await make(clips.tripled, ['-stream_loop', '2', '-i', clips.at1080, ...copy])
  return clips
}

const encoding = ['-c:v', 'libx264', '-preset', 'veryfast', '-crf', '23', '-pix_fmt', 'yuv420p']

/**
 * Scenes of some people who move in front of a blurred background. Other people follow after each hard cut.
 */
function sceneArguments(imagesDir: string): string[] {
  const { lengthS, sceneS, facesAScene, fps } = longClip
  const photos = readdirSync(imagesDir, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => firstPhoto(join(imagesDir, name)))
    .filter((photo) => photo !== undefined)
    .sort()
  const scenes = lengthS / sceneS
  const chosen = everyNth(photos, scenes * facesAScene)
  if (chosen.length < scenes * facesAScene)
    throw new CameoError(
      'USAGE',
      `photos of ${scenes * facesAScene} people are needed, ${imagesDir} has ${photos.length}`,
    )
  const still = `loop=loop=-1:size=1,fps=${fps},trim=duration=${sceneS},setpts=PTS-STARTPTS`
  const graph = Array.from({ length: scenes }, (_, scene) => {
    const first = scene * facesAScene
    const layers = Array.from({ length: facesAScene }, (_, i) => {
      // A face is about 0.4 of its photo: 44 to 220 px high.
      const sidePx = 110 + Math.round((520 * ((i * 5 + scene) % facesAScene)) / facesAScene)
      const x = `${80 + (1560 * i) / facesAScene}+60*sin(${0.4 + 0.2 * i}*t)`
      const y = `${(((i * 7 + scene * 3) % 10) * (1080 - sidePx)) / 10}+25*cos(${0.5 + 0.1 * i}*t)`
      return { number: first + i, sidePx, x, y }
    })
    const faces = layers.map(
      ({ number, sidePx }) => `[${number}:v]scale=${sidePx}:${sidePx},setsar=1,${still}[face${number}]`,
    )
    const overlays = layers.map(
      ({ number, x, y }, i) =>
        `[layer${scene}_${i}][face${number}]overlay=x='${x}':y='${y}':shortest=1[layer${scene}_${i + 1}]`,
    )
    return [
      ...faces,
      `[${scenes * facesAScene + scene}:v]scale=24:14,scale=1920:1080:flags=bicubic,setsar=1,${still}[layer${scene}_0]`,
      ...overlays,
      `[layer${scene}_${facesAScene}]noise=alls=6:allf=t:all_seed=1,format=yuv420p[scene${scene}]`,
    ].join(';')
  })
  const inputs = [...chosen, ...everyNth(chosen, scenes)].flatMap((photo) => ['-i', photo])
  const joined = `${Array.from({ length: scenes }, (_, i) => `[scene${i}]`).join('')}concat=n=${scenes}[out]`
  return [...inputs, '-filter_complex', [...graph, joined].join(';'), '-map', '[out]', ...encoding]
}

function firstPhoto(personDir: string): string | undefined {
  const name = readdirSync(personDir)
    .sort()
    .find((file) => /\.(jpe?g|png)$/i.test(file))
  return name === undefined ? undefined : join(personDir, name)
}

/** Runs ffmpeg unless the output exists. An interrupted run leaves no file with this name. */
async function make(file: string, inputAndEncoding: readonly string[]): Promise<void> {
  if (existsSync(file)) return
  note(`making ${file} …`)
  const part = file.replace(/\.mp4$/, '.part.mp4')
  await run(await findFfmpeg(), ['-y', '-v', 'error', '-nostdin', ...inputAndEncoding, part], {
    maxBuffer: 2 ** 24,
  })
  renameSync(part, file)
}
