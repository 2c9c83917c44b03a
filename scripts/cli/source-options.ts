import { Option, type Command } from 'commander'
import { givenArchiveOption } from './options.js'

/** Where features come from, for commands that evaluate or train. */
export interface SourceOptions {
  readonly archive?: string
  readonly features?: readonly string[]
}

/** Which clips are ranked; for every command that measures. */
export const poolOption = () =>
  new Option(
    '--pool <clips>',
    'what is ranked: all clips except those of other lists (as iQIYI-VID does: a clip that no list names is a stranger), ' +
      'or only the clips of the ground truth',
  )
    .choices(['all', 'listed'])
    .default('all')

export function withSourceOptions(command: Command): Command {
  return command
    .addOption(givenArchiveOption('archive with the clips (default: ./cameo-data)'))
    .addOption(
      new Option(
        '--features <files...>',
        'feature files (.pickle, .npz, .npy) instead of an archive',
      ).conflicts('archive'),
    )
}
