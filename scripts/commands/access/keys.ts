import { Command, Option } from 'commander'
import { createApiKey, listApiKeys, revokeApiKey } from '../../../index/access/api-keys.js'
import { roleNames, type Role } from '../../../index/access/roles.js'
import { userNamed } from '../../../index/access/users.js'
import { archiveOption, jsonOption, listOf, numberWithin } from '../../cli/options.js'
import { note, oneLine, print, printJson } from '../../cli/output.js'
import { keyJson, keyLine } from '../../reports/access-report.js'
import { idsOfCollections, noteChange, roleOf, useAccess } from './use-access.js'

interface KeyOptions {
  readonly archive: string
  readonly json: boolean
}

interface CreateOptions extends KeyOptions {
  readonly name: string
  readonly role: readonly Role[]
  readonly collection?: readonly string[]
  readonly expires: number
}

const jsonHelp =
  'keyId, user, name, roles, collections, createdAt, expiresAt, usedAt}; collections is "all" or names, usedAt is null of a key that was never used'

const listCommand = new Command('list')
  .description('List the API keys, the oldest first. The keys themselves are not stored.')
  .addOption(new Option('--user <name>', 'only keys of this user'))
  .addOption(archiveOption())
  .addOption(jsonOption())
  .addHelpText('after', `\nWith --json: {keys: [{${jsonHelp.replace('}', '}]}')}.`)
  .action(({ archive, json, user }: KeyOptions & { readonly user?: string }) =>
    useAccess(archive, (access) => {
      const keys = listApiKeys(access, user === undefined ? undefined : userNamed(access, user).userId)
      if (json) printJson({ keys: keys.map((key) => keyJson(access, key)) })
      else if (keys.length === 0) print('there are no keys')
      else for (const key of keys) print(keyLine(access, key))
    }),
  )

const createCommand = new Command('create')
  .description('Make an API key. It is shown once.')
  .argument('<user>', 'the user in whose name the key asks')
  .addOption(new Option('--name <text>', 'what the key is for').makeOptionMandatory())
  .addOption(
    new Option('--role <role>', 'what the key may do, at most what its user may do; may be repeated')
      .choices(roleNames)
      .argParser(listOf(roleOf))
      .makeOptionMandatory(),
  )
  .addOption(
    new Option(
      '--collection <name>',
      'what the key may see of what its user may see; may be repeated (default: all of it)',
    ).argParser(listOf((text) => text)),
  )
  .addOption(
    new Option('--expires <days>', 'the key works for so many days')
      .default(90)
      .argParser(numberWithin(0.01, 366)),
  )
  .addOption(archiveOption())
  .addOption(jsonOption())
  .addHelpText('after', `\nWith --json: {key, ${jsonHelp}.`)
  .action((user: string, { archive, json, name, role, collection, expires }: CreateOptions) =>
    useAccess(archive, async (access) => {
      const { text, ...key } = createApiKey(access, {
        ...{ userId: userNamed(access, user).userId, name, roles: role },
        collections: collection === undefined ? undefined : idsOfCollections(access, collection),
        expiresAt: new Date(access.now() + expires * 24 * 3600_000),
      })
      await noteChange(archive, { kind: 'key-create', key })
      if (json) {
        printJson({ key: text, ...keyJson(access, key) })
        return
      }
      note('this key is shown only now:')
      print(text)
    }),
  )

const revokeCommand = new Command('revoke')
  .description('Revoke an API key, so that it no longer works.')
  .argument('<id>', 'id of the key: the part of its text between the underscores')
  .addOption(archiveOption())
  .addOption(jsonOption())
  .addHelpText('after', '\nWith --json: {revoked: keyId}.')
  .action((keyId: string, { archive, json }: KeyOptions) =>
    useAccess(archive, async (access) => {
      revokeApiKey(access, keyId)
      await noteChange(archive, { kind: 'key-revoke', keyId })
      if (json) printJson({ revoked: keyId })
      else print(`the key ${oneLine(keyId)} is revoked`)
    }),
  )

export const keysCommand = new Command('keys')
  .description('Manage the keys with which programs ask.')
  .addCommand(listCommand)
  .addCommand(createCommand)
  .addCommand(revokeCommand)
