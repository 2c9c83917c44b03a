import { Command, Option } from 'commander'
import { openFilledArchive } from '../../../index/archive/open-archive.js'
import { describeName, giveAlias, takeAlias } from '../../../index/identities/describe-name.js'
import { parseName } from '../../../index/identities/identities.js'
import { namePart } from '../../../index/audit/use-entries.js'
import { audited } from '../../cli/audited.js'
import { archiveOption, jsonOption } from '../../cli/options.js'
import { exitCodes, note, oneLine, print, printJson } from '../../cli/output.js'

interface AliasOptions {
  readonly archive: string
  readonly remove: boolean
  readonly json: boolean
}

export const aliasCommand = new Command('alias')
  .description('Give a name an alias, which answers wherever the name does.')
  .argument('<name>', 'an enrolled name', parseName)
  .argument('<alias>', 'another name of the same person', parseName)
  .addOption(archiveOption())
  .addOption(new Option('--remove', 'take the alias away').default(false))
  .addOption(jsonOption())
  .addHelpText(
    'after',
    `
No two people have the same name or alias.
With --json: {name, aliases, note}.
Exit code: 0 it is done; 2 it could not be, for example because the alias belongs to somebody else.`,
  )
  .action(async (given: string, alias: string, { archive, remove, json }: AliasOptions) => {
    const opened = openFilledArchive(archive, note)
    try {
      const { database } = opened.archive
      const name = (remove ? takeAlias : giveAlias)(database, given, alias)
      const { aliases, note: text } = describeName(database, name)
      await audited(archive, () => [
        {
          action: 'name',
          details: { alias: remove ? 'removed' : 'given' },
          parts: [namePart(name, { alias })],
        },
      ])
      if (json) printJson({ name, aliases, note: text ?? null })
      else
        print(
          aliases.length === 0
            ? `"${oneLine(name)}" has no aliases`
            : `"${oneLine(name)}" is also ${aliases.map((each) => `"${oneLine(each)}"`).join(', ')}`,
        )
    } finally {
      opened.archive.close()
    }
    process.exitCode = exitCodes.ok
  })
