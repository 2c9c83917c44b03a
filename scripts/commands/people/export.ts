import { Command, Option } from 'commander'
import { openArchiveToRead, openFilledArchive } from '../../../index/archive/open-archive.js'
import { exportNames } from '../../../index/identities/export-names.js'
import { namePart } from '../../../index/audit/use-entries.js'
import { listIdentities } from '../../../index/store/identities.js'
import { audited, reasonOptions, type ReasonOptions } from '../../cli/audited.js'
import { archiveOption, jsonOption } from '../../cli/options.js'
import { counted, exitCodes, note, oneLine, print, printJson } from '../../cli/output.js'
import { tellDamaged } from '../../reports/damage-report.js'

interface ExportOptions extends ReasonOptions {
  readonly archive: string
  readonly out: string
  readonly overwrite: boolean
  readonly json: boolean
}

export const exportCommand = new Command('export')
  .description(
    'Write all names into one file, for another archive: faces, pictures, aliases, notes, corrections.',
  )
  .requiredOption('-o, --out <file>', 'file to write, readable only by you')
  .addOption(archiveOption())
  .addOption(new Option('--overwrite', 'replace a file that is there already').default(false))
  .addOption(jsonOption())
  .addHelpText(
    'after',
    `
The file holds pictures of faces. Delete it when it is no longer needed: "cameo forget" does not reach it.
With --json: {file, names, faces, pictures, corrections, damaged}.
Exit code: 0 everything is written; 1 what is damaged was left out; 2 nothing was written.`,
  )
  .action(async (options: ExportOptions) => {
    const { archive, out, overwrite, json } = options
    const opened = openFilledArchive(archive, note, openArchiveToRead)
    try {
      const everybody = listIdentities(opened.archive.database).map(({ name }) => namePart(name))
      await audited(
        archive,
        () => [{ action: 'export', details: { format: 'names', names: everybody.length }, parts: everybody }],
        options,
      )
      const report = exportNames(opened.archive, { file: out, overwrite }, note)
      const { names, faces, pictures, corrections, damaged } = report
      tellDamaged(opened.archive, damaged)
      if (json) printJson({ file: out, ...report })
      else
        print(
          `${counted(names, 'name')} with ${counted(faces, 'face')} (${pictures} with pictures) and ${counted(corrections, 'correction')} written to ${oneLine(out)}`,
        )
      process.exitCode = damaged.length > 0 ? exitCodes.someFailed : exitCodes.ok
    } finally {
      opened.archive.close()
    }
  })

for (const option of reasonOptions()) exportCommand.addOption(option)
