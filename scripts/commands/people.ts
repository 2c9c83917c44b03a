import { Command } from 'commander'
import { groupCommand } from './people/group.js'
import { listCommand } from './people/list.js'
import { nameCommand } from './people/name.js'
import { showCommand } from './people/show.js'
import {
  hideCommand,
  logCommand,
  mergeCommand,
  splitCommand,
  undoCommand,
  unhideCommand,
} from './people/correct.js'

export const peopleCommand = new Command('people')
  .description('Group all faces into people without names; name and correct them.')
  .addCommand(groupCommand)
  .addCommand(listCommand)
  .addCommand(showCommand)
  .addCommand(nameCommand)
  .addCommand(mergeCommand)
  .addCommand(splitCommand)
  .addCommand(hideCommand)
  .addCommand(unhideCommand)
  .addCommand(logCommand)
  .addCommand(undoCommand)
