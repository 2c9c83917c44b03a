import { basename } from 'node:path'
import { Command } from 'commander'
import type { Archive } from '../../index/archive/open-archive.js'
import { showClip, type ShownClip } from '../../index/clips/show-clip.js'
import { hitsOfClip } from '../../index/editing/hits.js'
import { keepLastAnswer } from '../../index/editing/last-answer.js'
import { exportEntry, viewClipEntry } from '../../index/audit/use-entries.js'
import { audited, exportedFormats, reasonOptions, type ReasonOptions } from '../cli/audited.js'
import { askArchive } from './ask-archive.js'
import { formatHelp, formatOptions, printEdit, wantsJson, type FormatOptions } from '../cli/format-options.js'
import { archiveOption, expectFalseOption, jsonOption, minScoreOption } from '../cli/options.js'
import { exitCodes, note, printJson } from '../cli/output.js'
import { printShown, shownClipJson } from '../reports/people-report.js'

interface ShowOptions extends FormatOptions, ReasonOptions {
  readonly archive: string
  readonly minScore?: number
  readonly expectFalse?: number
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
A track has the enrolled name that its faces match best, if it reaches the threshold that a search has. Other tracks have the name of
the person into whom "cameo people group" grouped them, or that person's number (personId in JSON); a track that was not grouped is
listed by itself. People with names come first, then those who are seen longest.
With --json: {clipId, path, paths, date, durationS, missing?, threshold, thresholdReason,
people: [{name, personId, score, seenS, trackIds, ranges: [{startS, endS, trackId, score}], faces: [{timeS, boxXyxyPx, quality}], thumbnail}],
coverage, damaged}. name and score are null of people without a name,
personId of tracks that were not grouped. coverage says what of the clip was not looked at.
${formatHelp('of the clip')}
Exit code: 0 the clip is shown; 2 it could not be.`,
  )
  .action(async (clip: string, options: ShowOptions) => {
    const { archive, minScore, expectFalse } = options
    await askArchive(
      archive,
      (parts, caller) => showClip(parts, { clip, minScore, expectFalse }, caller),
      (shown, own) => tell(shown, own, options),
    )
    process.exitCode = exitCodes.ok
  })

for (const option of [...formatOptions(), ...reasonOptions()]) showCommand.addOption(option)

async function tell(shown: ShownClip, archive: Archive, options: ShowOptions): Promise<void> {
  const names = shown.people.flatMap(({ name }) => (name === undefined ? [] : [name]))
  await audited(
    archive.dir,
    () => [
      viewClipEntry(shown),
      ...exportedFormats(options).map((format) => exportEntry(format, hitsOfClip(shown), names)),
    ],
    options,
  )
  const json = shownClipJson(shown)
  keepLastAnswer(archive, json, note)
  const edit = () => ({ hits: hitsOfClip(shown), title: basename(shown.path), isOfOneClip: true })
  if (await printEdit(edit, options)) return
  if (wantsJson(options)) printJson(json)
  else printShown(shown)
}
