import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after } from 'node:test'

/** A folder for one test file's clips, removed when its tests are done. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'cameo-test-'))
  after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** Runs ffmpeg; the last argument is the output file. */
export function ffmpeg(...args: readonly string[]): void {
  execFileSync('ffmpeg', ['-v', 'error', '-nostdin', '-y', ...args], {
    stdio: ['ignore', 'ignore', 'inherit'],
  })
}

/**
 * Input arguments for a clip whose frames can be told apart: frame n is of one grey, `frameGrey(n)`, with a white
 * square in the upper left corner.
 */
export function numberedFrames(options: {
  readonly seconds: number
  readonly fps?: number
  readonly size?: string
}): string[] {
  const { seconds, fps = 25, size = '160x120' } = options
  const grey = `geq=lum='if(lt(X,W/4)*lt(Y,H/4),235,16+mod(N*7,200))':cb=128:cr=128`
  return ['-f', 'lavfi', '-i', `color=black:s=${size}:r=${fps}:d=${seconds},format=yuv420p,${grey}`]
}

/** RGB value of frame n of `numberedFrames`: luma 16..235 widened to 0..255. */
export function frameGrey(n: number): number {
  return Math.round((((n * 7) % 200) * 255) / 219)
}
