import { Command } from 'commander'
import { aliasCommand } from './people/alias.js'
import {
  hideCommand,
  logCommand,
  mergeCommand,
  splitCommand,
  undoCommand,
  unhideCommand,
} from './people/correct.js'
import { exportCommand } from './people/export.js'
import { groupCommand } from './people/group.js'
import { importCommand } from './people/import.js'
import { listCommand } from './people/list.js'
import { nameCommand } from './people/name.js'
import { noteCommand } from './people/note.js'
import { refreshCommand } from './people/refresh.js'
import { showCommand } from './people/show.js'

export const peopleCommand = new Command('people')
  .description(
    'Group faces into people without names, name and correct them; look after names: faces, aliases, notes and files.',
  )
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
  .addCommand(aliasCommand)
  .addCommand(noteCommand)
  .addCommand(exportCommand)
  .addCommand(importCommand)
  .addCommand(refreshCommand)
