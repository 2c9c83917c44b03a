import { Command, Option } from 'commander'
import { openArchiveToRead } from '../../../index/archive/open-archive.js'
import { listGroups } from '../../../index/people/list-groups.js'
import { archiveOption, jsonOption, numberWithin } from '../../cli/options.js'
import { exitCodes, note, printJson } from '../../cli/output.js'
import { peoplePageJson, printPeoplePage } from '../../reports/groups-report.js'

interface ListOptions {
  readonly archive: string
  readonly unnamed: boolean
  readonly named: boolean
  readonly hidden: boolean
  readonly minTracks: number
  readonly limit: number
  readonly after?: string
  readonly json: boolean
}

export const listCommand = new Command('list')
  .description('List people, those with most tracks first.')
  .addOption(archiveOption())
  .addOption(new Option('--unnamed', 'only people without a name').default(false).conflicts('named'))
  .addOption(new Option('--named', 'only people with a name').default(false))
  .addOption(new Option('--hidden', 'only hidden people').default(false))
  .addOption(
    new Option('--min-tracks <n>', 'only people with so many tracks or more')
      .default(1)
      .argParser(numberWithin(1, 1e9, 'integer')),
  )
  .addOption(
    new Option('--limit <n>', 'the largest number of people')
      .default(50)
      .argParser(numberWithin(1, 100_000, 'integer')),
  )
  .addOption(new Option('--after <entry>', 'begin after this entry: the next page'))
  .addOption(jsonOption())
  .addHelpText(
    'after',
    `
If there are more than --limit, the answer ends with what to give as --after for the next page (next in JSON, else null).
With --json: {people: [{personId, name, hidden, tracks, clips, seenS, firstSeen, lastSeen, thumbnail}], next}. name is null of people
without one; firstSeen and lastSeen are the dates of the oldest and the youngest clip; thumbnail is the best face, a JPEG as a data: URI.`,
  )
  .action(({ archive: dir, unnamed, named, hidden, minTracks, limit, after, json }: ListOptions) => {
    const archive = openArchiveToRead(dir, note)
    try {
      const page = listGroups(archive, {
        ...{ minTracks, limit, after, hidden: hidden ? 'only' : 'without' },
        named: unnamed ? false : named ? true : undefined,
      })
      if (json) printJson(peoplePageJson(page))
      else printPeoplePage(page)
      process.exitCode = exitCodes.ok
    } finally {
      archive.close()
    }
  })
