import { Command, Option } from 'commander'
import { grantCollections, revokeCollections } from '../../../index/access/change-grants.js'
import {
  collectionNamed,
  createCollection,
  deleteCollection,
  listCollections,
} from '../../../index/access/collections.js'
import { userNamed } from '../../../index/access/users.js'
import { CameoError } from '../../../pipeline/common/errors.js'
import { archiveOption, jsonOption } from '../../cli/options.js'
import { oneLine, print, printJson } from '../../cli/output.js'
import { collectionJson, collectionLine, printUser, userJson } from '../../reports/access-report.js'
import { idsOfCollections, noteChange, useAccess } from './use-access.js'

interface CollectionOptions {
  readonly archive: string
  readonly json: boolean
}

const jsonHelp = '{collectionId, name, folders, createdAt}'

const onArchive = (command: Command) => command.addOption(archiveOption()).addOption(jsonOption())

const listCommand = onArchive(
  new Command('list').description('List the collections in order of their names.'),
)
  .addHelpText('after', `\nWith --json: {collections: [${jsonHelp}]}.`)
  .action(({ archive, json }: CollectionOptions) =>
    useAccess(archive, (access) => {
      const collections = listCollections(access)
      if (json) printJson({ collections: collections.map(collectionJson) })
      else if (collections.length === 0) print('there are no collections')
      else for (const collection of collections) print(collectionLine(collection))
    }),
  )

const addCommand = onArchive(
  new Command('add').description('Make a collection of all clips with a file below some folders or URLs.'),
)
  .argument('<name>', 'name of the collection')
  .argument('<folders...>', 'folders or URLs')
  .addHelpText('after', `\nWith --json: ${jsonHelp}.`)
  .action((name: string, folders: readonly string[], { archive, json }: CollectionOptions) =>
    useAccess(archive, async (access) => {
      const collection = createCollection(access, { name, folders })
      await noteChange(archive, { kind: 'collection-create', collection })
      if (json) printJson(collectionJson(collection))
      else print(collectionLine(collection))
    }),
  )

const removeCommand = onArchive(
  new Command('remove').description('Remove a collection with all its grants. Its clips stay.'),
)
  .argument('<name>', 'name of the collection')
  .addHelpText('after', '\nWith --json: {removed: name}.')
  .action((given: string, { archive, json }: CollectionOptions) =>
    useAccess(archive, async (access) => {
      const { collectionId, name } = collectionNamed(access, given)
      deleteCollection(access, collectionId)
      await noteChange(archive, { kind: 'collection-delete', collectionId })
      if (json) printJson({ removed: name })
      else print(`the collection "${oneLine(name)}" is removed`)
    }),
  )

const grantCommand = ofUser(
  new Command('grant').description('Let a user see further collections.'),
  'let the user see the whole archive',
  grantCollections,
)

const revokeCommand = ofUser(
  new Command('revoke').description('Hide collections from a user.'),
  'hide everything from the user',
  revokeCollections,
)

/** A command that changes what a user may see. */
function ofUser(command: Command, allText: string, change: typeof grantCollections): Command {
  return onArchive(command)
    .argument('<user>', 'name of the user')
    .argument('[collections...]', 'names of collections')
    .addOption(new Option('--all', allText).default(false))
    .addHelpText(
      'after',
      `
With --json: {userId, name, roles, disabled, password, collections, createdAt}, as "cameo access users list".`,
    )
    .action(
      (user: string, names: readonly string[], options: CollectionOptions & { readonly all: boolean }) =>
        useAccess(options.archive, async (access) => {
          if (options.all === names.length > 0)
            throw new CameoError('USAGE', 'say which collections, or give --all')
          const wanted = options.all ? 'all' : idsOfCollections(access, names)
          const granted = change(access, userNamed(access, user).userId, wanted)
          await noteChange(options.archive, { kind: 'user-change', user: granted, changed: ['collections'] })
          if (options.json) printJson(userJson(access, granted))
          else printUser(access, granted)
        }),
    )
}

export const collectionsCommand = new Command('collections')
  .description('Manage parts of the archive, and who may see them.')
  .addCommand(listCommand)
  .addCommand(addCommand)
  .addCommand(removeCommand)
  .addCommand(grantCommand)
  .addCommand(revokeCommand)
