import { Command } from 'commander'
import { showClip } from '../../index/clips/show-clip.js'
import { askArchive } from '../cli/archive-question.js'
import { archiveOption, expectFalseOption, jsonOption, minScoreOption } from '../cli/options.js'
import { exitCodes, printJson } from '../cli/output.js'
import { printShown, shownClipJson } from '../reports/people-report.js'

interface ShowOptions {
  readonly archive: string
  readonly minScore?: number
  readonly expectFalse?: number
  readonly json: boolean
}

export const showCommand = new Command('show')
  .description('Show who is in a clip, and when.')
  .argument('<clip>', 'id of the clip, its first digits, or the path of its file')
  .addOption(archiveOption())
  .addOption(minScoreOption())
  .addOption(expectFalseOption())
  .addOption(jsonOption())
  .addHelpText(
    'after',
    `
A track has the enrolled name that its faces match best, if it reaches the threshold that a search has. Other tracks are unnamed;
each is listed by itself. People with names come first, then those who are seen longest.
With --json: {clipId, path, paths, date, durationS, missing?, threshold, thresholdReason,
people: [{name, score, seenS, trackIds, ranges: [{startS, endS, trackId, score}], faces: [{timeS, boxXyxyPx, quality}], thumbnail}],
coverage, damaged}. name and score are null of people without a name. coverage says what of the clip was not looked at.
Exit code: 0 the clip is shown; 2 it could not be.`,
  )
  .action(async (clip: string, { archive, minScore, expectFalse, json }: ShowOptions) => {
    await askArchive(
      archive,
      (parts, caller) => showClip(parts, { clip, minScore, expectFalse }, caller),
      (shown) => (json ? printJson(shownClipJson(shown)) : printShown(shown)),
    )
    process.exitCode = exitCodes.ok
  })
