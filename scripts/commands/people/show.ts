import { Command, Option } from 'commander'
import { openArchiveToRead, openFilledArchive, type Archive } from '../../../index/archive/open-archive.js'
import { hitsOfPerson } from '../../../index/editing/hits.js'
import { keepLastAnswer } from '../../../index/editing/last-answer.js'
import { nameOfPerson } from '../../../index/people/find-person.js'
import { showPerson, type ShownGroup } from '../../../index/people/show-person.js'
import { CameoError, messageOf } from '../../../pipeline/common/errors.js'
import { writePrivateFile } from '../../../pipeline/common/private-files.js'
import {
  formatHelp,
  formatOptions,
  printEdit,
  wantsJson,
  type FormatOptions,
} from '../../cli/format-options.js'
import { archiveOption, jsonOption, numberWithin } from '../../cli/options.js'
import { exitCodes, note, printJson } from '../../cli/output.js'
import { idOf } from '../../cli/person-id.js'
import { contactSheet } from '../../reports/contact-sheet.js'
import { tellDamaged } from '../../reports/damage-report.js'
import { printShownGroup, sheetOfPerson, shownGroupJson, summaryText } from '../../reports/groups-report.js'

interface ShowOptions extends FormatOptions {
  readonly archive: string
  readonly top?: number
  readonly html?: string
}

export const showCommand = new Command('show')
  .description('Show the clips in which a person is seen, with times.')
  .argument('<id>', 'number of the person, as "cameo people list" shows it', idOf)
  .addOption(archiveOption())
  .addOption(
    new Option('--top <n>', 'the largest number of clips').argParser(numberWithin(1, 1_000_000, 'integer')),
  )
  .addOption(new Option('--html <file>', 'also write a contact sheet, which shows who it is'))
  .addOption(jsonOption())
  .addHelpText(
    'after',
    `
Clips that are most like the person come first: the score is the cosine similarity of the best track to the mean of all tracks. What does
not belong comes last; "cameo people split" takes it out.
With --json: {query: {kind: "person", value}, person: {personId, name, hidden, tracks, clips, seenS, firstSeen, lastSeen},
results: [{clipId, path, score, durationS, ranges: [{startS, endS, trackId, score}], faces: [{timeS, boxXyxyPx, quality}], thumbnail,
missing?}], damaged}. "cameo cut" and "cameo play" take this answer.
${formatHelp('of a cut in which the hits follow each other')}
Exit code: 0 the person is shown; 2 it could not be.`,
  )
  .action(async (personId: number, options: ShowOptions) => {
    const { archive } = openFilledArchive(options.archive, note, openArchiveToRead)
    try {
      const shown = showPerson(archive, { personId, top: options.top }, { notify: note })
      tellDamaged(archive, shown.damaged)
      await tell(shown, archive, options)
      process.exitCode = exitCodes.ok
    } finally {
      archive.close()
    }
  })

for (const option of formatOptions()) showCommand.addOption(option)

async function tell(shown: ShownGroup, archive: Archive, options: ShowOptions): Promise<void> {
  const json = shownGroupJson(shown)
  if (options.html !== undefined) writeSheet(options.html, shown)
  keepLastAnswer(archive, json, note)
  const edit = () => ({ hits: hitsOfPerson(shown), title: nameOfPerson(shown.person), isOfOneClip: false })
  if (await printEdit(edit, options)) return
  if (wantsJson(options)) printJson(json)
  else printShownGroup(shown)
}

function writeSheet(file: string, shown: ShownGroup): void {
  const { person } = shown
  const sheet = contactSheet(
    nameOfPerson(person),
    person.thumbnailJpeg,
    sheetOfPerson(shown),
    summaryText(person).trim(),
  )
  try {
    writePrivateFile(file, sheet)
  } catch (cause) {
    throw new CameoError('USAGE', `the contact sheet ${file} cannot be written: ${messageOf(cause)}`, {
      cause,
    })
  }
  note(`wrote ${file}`)
}
