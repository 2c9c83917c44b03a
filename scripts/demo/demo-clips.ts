import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { CameoError } from '../../pipeline/common/errors.js'
import { findFfmpeg } from '../../pipeline/decode/ffmpeg.js'
import { createPrivateFile } from '../../pipeline/common/private-files.js'
import { adviceMessageOf } from '../cli/advice.js'
import { photos } from './demo-photos.js'
import {
  clipFps,
  clipSize,
  frameCount,
  viewBox,
  type Condition,
  type DemoClip,
  type Shot,
} from './demo-table.js'

/** ffmpeg filters for each condition of the picture. */
const conditionFilters: Record<Condition, string> = {
  plain: 'null',
  dim: 'eq=gamma=0.4:saturation=0.7',
  blurred: 'gblur=sigma=3',
  grainy: 'noise=c0s=24:c0f=t',
  grey: 'hue=s=0',
  mirrored: 'hflip',
  /** A small clip scaled up. */
  coarse: `scale=320:-2,scale=${clipSize.widthPx}:${clipSize.heightPx}:flags=neighbor`,
  /** Brightness that changes 1.5 times per second. */
  flicker: `eq=gamma='1+0.55*sin(3*PI*t)':eval=frame`,
}

/** Filters that turn one photo into the frames of a camera move. */
function moveFilters(shot: Shot): string {
  const { widthPx, heightPx } = photos[shot.photo]
  const [x1, y1, x2] = viewBox(shot.photo, shot.from)
  const [toX1, toY1, toX2] = viewBox(shot.photo, shot.to)
  const frames = frameCount(shot)
  // zoompan keeps the aspect ratio of its input, so the photo first gets the clip's ratio. The views never
  // show the border.
  const aspect = clipSize.widthPx / clipSize.heightPx
  const paddedPx = 2 * Math.ceil(Math.max(widthPx, heightPx * aspect) / 2)
  const paddedHeightPx = 2 * Math.ceil(Math.max(heightPx, widthPx / aspect) / 2)
  const share = `(on/${frames - 1})`
  const moving = (from: number, to: number) =>
    `${from.toFixed(1)}+${(to - from).toFixed(1)}*${share}*${share}*(3-2*${share})`
  return [
    `pad=${paddedPx}:${paddedHeightPx},format=yuv420p`,
    `zoompan=z='${paddedPx}/(${moving(x2 - x1, toX2 - toX1)})':x='${moving(x1, toX1)}':y='${moving(y1, toY1)}'` +
      `:d=${frames}:s=${clipSize.widthPx}x${clipSize.heightPx}:fps=${clipFps}`,
    'setsar=1',
  ].join(',')
}

/** Input k of the graph is the photo of shot k. */
export function filterGraph({ shots, condition }: DemoClip): string {
  const moves = shots.map((shot, k) => `[${k}:v]${moveFilters(shot)}[shot${k}]`)
  const inputs = shots.map((_, k) => `[shot${k}]`).join('')
  const cuts = `${inputs}concat=n=${shots.length}:v=1:a=0,${conditionFilters[condition]},format=yuv420p[clip]`
  return [...moves, cuts].join(';')
}

export const clipPath = (dir: string, { name }: Pick<DemoClip, 'name'>): string => join(dir, `${name}.mp4`)

/** Makes the clips from the photos, two at a time. Throws FFMPEG_MISSING, FFMPEG_FAILED. */
export async function makeClips(
  clips: readonly DemoClip[],
  photosDir: string,
  targetDir: string,
): Promise<void> {
  const ffmpeg = await findFfmpeg()
  const waiting = clips.values()
  const worker = async (): Promise<void> => {
    for (const clip of waiting) await makeClip(ffmpeg, clip, photosDir, targetDir)
  }
  await Promise.all([worker(), worker()])
}

async function makeClip(ffmpeg: string, clip: DemoClip, photosDir: string, targetDir: string): Promise<void> {
  const inputs = clip.shots.flatMap(({ photo }) => ['-i', join(photosDir, photos[photo].file)])
  const graph = ['-filter_complex', filterGraph(clip), '-map', '[clip]', '-map_metadata', '-1']
  const encoding = ['-c:v', 'libx264', '-preset', 'superfast', '-crf', '28', '-threads', '1']
  const base = ['-v', 'error', '-nostdin', '-y', '-filter_complex_threads', '1']
  const path = clipPath(targetDir, clip)
  try {
    // ffmpeg would create it with the permissions of the umask.
    createPrivateFile(path)
    await promisify(execFile)(ffmpeg, [...base, ...inputs, ...graph, ...encoding, path])
  } catch (error) {
    throw new CameoError(
      'FFMPEG_FAILED',
      `the demo clip ${clip.name} was not made: ${adviceMessageOf(error)}`,
      {
        retriable: false,
        cause: error,
      },
    )
  }
}
