import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fakeFfmpeg, waitWhile } from './fake-ffmpeg.js'

export interface LateFfmpeg {
  /** For the environment of a command. */
  readonly environment: { readonly FFMPEG_PATH: string }
  /** Command line of a run that waits; undefined until a run waits. */
  waiting(): string | undefined
  release(): void
}

/**
 * An ffmpeg that reads 10 to 19 s of a clip only after a release. With segments of 5 s, the command is then
 * certainly in the middle of its work, however fast the machine is.
 */
export function lateFfmpeg(dir: string): LateFfmpeg {
  const [opened, released] = [join(dir, 'opened'), join(dir, 'released')]
  const waits = waitWhile(`[ ! -e ${released} ]`)
  const late = `*"-ss 1"[0-9]*) echo "$*" >${opened}.$$; mv ${opened}.$$ ${opened}; ${waits} ;;`
  return {
    environment: { FFMPEG_PATH: fakeFfmpeg(join(dir, 'late-ffmpeg'), late) },
    waiting: () => (existsSync(opened) ? readFileSync(opened, 'utf8') : undefined),
    release: () => writeFileSync(released, ''),
  }
}
