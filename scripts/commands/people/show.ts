import { Command, Option } from 'commander'
import {
  openArchiveToRead,
  openFilledArchive,
  type Archive,
  type FilledArchive,
} from '../../../index/archive/open-archive.js'
import { exportEntry, viewPersonEntry } from '../../../index/audit/use-entries.js'
import { hitsOfPerson } from '../../../index/editing/hits.js'
import { keepLastAnswer } from '../../../index/editing/last-answer.js'
import { knownName, parseName } from '../../../index/identities/identities.js'
import { nameOfPerson } from '../../../index/people/find-person.js'
import { showPerson, type ShownGroup } from '../../../index/people/show-person.js'
import { findIdentity } from '../../../index/store/identities.js'
import { CameoError } from '../../../pipeline/common/errors.js'
import { audited, exportedFormats, reasonOptions, type ReasonOptions } from '../../cli/audited.js'
import {
  formatHelp,
  formatOptions,
  printEdit,
  wantsJson,
  type FormatOptions,
} from '../../cli/format-options.js'
import { archiveOption, jsonOption, numberWithin } from '../../cli/options.js'
import { exitCodes, note, printJson } from '../../cli/output.js'
import { contactSheet } from '../../reports/contact-sheet.js'
import { tellDamaged } from '../../reports/damage-report.js'
import { printShownGroup, sheetOfPerson, shownGroupJson, summaryText } from '../../reports/groups-report.js'
import { nameHelp, tellName } from './show-name.js'
import { writeSheet } from './write-sheet.js'

interface ShowOptions extends FormatOptions, ReasonOptions {
  readonly archive: string
  readonly top?: number
  readonly html?: string
}

export const showCommand = new Command('show')
  .description('Show the clips of a person without a name, or what a name rests on.')
  .argument('<person>', 'number of a person, as "cameo people list" shows it, or an enrolled name or alias')
  .addOption(archiveOption())
  .addOption(
    new Option('--top <n>', 'of a number: the largest number of clips').argParser(
      numberWithin(1, 1_000_000, 'integer'),
    ),
  )
  .addOption(new Option('--html <file>', 'also write a contact sheet with the faces'))
  .addOption(jsonOption())
  .addHelpText(
    'after',
    `
A number shows the clips of that person. Clips that are most like the person come first: the score is the cosine similarity of the best
track to the mean of all tracks. What does not belong comes last; "cameo people split" takes it out.
With --json: {query: {kind: "person", value}, person: {personId, name, hidden, tracks, clips, seenS, firstSeen, lastSeen},
results: [{clipId, path, score, durationS, ranges: [{startS, endS, trackId, score}], faces: [{timeS, boxXyxyPx, quality}], thumbnail,
missing?}], damaged}. "cameo cut" and "cameo play" take this answer.
${formatHelp('of a cut in which the hits follow each other')}

${nameHelp}
Exit code: 0 the person or the name is shown; 2 it could not be.`,
  )
  .action(async (given: string, options: ShowOptions) => {
    const opened = openFilledArchive(options.archive, note, openArchiveToRead)
    try {
      const personId = personIdOf(opened, given)
      if (personId === undefined) await tellName(opened, parseName(given), forName(options))
      else await tellPerson(opened.archive, personId, options)
      process.exitCode = exitCodes.ok
    } finally {
      opened.archive.close()
    }
  })

for (const option of [...formatOptions(), ...reasonOptions()]) showCommand.addOption(option)

/** Undefined if a name is meant. A name may consist of digits. */
function personIdOf({ archive: { database } }: FilledArchive, given: string): number | undefined {
  const isName = findIdentity(database, knownName(database, parseName(given))) !== undefined
  return isName || !/^[1-9]\d{0,14}$/.test(given) ? undefined : Number(given)
}

function forName(options: ShowOptions) {
  const { format, top, html, purpose, case: caseNumber } = options
  if (top !== undefined || (format !== undefined && format !== 'json'))
    throw new CameoError(
      'USAGE',
      'a name shows its faces, not clips: "cameo search --name" lists the clips of a name',
    )
  const reason = {
    ...(purpose === undefined ? {} : { purpose }),
    ...(caseNumber === undefined ? {} : { case: caseNumber }),
  }
  return { html, json: wantsJson(options), reason }
}

async function tellPerson(archive: Archive, personId: number, options: ShowOptions): Promise<void> {
  const shown = showPerson(archive, { personId, top: options.top }, { notify: note })
  tellDamaged(archive, shown.damaged)
  const { name } = shown.person
  const formats = [...(options.html === undefined ? [] : ['html']), ...exportedFormats(options)]
  await audited(
    archive.dir,
    () => [
      viewPersonEntry(shown),
      ...formats.map((each) => exportEntry(each, hitsOfPerson(shown), name === undefined ? [] : [name])),
    ],
    options,
  )
  const json = shownGroupJson(shown)
  if (options.html !== undefined) writeSheet(options.html, sheetOf(shown))
  keepLastAnswer(archive, json, note)
  const edit = () => ({ hits: hitsOfPerson(shown), title: nameOfPerson(shown.person), isOfOneClip: false })
  if (await printEdit(edit, options)) return
  if (wantsJson(options)) printJson(json)
  else printShownGroup(shown)
}

const sheetOf = (shown: ShownGroup) =>
  contactSheet(
    nameOfPerson(shown.person),
    shown.person.thumbnailJpeg,
    sheetOfPerson(shown),
    summaryText(shown.person).trim(),
  )
