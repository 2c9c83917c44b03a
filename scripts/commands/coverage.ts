import { Command, Option } from 'commander'
import { openArchiveToRead } from '../../index/archive/open-archive.js'
import { coverageStates, type CoverageState } from '../../index/coverage/clip-coverage.js'
import type { ClipCoverage } from '../../index/coverage/read-coverage.js'
import { reportCoverage } from '../../index/coverage/report-coverage.js'
import type { CoverageSum } from '../../index/coverage/sum-coverage.js'
import { shareText, statesText, toCoverageJson, unseenLines } from '../reports/coverage-text.js'
import { archiveOption, jsonOption } from '../cli/options.js'
import { counted, exitCodes, note, oneLine, print, printJson } from '../cli/output.js'

interface CoverageOptions {
  readonly archive: string
  readonly state?: readonly CoverageState[]
  readonly json: boolean
}

export const coverageCommand = new Command('coverage')
  .description('Show how much of the video was looked at, by folder, and what is missing of each clip.')
  .argument('[folder]', 'only the clips below it')
  .addOption(archiveOption())
  .addOption(new Option('--state <states...>', 'list only clips in these states').choices(coverageStates))
  .addOption(jsonOption())
  .addHelpText(
    'after',
    `
A clip is complete if all of it was looked at. Otherwise it is: unfinished (an ingest was stopped, or has not reached the clip; run it
again), failed (nothing could be read), partial (segments could not be processed), truncated (the file is cut off), damaged (stretches
could not be decoded), left-out (something in it is not looked at, for example a second video stream). It may also be face-less
(no face was found), unnamed-erased (people without names were erased because of their age), missing (its file is not there any
more) or forgotten. All clips that are not complete are listed.
With --json: {coverage: {clips, incomplete, unknownLength, hours, lookedAtHours, notLookedAtHours, states: {STATE: clips}},
folders: [{folder, ...the same}], clips: [{clipId, path, paths, states, durationS, lookedAtS, notLookedAtS,
notLookedAt: [{startS, endS, state, code?, message?}], leftOut, code?, message?, missing?}]}; null means unknown.
Exit code: 0 every clip was fully looked at, 1 some were not (independent of --state), 2 the command could not run.`,
  )
  .action((folder: string | undefined, options: CoverageOptions) => {
    process.exitCode = showCoverage(folder, options)
  })

function showCoverage(folder: string | undefined, { archive: dir, state, json }: CoverageOptions): number {
  const archive = openArchiveToRead(dir, note)
  try {
    const { sum, folders, clips } = reportCoverage(archive, { folder, states: state }, { notify: note })
    if (json) printJson({ coverage: sum, folders, clips: clips.map(toJson) })
    else {
      print(`archive ${dir}: ${sumText(sum)}`)
      for (const { folder: name, ...own } of folders) print(`  ${oneLine(name)}: ${sumText(own)}`)
      for (const clip of clips) printClip(clip)
    }
    return sum.incomplete > 0 ? exitCodes.someFailed : exitCodes.ok
  } finally {
    archive.close()
  }
}

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
