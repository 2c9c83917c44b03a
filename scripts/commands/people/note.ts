import { Command } from 'commander'
import { openFilledArchive } from '../../../index/archive/open-archive.js'
import { describeName, noteName } from '../../../index/identities/describe-name.js'
import { parseName } from '../../../index/identities/identities.js'
import { namePart } from '../../../index/audit/use-entries.js'
import { audited } from '../../cli/audited.js'
import { archiveOption, jsonOption } from '../../cli/options.js'
import { exitCodes, note, oneLine, print, printJson } from '../../cli/output.js'

interface NoteOptions {
  readonly archive: string
  readonly json: boolean
}

export const noteCommand = new Command('note')
  .description('Write a note about a name. It replaces the note before; an empty one removes it.')
  .argument('<name>', 'an enrolled name, or an alias', parseName)
  .argument('<text>', 'the note')
  .addOption(archiveOption())
  .addOption(jsonOption())
  .addHelpText(
    'after',
    `
With --json: {name, aliases, note}.
Exit code: 0 it is written; 2 it could not be.`,
  )
  .action(async (given: string, text: string, { archive, json }: NoteOptions) => {
    const opened = openFilledArchive(archive, note)
    try {
      const { database } = opened.archive
      const name = noteName(database, given, text)
      const { aliases, note: written } = describeName(database, name)
      await audited(archive, () => [{ action: 'name', details: { note: true }, parts: [namePart(name)] }])
      if (json) printJson({ name, aliases, note: written ?? null })
      else print(written === undefined ? `"${oneLine(name)}" has no note` : `noted about "${oneLine(name)}"`)
    } finally {
      opened.archive.close()
    }
    process.exitCode = exitCodes.ok
  })
