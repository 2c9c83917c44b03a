import { execFile } from 'node:child_process'
import { constants } from 'node:fs'
import { access } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import type { Writable } from 'node:stream'
import { promisify } from 'node:util'
import ffmpeg from 'fluent-ffmpeg'
import { CameoError, messageOf } from '../common/errors.js'

/** One run of ffmpeg: a file in, one raw stream out, log lines on the side. */
export interface FfmpegRun {
  readonly input: string
  readonly inputOptions: readonly string[]
  /** The filter graph for -filter_complex; absent if packets are only copied. */
  readonly filterGraph?: string
  readonly outputOptions: readonly string[]
  /** Receives what ffmpeg writes; `end()` is called after the last byte. It must be created with `emitClose: false`. */
  readonly output: Writable
  readonly onLogLine: (line: string) => void
}

export interface FfmpegProcess {
  /** Kills ffmpeg at once (SIGKILL), even if it has not started yet. */
  readonly kill: () => void
  /** Resolves when the process has exited: undefined after exit code 0, otherwise the reason. Never rejects. */
  readonly exited: Promise<Error | undefined>
}

/** The oldest ffmpeg that has everything the decoder uses (-fps_mode came with 5.1). */
export const oldestFfmpeg = { major: 5, minor: 1 } as const
const oldest = `${oldestFfmpeg.major}.${oldestFfmpeg.minor}`

/**
 * Starts ffmpeg through fluent-ffmpeg. That library has these traps: listeners must be attached before the output, a
 * command runs only once, `progress` must not be listened to (it starts an ffprobe), and the output stream must not
 * emit `close` (that would kill ffmpeg 20 ms later).
 */
export function startFfmpeg(run: FfmpegRun): FfmpegProcess {
  let killed = false
  const command = ffmpeg({ stdoutLines: 20 })
  const exited = new Promise<Error | undefined>((resolve) => {
    // The library lists ffmpeg's formats and encoders before the first run in every thread. That takes two more
    // processes with 80 ms of CPU each, only to check names that are constants here.
    Object.assign(command, {
      availableFormats: (done: (error: null, formats: object) => void) => done(null, knownFormats),
      availableEncoders: (done: (error: null, encoders: object) => void) => done(null, {}),
    })
    command.input(run.input).inputOptions([...run.inputOptions])
    if (run.filterGraph !== undefined) command.complexFilter(run.filterGraph)
    command.outputOptions([...run.outputOptions])
    command.on('start', () => {
      if (killed) command.kill('SIGKILL')
    })
    command.on('stderr', run.onLogLine)
    command.on('error', (error: Error) => resolve(error))
    command.on('end', () => resolve(undefined))
    command.output(run.output, { end: true })
    findFfmpeg().then(
      (path) => {
        if (killed) {
          resolve(undefined)
          return
        }
        command.setFfmpegPath(path)
        command.run()
      },
      (error: unknown) => resolve(error instanceof Error ? error : new Error(messageOf(error))),
    )
  })
  return {
    exited,
    kill: () => {
      if (killed) return
      killed = true
      command.kill('SIGKILL')
    },
  }
}

const knownFormats = {
  ...Object.fromEntries(
    ['rawvideo', 'framecrc', 'null', 'mp4'].map((name) => [name, { canMux: true, canDemux: false }]),
  ),
  mjpeg: { canMux: false, canDemux: true },
}

let lastFound:
  { readonly chosen: string | undefined; readonly searched: string; readonly path: string } | undefined

/** The ffmpeg to run: FFMPEG_PATH, otherwise the first one on PATH. The result is cached. Throws FFMPEG_MISSING. */
export async function findFfmpeg(): Promise<string> {
  const { FFMPEG_PATH: chosen, PATH: searched = '' } = process.env
  if (lastFound?.chosen === chosen && lastFound?.searched === searched) return lastFound.path
  const path = await lookForFfmpeg(chosen, searched)
  lastFound = { chosen, searched, path }
  return path
}

async function lookForFfmpeg(chosen: string | undefined, searched: string): Promise<string> {
  if (chosen !== undefined && chosen !== '') {
    if (await isExecutable(chosen)) return chosen
    throw new CameoError(
      'FFMPEG_MISSING',
      `FFMPEG_PATH names ${chosen}, which cannot be run: correct it or unset it`,
    )
  }
  for (const folder of searched.split(delimiter)) {
    const candidate = join(folder, process.platform === 'win32' ? 'ffmpeg.exe' : 'ffmpeg')
    if (folder !== '' && (await isExecutable(candidate))) return candidate
  }
  throw ffmpegMissing('ffmpeg was not found on PATH')
}

function ffmpegMissing(what: string, cause?: unknown): CameoError {
  return new CameoError(
    'FFMPEG_MISSING',
    `${what}; install ffmpeg ${oldest} or newer, or set FFMPEG_PATH to it`,
    { cause, details: { remedy: 'install-ffmpeg', oldest } },
  )
}

async function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  )
}

export interface FfmpegVersion {
  readonly path: string
  /** As ffmpeg reports it: "5.1.9-0+deb12u1", "7.1", "N-118000-g…" for a build from its main branch. */
  readonly version: string
}

/** Version of the ffmpeg that is used. Throws FFMPEG_MISSING if there is none or it is too old. */
export async function ffmpegVersion(): Promise<FfmpegVersion> {
  const path = await findFfmpeg()
  const { stdout } = await promisify(execFile)(path, ['-version']).catch((cause: unknown) => {
    throw ffmpegMissing(`${path} does not run`, cause)
  })
  const version = parseFfmpegVersion(stdout)
  if (version === undefined || isTooOld(version)) {
    throw ffmpegMissing(`${path} is version ${version ?? 'unknown'}, too old`)
  }
  return { path, version }
}

export function parseFfmpegVersion(output: string): string | undefined {
  return /^ffmpeg version (\S+)/.exec(output)?.[1]
}

/** A version that does not begin with two numbers is a build from the main branch; it counts as new. */
export function isTooOld(version: string): boolean {
  const numbers = /^n?(\d+)\.(\d+)/.exec(version)
  if (numbers === null) return false
  const [major, minor] = [Number(numbers[1]), Number(numbers[2])]
  return major < oldestFfmpeg.major || (major === oldestFfmpeg.major && minor < oldestFfmpeg.minor)
}
