import { Command, Option } from 'commander'
import { openArchiveToRead, openFilledArchive } from '../../../index/archive/open-archive.js'
import { parseName } from '../../../index/identities/identities.js'
import { showName } from '../../../index/identities/show-name.js'
import { writePrivateFile } from '../../../pipeline/common/private-files.js'
import { archiveOption, jsonOption } from '../../cli/options.js'
import { exitCodes, note, printJson } from '../../cli/output.js'
import { tellDamaged } from '../../reports/damage-report.js'
import { nameSheet } from '../../reports/name-sheet.js'
import { printShownName, shownNameJson } from '../../reports/name-report.js'

interface ShowNameOptions {
  readonly archive: string
  readonly html?: string
  readonly json: boolean
}

export const showNameCommand = new Command('show')
  .description('Show what a name rests on: its faces, aliases, note and corrections.')
  .argument('<name>', 'an enrolled name, or an alias', parseName)
  .addOption(archiveOption())
  .addOption(new Option('--html <file>', 'also write the faces as a contact sheet'))
  .addOption(jsonOption())
  .addHelpText(
    'after',
    `
Each face has the number that "cameo forget --name NAME --face N" takes, its file, its quality and its mean similarity to the faces of
the other files. A face is odd if it reaches the threshold of the models with fewer than half of the other files: look whether it shows
somebody else. Faces with a picture can be embedded by other models later.
With --json: {name, aliases, note, needsPhotos, otherFaces: {count, withPicture}, threshold,
faces: [{number, source, quality, similarity, odd, picture}], corrections: [{clipId, path, verdict, at, found, ranges}], damaged}.
picture is a data URI, or null; otherFaces counts faces that only other models have embedded.
Exit code: 0 the name is shown; 2 it could not be.`,
  )
  .action((name: string, options: ShowNameOptions) => {
    const opened = openFilledArchive(options.archive, note, openArchiveToRead)
    try {
      // Groups of people without names get their ids here.
      const shown = showName(opened, name, note)
      tellDamaged(opened.archive, shown.damaged)
      if (options.html !== undefined) writePrivateFile(options.html, nameSheet(shown))
      if (options.json) printJson(shownNameJson(shown))
      else printShownName(shown)
    } finally {
      opened.archive.close()
    }
    process.exitCode = exitCodes.ok
  })
