import { Command, Option } from 'commander'
import { openIndexFor } from '../../../index/archive/use-index.js'
import { openFilledArchive } from '../../../index/archive/open-archive.js'
import { groupPeople } from '../../../index/people/group-people.js'
import { findPack } from '../../../pipeline/models/packs/catalog.js'
import { asCaller } from '../../cli/caller.js'
import { archiveOption, jsonOption, numberWithin } from '../../cli/options.js'
import { exitCodes, note, print, printJson } from '../../cli/output.js'
import { untilStopped } from '../../cli/until-stopped.js'
import { groupingText } from '../../reports/groups-report.js'

interface GroupOptions {
  readonly archive: string
  readonly again: boolean
  readonly minSimilarity?: number
  readonly json: boolean
}

export const groupCommand = new Command('group')
  .description('Group tracks that show the same face into people. New clips join the people who are known.')
  .addOption(archiveOption())
  .addOption(
    new Option('--again', 'group all tracks again; people keep their ids, names and corrections').default(
      false,
    ),
  )
  .addOption(
    new Option(
      '--min-similarity <s>',
      'the cosine similarity from which two sharp faces are one person, instead of the default; blurred faces need more',
    ).argParser(numberWithin(-1, 1)),
  )
  .addOption(jsonOption())
  .addHelpText(
    'after',
    `
A person has two tracks or more; tracks that are like no others stay without one. Two tracks that share frames are two people. The
default similarity follows from the models and from the number of tracks. Everything is written at the end, at once; a grouping that is
stopped changes nothing.
With --json: {tracks, grouped, people, added, changed, minSimilarity}: grouped tracks have a person now, added people are new, changed
tracks got a person or another one.
Exit code: 0 grouped; 2 it could not be; ${exitCodes.interrupted} it was stopped.`,
  )
  .action(async ({ archive, again, minSimilarity, json }: GroupOptions) => {
    const opened = openFilledArchive(archive, note)
    try {
      const report = await untilStopped((signal) =>
        asCaller((caller) =>
          groupPeople(
            {
              opened,
              models: { pack: findPack(opened.recipe.packName) },
              useIndex: openIndexFor(opened.archive, caller),
            },
            { again, minSimilarity, signal },
            caller,
          ),
        ),
      )
      if (json) printJson(report)
      else print(groupingText(report))
      process.exitCode = exitCodes.ok
    } finally {
      opened.archive.close()
    }
  })
