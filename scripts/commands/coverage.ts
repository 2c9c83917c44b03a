import { resolve } from 'node:path'
import { Command, Option } from 'commander'
import { openArchiveToRead } from '../../index/archive/open-archive.js'
import { coverageStates, type CoverageState } from '../../index/coverage/clip-coverage.js'
import { readCoverage, type ClipCoverage } from '../../index/coverage/read-coverage.js'
import {
  byFolder,
  markMissing,
  sumCoverage,
  within,
  type CoverageSum,
} from '../../index/coverage/sum-coverage.js'
import { isUrl } from '../../index/store/whole-path.js'
import { shareText, statesText, toCoverageJson, unseenLines } from '../reports/coverage-text.js'
import { archiveOption, jsonOption } from '../cli/options.js'
import { counted, exitCodes, note, oneLine, print, printJson } from '../cli/output.js'

interface CoverageOptions {
  readonly archive: string
  readonly state?: readonly CoverageState[]
  readonly json: boolean
}

export const coverageCommand = new Command('coverage')
  .description('How much of the video was looked at, by folder, and what is missing of each clip.')
  .argument('[folder]', 'only the clips below it')
  .addOption(archiveOption())
  .addOption(new Option('--state <states...>', 'list only clips in these states').choices(coverageStates))
  .addOption(jsonOption())
  .addHelpText(
    'after',
    `
A clip is complete where all of it was looked at. Else it is: unfinished (an ingest was stopped, or did not come to it; run it
again), failed (nothing could be read), partial (segments were given up), truncated (the file is cut off), damaged (stretches
could not be decoded), left-out (something in it is not looked at, as a further video stream). Besides it may be face-less (no
face was found), missing (no file is where it was) or forgotten. All but the complete ones are listed.
With --json: {coverage: {clips, incomplete, unknownLength, hours, lookedAtHours, notLookedAtHours, states: {STATE: clips}},
folders: [{folder, ...the same}], clips: [{clipId, path, paths, states, durationS, lookedAtS, notLookedAtS,
notLookedAt: [{startS, endS, state, code?, message?}], leftOut, code?, message?, missing?}]}; null is what is not known.
Exit code: 0 all of every clip was looked at, 1 it was not (whatever --state lists), 2 the command could not run.`,
  )
  .action((folder: string | undefined, options: CoverageOptions) => {
    process.exitCode = showCoverage(folder, options)
  })

function showCoverage(folder: string | undefined, options: CoverageOptions): number {
  const archive = openArchiveToRead(options.archive, note)
  try {
    const all = markMissing(readCoverage(archive))
    const below = folder === undefined ? undefined : isUrl(folder) ? folder : resolve(folder)
    const clips = below === undefined ? all : within(all, below)
    if (below !== undefined && clips.length === 0)
      note(`the archive knows of no clip below ${oneLine(below)}`)
    const listed = clips.filter(({ states }) =>
      options.state === undefined
        ? states.some((state) => state !== 'complete')
        : options.state.some((state) => states.includes(state)),
    )
    const sum = sumCoverage(clips)
    if (options.json) printJson({ coverage: sum, folders: foldersOf(clips), clips: listed.map(toJson) })
    else {
      print(`archive ${archive.dir}: ${sumText(sum)}`)
      for (const { folder: name, ...own } of foldersOf(clips)) print(`  ${oneLine(name)}: ${sumText(own)}`)
      for (const clip of listed) printClip(clip)
    }
    return sum.incomplete > 0 ? exitCodes.someFailed : exitCodes.ok
  } finally {
    archive.close()
  }
}

const foldersOf = (clips: readonly ClipCoverage[]) =>
  [...byFolder(clips)].map(([folder, own]) => ({ folder, ...sumCoverage(own) }))

function sumText(sum: CoverageSum): string {
  const against = statesText(sum)
  const looked = `${shareText(sum.lookedAtHours, sum.hours)} looked at`
  return `${counted(sum.clips, 'clip')}, ${looked}${against === '' ? '' : `: ${against}`}`
}

function printClip(clip: ClipCoverage): void {
  print(oneLine(clip.paths[0] ?? `clip ${clip.clipId?.slice(0, 12) ?? ''}`))
  for (const line of unseenLines(clip)) print(`    ${line}`)
}

function toJson(clip: ClipCoverage) {
  const { clipId, paths, states, code, message } = clip
  return {
    clipId: clipId ?? null,
    path: paths[0] ?? null,
    paths,
    ...toCoverageJson(clip),
    ...(code === undefined ? {} : { code, message }),
    ...(states.includes('missing') ? { missing: true } : {}),
  }
}
