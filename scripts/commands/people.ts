import { Command } from 'commander'
import { aliasCommand } from './people/alias.js'
import { exportCommand } from './people/export.js'
import { importCommand } from './people/import.js'
import { noteCommand } from './people/note.js'
import { refreshCommand } from './people/refresh.js'
import { showNameCommand } from './people/show-name.js'

export const peopleCommand = new Command('people')
  .description(
    'Look after the people of an archive: what a name rests on, its aliases and notes, files of names.',
  )
  .addCommand(showNameCommand)
  .addCommand(aliasCommand)
  .addCommand(noteCommand)
  .addCommand(exportCommand)
  .addCommand(importCommand)
  .addCommand(refreshCommand)
