import { execFile } from 'node:child_process'
import { rename, rm } from 'node:fs/promises'
import { extname } from 'node:path'
import { CameoError } from '../common/errors.js'
import { clipName } from '../common/display-name.js'
import { checkClipFile } from './clip-file.js'
import { commonInputOptions, inputUrl } from './ffmpeg-arguments.js'
import { findFfmpeg } from './ffmpeg.js'
import { demuxerFor } from './still-image.js'

/** A part of a clip, to be written as a clip of its own. */
export interface Cut {
  readonly path: string
  /** s, on the clip's own clock. */
  readonly startS: number
  readonly endS: number
  /** Encode pictures and sound anew, so that the part begins at its very frame; else its packets are copied. */
  readonly isExact: boolean
  /** The file to write; its extension says in which container. */
  readonly target: string
  readonly signal?: AbortSignal | undefined
}

/** Containers that hold what is copied out of a container of the same kind. */
const copied = new Set(['.mp4', '.m4v', '.mov', '.mkv', '.webm', '.ts', '.mts', '.m2ts', '.avi', '.mxf', '.mpg', '.mpeg', '.flv', '.wmv', '.3gp']) // prettier-ignore

/** The extension of a part: that of its clip, else of a container that holds nearly everything. */
export function extensionOfCut(path: string, isExact: boolean): string {
  if (isExact) return '.mp4'
  const extension = extname(path).toLowerCase()
  return copied.has(extension) ? extension : '.mkv'
}

/** Visually without loss; x264's default is 23. */
const exactQuality = ['-c:v', 'libx264', '-crf', '18', '-pix_fmt', 'yuv420p', '-c:a', 'aac']

/**
 * Writes a part of a clip; a file that is there is replaced when the new one is whole. Copied packets begin with the key frame at
 * or before the start: players of MP4 and MOV skip what comes before it, others show it.
 * @throws CLIP_*, FFMPEG_MISSING, FFMPEG_FAILED, INTERRUPTED
 */
export async function cutClip({ path, startS, endS, isExact, target, signal }: Cut): Promise<void> {
  await checkClipFile(path)
  const extension = extname(target)
  const unfinished = `${target.slice(0, target.length - extension.length)}.partial${extension}`
  const options = [
    ...[...commonInputOptions(await demuxerFor(path)), '-ss', startS.toFixed(6), '-i', inputUrl(path)],
    ...['-t', (endS - startS).toFixed(6), '-map', '0:V:0', '-map', '0:a?', '-sn', '-dn'],
    ...(isExact ? exactQuality : ['-c', 'copy']),
    ...(['.mp4', '.m4v', '.mov'].includes(extension) ? ['-movflags', '+faststart'] : []),
    ...['-y', inputUrl(unfinished)],
  ]
  try {
    await run(await findFfmpeg(), options, path, signal)
    await rename(unfinished, target)
  } finally {
    await rm(unfinished, { force: true })
  }
}

/** A log longer than this is of a file with many faults. */
const mostLogBytes = 64e6

function run(program: string, options: string[], path: string, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    execFile(program, options, { signal, maxBuffer: mostLogBytes }, (error, _stdout, stderr) => {
      if (error === null) resolve()
      else if (signal?.aborted === true)
        reject(new CameoError('INTERRUPTED', `cutting ${clipName(path)} was interrupted`))
      else reject(new CameoError('FFMPEG_FAILED', `${clipName(path)} could not be cut: ${lastProblem(stderr)}`, { cause: error, retriable: false })) // prettier-ignore
    })
  })
}

/** The last message of ffmpeg about an error. */
function lastProblem(log: string): string {
  const problems = log.split('\n').flatMap((line) => /\[(?:error|fatal)\] (.+)$/.exec(line)?.[1] ?? [])
  return problems.at(-1)?.trim() ?? 'ffmpeg does not say why'
}
