import { Command, Option } from 'commander'
import { defaultPageLength, listClips, type ClipListRequest } from '../../index/clips/list-clips.js'
import { listPeople } from '../../index/clips/list-people.js'
import { parseName } from '../../index/identities/identities.js'
import { askArchive } from './ask-archive.js'
import { archiveOption, expectFalseOption, jsonOption, minScoreOption, numberWithin } from '../cli/options.js'
import { exitCodes, printJson } from '../cli/output.js'
import { scopeHelp, scopeOptions, type ScopeOptions } from '../cli/scope-options.js'
import { clipListJson, peopleListJson, printClipList, printPeopleList } from '../reports/people-report.js'

interface ListOptions extends ScopeOptions {
  readonly archive: string
  readonly minDuration?: number
  readonly maxDuration?: number
  readonly person?: string
  readonly unnamed: boolean
  readonly unfinished: boolean
  readonly limit: number
  readonly after?: string
  readonly minScore?: number
  readonly expectFalse?: number
  readonly json: boolean
}

export const listCommand = new Command('list').description('List the clips or the people of an archive.')

const clipsCommand = listCommand
  .command('clips')
  .description('List clips in order of their paths, with the people in them.')
const peopleCommand = listCommand
  .command('people')
  .description('List the enrolled names in order, with how often and how long each is seen.')

for (const command of [clipsCommand, peopleCommand]) {
  command.addOption(archiveOption())
  for (const option of scopeOptions()) command.addOption(option)
  for (const option of furtherOptions()) command.addOption(option)
}

const filterHelp = `
A track has the enrolled name that its faces match best, if it reaches the threshold that a search has.
${scopeHelp}
--unfinished takes clips that an ingest began; "cameo coverage --state unfinished" also lists files that it has not opened yet.
If there are more than --limit, the answer ends with what to give as --after for the next page (next in JSON, else null).`

clipsCommand
  .addHelpText(
    'after',
    `${filterHelp}
With --json: {clips: [{clipId, path, date, durationS, states, missing?, people: [{name, personId, score, seenS, trackIds,
ranges: [{startS, endS, trackId, score}]}]}], next, threshold, thresholdReason, damaged}. name and score are null of people without a
name, personId of tracks that were not grouped; states are those of "cameo coverage".`,
  )
  .action(async (options: ListOptions) => {
    await askArchive(
      options.archive,
      (parts, caller) => listClips(parts, requestOf(options), caller),
      (list) => (options.json ? printJson(clipListJson(list)) : printClipList(list)),
    )
    process.exitCode = exitCodes.ok
  })

peopleCommand
  .addHelpText(
    'after',
    `${filterHelp}
The filters choose clips: people are counted in these alone, and only names that are seen in them are listed. --person NAME lists who
is in the same clips as NAME.
With --json: {people: [{name, faces, clips, tracks, seenS}], unnamed: {clips, tracks, seenS}, next, threshold, thresholdReason, damaged}.`,
  )
  .action(async (options: ListOptions) => {
    await askArchive(
      options.archive,
      (parts, caller) => listPeople(parts, requestOf(options), caller),
      (list) => (options.json ? printJson(peopleListJson(list)) : printPeopleList(list)),
    )
    process.exitCode = exitCodes.ok
  })

function furtherOptions(): Option[] {
  const seconds = numberWithin(0, 1e9)
  return [
    new Option('--min-duration <s>', 'only clips of this length or longer').argParser(seconds),
    new Option('--max-duration <s>', 'only clips of this length or shorter').argParser(seconds),
    new Option('--person <name>', 'only clips in which this enrolled name is seen').argParser(parseName),
    new Option('--unnamed', 'only clips in which somebody without a name is seen').default(false),
    new Option('--unfinished', 'only clips that an ingest began and did not finish').default(false),
    new Option('--limit <n>', 'the largest number of entries')
      .default(defaultPageLength)
      .argParser(numberWithin(1, 100_000, 'integer')),
    new Option('--after <entry>', 'begin after this entry: the next page'),
    minScoreOption(),
    expectFalseOption(),
    jsonOption(),
  ]
}

function requestOf({ minDuration, maxDuration, ...options }: ListOptions): ClipListRequest {
  return { ...options, minDurationS: minDuration, maxDurationS: maxDuration }
}
