import { spawn } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import { CameoError, messageOf } from '../../pipeline/common/errors.js'

/** A command line of a player: `{file}` and `{start}` (seconds) stand for what is played. */
export type PlayerCommand = readonly string[]

/** Those that can begin at a time come first. */
const usualPlayers: readonly PlayerCommand[] = [
  ['mpv', '--start={start}', '{file}'],
  ['vlc', '--start-time={start}', '{file}'],
  ['ffplay', '-ss', '{start}', '{file}'],
  ['xdg-open', '{file}'],
  ['open', '{file}'],
]

/** `CAMEO_PLAYER`, words separated by spaces, else the first usual player on PATH. @throws USAGE where there is none */
export function findPlayer({
  CAMEO_PLAYER: chosen = '',
  PATH: searched = '',
}: NodeJS.ProcessEnv): PlayerCommand {
  const words = chosen.split(/\s+/).filter((word) => word !== '')
  if (words.length > 0) return words.some((word) => word.includes('{file}')) ? words : [...words, '{file}']
  const found = usualPlayers.find(([program = '']) => isOnPath(program, searched))
  if (found !== undefined) return found
  throw new CameoError('USAGE', 'no video player was found: install mpv, or name one with CAMEO_PLAYER="PLAYER --start={start} {file}"') // prettier-ignore
}

/** The player can begin at a time. */
export const canStartAt = (player: PlayerCommand) => player.some((word) => word.includes('{start}'))

/** Starts a player that goes on when this command has ended. @throws USAGE where it cannot be started */
export async function startPlayer(player: PlayerCommand, file: string, startS: number): Promise<void> {
  const [program = '', ...words] = player.map((word) =>
    word.replaceAll('{start}', startS.toFixed(3)).replaceAll('{file}', () => file),
  )
  const child = spawn(program, words, { detached: true, stdio: 'ignore' })
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve)
    child.once(
      'error',
      (cause) =>
      reject(new CameoError('USAGE', `the player ${program} cannot be started (${messageOf(cause)}): see CAMEO_PLAYER`, { cause })), // prettier-ignore
    )
  })
  child.unref()
}

function isOnPath(program: string, searched: string): boolean {
  return searched.split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK)
      return folder !== ''
    } catch {
      return false
    }
  })
}
