import { Command, Option } from 'commander'
import { openFilledArchive } from '../../../index/archive/open-archive.js'
import { parseName } from '../../../index/identities/identities.js'
import { namePerson } from '../../../index/people/name-person.js'
import { findPack } from '../../../pipeline/models/packs/catalog.js'
import { groupPart, namePart } from '../../../index/audit/use-entries.js'
import { audited } from '../../cli/audited.js'
import { archiveOption, jsonOption } from '../../cli/options.js'
import { counted, exitCodes, note, oneLine, print, printJson } from '../../cli/output.js'
import { idOf } from '../../cli/person-id.js'

interface NameOptions {
  readonly archive: string
  readonly force: boolean
  readonly json: boolean
}

export const nameCommand = new Command('name')
  .description('Give a person a name, so that you can search by name.')
  .argument('<id>', 'number of the person', idOf)
  .argument('<name>', 'the name', parseName)
  .addOption(archiveOption())
  .addOption(
    new Option('--force', 'give the name even if it has faces that do not match this person').default(false),
  )
  .addOption(jsonOption())
  .addHelpText(
    'after',
    `
The person's best faces, 20 at the most and from as many clips as possible, are enrolled under the name. "cameo search --name" finds
past and future clips with them. Forgetting a clip erases its faces here, too. "cameo people undo" takes the name back.
With --json: {change, personId, name, faces, added, others}: faces that the name has now, those added by this, and other people with
this name.
Exit code: 0 named; 2 not.`,
  )
  .action(async (personId: number, name: string, { archive, force, json }: NameOptions) => {
    const opened = openFilledArchive(archive, note)
    try {
      const pack = findPack(opened.recipe.packName)
      const { changeId, ...named } = namePerson(opened, { pack }, { personId, name, force })
      await audited(archive, () => [
        {
          action: 'name',
          details: { added: named.added, faces: named.faces },
          parts: [groupPart(personId), namePart(named.name)],
        },
      ])
      if (json) printJson({ change: changeId, ...named })
      else
        print(
          `person ${personId} is "${oneLine(named.name)}", enrolled with ${counted(named.faces, 'face')} (${named.added} added)`,
        )
      const [other] = named.others
      if (other !== undefined)
        note(`person ${other} has this name, too: "cameo people merge ${other} ${personId}" makes them one`)
      process.exitCode = exitCodes.ok
    } finally {
      opened.archive.close()
    }
  })
