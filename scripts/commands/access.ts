import { Command } from 'commander'
import { collectionsCommand } from './access/collections.js'
import { keysCommand } from './access/keys.js'
import { settingsCommand } from './access/settings.js'
import { usersCommand } from './access/users.js'

export const accessCommand = new Command('access')
  .description('Manage who may use the server of an archive: users, keys, collections and settings.')
  .addCommand(usersCommand)
  .addCommand(keysCommand)
  .addCommand(collectionsCommand)
  .addCommand(settingsCommand)
