import { Command, Option } from 'commander'
import { existsSync } from 'node:fs'
import { readAnswerFile } from '../../index/editing/answer-file.js'
import { lastAnswerFile } from '../../index/editing/last-answer.js'
import type { EditHit } from '../../index/editing/hits.js'
import { openArchiveToRead } from '../../index/archive/open-archive.js'
import { clipPart } from '../../index/audit/use-entries.js'
import { listIdentities } from '../../index/store/identities.js'
import { isUrl } from '../../index/store/whole-path.js'
import { CameoError } from '../../pipeline/common/errors.js'
import { clipName } from '../../pipeline/common/display-name.js'
import { formatTime } from '../../pipeline/common/time-text.js'
import { audited } from '../cli/audited.js'
import { archiveOption, numberWithin } from '../cli/options.js'
import { exitCodes, note, oneLine, print } from '../cli/output.js'
import { canStartAt, findPlayer, startPlayer } from '../cli/player.js'

interface PlayOptions {
  readonly archive: string
  readonly result?: string
  readonly range?: number
}

export const playCommand = new Command('play')
  .description('Open a hit of the last answer in a video player, at its time.')
  .argument(
    '<number>',
    'of the clip in a search, or of the person in a clip, as printed',
    numberWithin(1, 1e6, 'integer'),
  )
  .addOption(archiveOption())
  .addOption(new Option('--result <file>', 'the JSON of another answer, in place of the last one'))
  .addOption(
    new Option(
      '--range <number>',
      'which of its time ranges; default: the one with the best score',
    ).argParser(numberWithin(1, 1e6, 'integer')),
  )
  .addHelpText(
    'after',
    `
Every "cameo search" and "cameo show" keeps its answer in the archive's folder, until something of the archive is forgotten.
CAMEO_PLAYER names the player, with {file} and {start} (seconds) where it wants them: CAMEO_PLAYER="mpv --start={start} {file}".
Without it, the first of mpv, vlc, ffplay, xdg-open and open is used.
Exit code: 0 the player was started; 2 it could not be.`,
  )
  .action(async (number: number, options: PlayOptions) => {
    await play(number, options)
    process.exitCode = exitCodes.ok
  })

async function play(number: number, { archive, result, range }: PlayOptions): Promise<void> {
  const hit = chooseHit(hitsOf(archive, result), number, range)
  const { path, startS, isMissing, person } = hit
  if (isMissing)
    throw new CameoError('CLIP_GONE', `${clipName(path)} is no longer there: it was moved or deleted`)
  if (isUrl(path) && !/^https?:/i.test(path))
    throw new CameoError(
      'CLIP_GONE',
      `${clipName(path)} is not on this machine, and no player opens it there`,
    )
  const player = findPlayer(process.env)
  await audited(archive, () => [
    { action: 'play', details: { startS }, parts: [clipPart(hit.clipId, { path })] },
  ])
  await startPlayer(player, path, startS)
  print(`${oneLine(path)}: ${oneLine(person)} at ${formatTime(startS)}`)
  if (!canStartAt(player)) note(`the player begins at the start of the clip: go to ${formatTime(startS)}`)
}

/** The hits of an answer that was kept. @throws USAGE where there is none */
export function hitsOf(archiveDir: string, file: string | undefined): EditHit[] {
  if (file !== undefined) return readAnswerFile(file === '-' ? 0 : file)
  const last = lastAnswerFile(archiveDir)
  if (existsSync(last)) return readAnswerFile(last)
  throw new CameoError(
    'USAGE',
    `the archive ${archiveDir} keeps no answer: search first, or name the JSON of one`,
  )
}

/** Enrolled names among those who are seen in hits. Empty if the archive cannot be read: nothing can be noted there then. */
export function enrolledAmong(archiveDir: string, hits: readonly EditHit[]): string[] {
  const people = new Set(hits.flatMap(({ person }) => person.split(' + ')))
  try {
    const archive = openArchiveToRead(archiveDir, () => undefined)
    try {
      return listIdentities(archive.database).flatMap(({ name }) => (people.has(name) ? [name] : []))
    } finally {
      archive.close()
    }
  } catch (error) {
    if (error instanceof CameoError) return []
    throw error
  }
}

function chooseHit(hits: readonly EditHit[], number: number, range: number | undefined): EditHit {
  const own = hits.filter((hit) => hit.number === number)
  if (own.length === 0) throw new CameoError('USAGE', `the answer has no hit ${number}`)
  const best = own.reduce((a, b) => ((b.score ?? 0) > (a.score ?? 0) ? b : a))
  const chosen = range === undefined ? best : own[range - 1]
  if (chosen === undefined)
    throw new CameoError('USAGE', `hit ${number} has ${own.length} time ranges, and no number ${range}`)
  return chosen
}
