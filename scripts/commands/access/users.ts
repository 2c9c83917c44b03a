import { Argument, Command, Option } from 'commander'
import { roleNames, type Role } from '../../../index/access/roles.js'
import {
  changeUser,
  createUser,
  deleteUser,
  listUsers,
  setPassword,
  userNamed,
} from '../../../index/access/users.js'
import { archiveOption, jsonOption, listOf } from '../../cli/options.js'
import { oneLine, print, printJson } from '../../cli/output.js'
import { readNewPassword } from '../../cli/password.js'
import { listUsersAs, printUser, userJson } from '../../reports/access-report.js'
import { idsOfCollections, noteChange, roleOf, useAccess } from './use-access.js'

interface UserOptions {
  readonly archive: string
  readonly json: boolean
}

interface AddOptions extends UserOptions {
  readonly role: readonly Role[]
  readonly collection?: readonly string[]
}

const jsonHelp = `
With --json: {userId, name, roles, disabled, password, collections, createdAt}; password says whether there is one, collections is "all"
or the names of those that the user may see.`

const passwordHelp = `
The password is asked for without showing it; if standard input is not a terminal, it is the first line of it.`

const onArchive = (command: Command) => command.addOption(archiveOption()).addOption(jsonOption())

const listCommand = onArchive(new Command('list').description('List the users in order of their names.'))
  .addHelpText('after', jsonHelp.replace('{', '{users: [{').replace('}', '}]}'))
  .action(({ archive, json }: UserOptions) =>
    useAccess(archive, (access) => listUsersAs(json, access, listUsers(access))),
  )

const addCommand = onArchive(new Command('add').description('Add a user with a password.'))
  .argument('<name>', 'name of the user')
  .addOption(
    new Option('--role <role>', 'what the user may do; may be repeated')
      .choices(roleNames)
      .argParser(listOf(roleOf))
      .makeOptionMandatory(),
  )
  .addOption(
    new Option(
      '--collection <name>',
      'what the user may see; may be repeated (default: all for curators and administrators, nothing for others)',
    ).argParser(listOf((text) => text)),
  )
  .addHelpText('after', passwordHelp + jsonHelp)
  .action((name: string, { archive, role, collection, json }: AddOptions) =>
    useAccess(archive, async (access) => {
      const collections = collection === undefined ? undefined : idsOfCollections(access, collection)
      const password = await readNewPassword(name)
      const user = await createUser(access, { name, roles: role, password, collections })
      await noteChange(archive, { kind: 'user-create', user })
      if (json) printJson(userJson(access, user))
      else printUser(access, user)
    }),
  )

const rolesCommand = onArchive(
  new Command('roles').description('Replace the roles of a user. It ends all sessions of the user.'),
)
  .argument('<name>', 'name of the user')
  .addArgument(new Argument('<roles...>', 'all roles that the user has from now on').choices(roleNames))
  .addHelpText('after', jsonHelp)
  .action((name: string, roles: readonly Role[], { archive, json }: UserOptions) =>
    useAccess(archive, async (access) => {
      const user = changeUser(access, userNamed(access, name).userId, { roles })
      await noteChange(archive, { kind: 'user-change', user, changed: ['roles'] })
      if (json) printJson(userJson(access, user))
      else printUser(access, user)
    }),
  )

const disableCommand = onArchive(
  new Command('disable').description(
    'Keep a user from signing in. It ends all sessions, and the keys of the user do not work.',
  ),
)
  .argument('<name>', 'name of the user')
  .addOption(new Option('--undo', 'let the user sign in again').default(false))
  .addHelpText('after', jsonHelp)
  .action((name: string, { archive, json, undo }: UserOptions & { readonly undo: boolean }) =>
    useAccess(archive, async (access) => {
      const user = changeUser(access, userNamed(access, name).userId, { isDisabled: !undo })
      await noteChange(archive, { kind: 'user-change', user, changed: ['isDisabled'] })
      if (json) printJson(userJson(access, user))
      else printUser(access, user)
    }),
  )

const passwordCommand = onArchive(
  new Command('password').description('Set the password of a user. It ends all sessions of the user.'),
)
  .argument('<name>', 'name of the user')
  .addHelpText('after', passwordHelp + jsonHelp)
  .action((given: string, { archive, json }: UserOptions) =>
    useAccess(archive, async (access) => {
      const { userId, name } = userNamed(access, given)
      await setPassword(access, userId, await readNewPassword(name))
      const user = userNamed(access, name)
      await noteChange(archive, { kind: 'user-change', user, changed: ['password'] })
      if (json) printJson(userJson(access, user))
      else print(`the password of "${oneLine(name)}" is set`)
    }),
  )

const deleteCommand = onArchive(
  new Command('delete').description('Delete a user with all sessions and keys.'),
)
  .argument('<name>', 'name of the user')
  .addHelpText('after', '\nWith --json: {deleted: name}.')
  .action((given: string, { archive, json }: UserOptions) =>
    useAccess(archive, async (access) => {
      const { userId, name } = userNamed(access, given)
      deleteUser(access, userId)
      await noteChange(archive, { kind: 'user-delete', userId })
      if (json) printJson({ deleted: name })
      else print(`the user "${oneLine(name)}" is deleted`)
    }),
  )

export const usersCommand = new Command('users')
  .description('Manage who may sign in.')
  .addCommand(listCommand)
  .addCommand(addCommand)
  .addCommand(rolesCommand)
  .addCommand(disableCommand)
  .addCommand(passwordCommand)
  .addCommand(deleteCommand)
