import { Command, InvalidArgumentError, Option } from 'commander'
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { openFilledArchive, openArchiveToRead, type Archive } from '../../../index/archive/open-archive.js'
import { hidePeople, mergePeople, splitPerson } from '../../../index/people/correct-people.js'
import { listChanges } from '../../../index/people/undo-change.js'
import { undoPeople } from '../../../workers/archive/undo-people.js'
import { groupPart } from '../../../index/audit/use-entries.js'
import { audited } from '../../cli/audited.js'
import { asCaller } from '../../cli/caller.js'
import { archiveOption, jsonOption, numberWithin } from '../../cli/options.js'
import { counted, exitCodes, note, print, printJson } from '../../cli/output.js'
import { idOf, idsOf } from '../../cli/person-id.js'
import { changeJson, changeText } from '../../reports/groups-report.js'

interface CommonOptions {
  readonly archive: string
  readonly json: boolean
}

const withCommon = (command: Command) => command.addOption(archiveOption()).addOption(jsonOption())

const undoHelp = '"cameo people undo" takes the last change back.'

export const mergeCommand = withCommon(new Command('merge'))
  .description('Say that several people are one. The first keeps its number.')
  .argument('<ids...>', 'numbers of the people', idsOf)
  .addHelpText(
    'after',
    `
Later groupings keep them together. ${undoHelp}
With --json: {change, personId, tracks}: the person that is kept, and how many tracks moved to it.
Exit code: 0 they are one now; 2 they could not be made one.`,
  )
  .action(async (ids: readonly number[], { archive, json }: CommonOptions) => {
    await changing(archive, async (own) => {
      const { changeId, personId, tracks } = mergePeople(own, ids)
      await auditChange(own, 'merge', ids)
      if (json) printJson({ change: changeId, personId, tracks })
      else print(`they are person ${personId} now (${counted(tracks, 'track')} moved; change ${changeId})`)
    })
  })

interface SplitOptions extends CommonOptions {
  readonly clip?: string
  readonly range?: readonly [startS: number, endS: number]
  readonly track?: readonly number[]
}

export const splitCommand = withCommon(new Command('split'))
  .description('Say that some tracks of a person show somebody else: they become a new person.')
  .argument('<id>', 'number of the person', idOf)
  .addOption(
    new Option('--clip <id>', 'those of this clip: its id, its first digits, or the path of its file'),
  )
  .addOption(
    new Option(
      '--range <start-end>',
      'only those that are seen in this time of the clip, in seconds',
    ).argParser(rangeOf),
  )
  .addOption(
    new Option('--track <id>', 'this track, by its trackId in JSON; may be repeated').argParser(idsOf),
  )
  .addHelpText(
    'after',
    `
Later groupings keep them apart. ${undoHelp}
With --json: {change, personId, tracks}: the new person, and how many tracks it has.
Exit code: 0 they are two people now; 2 they could not be parted.`,
  )
  .action(async (personId: number, { archive, json, clip, range, track }: SplitOptions) => {
    await changing(archive, async (own) => {
      const given = clip !== undefined && existsSync(clip) ? resolve(clip) : clip
      const made = splitPerson(own, { personId, clip: given, range, trackIds: track })
      await auditChange(own, 'split', [personId, made.personId])
      if (json) printJson({ change: made.changeId, personId: made.personId, tracks: made.tracks })
      else print(`${counted(made.tracks, 'track')} became person ${made.personId} (change ${made.changeId})`)
    })
  })

const hiding = (isHidden: boolean) => {
  const name = isHidden ? 'hide' : 'unhide'
  return withCommon(new Command(name))
    .description(isHidden ? 'Take people out of the list.' : 'Put hidden people back into the list.')
    .argument('<ids...>', 'numbers of the people', idsOf)
    .addHelpText(
      'after',
      `
${isHidden ? 'Searches find them as before. ' : ''}${undoHelp}
With --json: {change}; null if nothing had to be changed.
Exit code: 0 done; 2 there is no such person.`,
    )
    .action(async (ids: readonly number[], { archive, json }: CommonOptions) => {
      await changing(archive, async (own) => {
        const change = hidePeople(own, ids, isHidden)
        await auditChange(own, name, ids)
        if (json) printJson({ change: change ?? null })
        else print(change === undefined ? 'nothing had to be changed' : `done (change ${change})`)
      })
    })
}

export const hideCommand = hiding(true)
export const unhideCommand = hiding(false)

export const logCommand = withCommon(new Command('log'))
  .description('List the changes of people, the newest first.')
  .addOption(
    new Option('--limit <n>', 'the largest number of changes')
      .default(50)
      .argParser(numberWithin(1, 100_000, 'integer')),
  )
  .addHelpText(
    'after',
    `
With --json: {changes: [{change, at, action, people, tracks, undone}]}; action is group, merge, split, name, hide or show; group is a
grouping that moved tracks from one person to another; people are those whom the change concerned.`,
  )
  .action(({ archive: dir, json, limit }: CommonOptions & { readonly limit: number }) => {
    const archive = openArchiveToRead(dir, note)
    try {
      const changes = listChanges(archive, limit)
      if (json) printJson({ changes: changes.map(changeJson) })
      else for (const change of changes) print(changeText(change))
      if (!json && changes.length === 0) print('nothing was changed')
      process.exitCode = exitCodes.ok
    } finally {
      archive.close()
    }
  })

export const undoCommand = withCommon(new Command('undo'))
  .description('Undo a change of people: the last one, or one by its number.')
  .argument('[change]', 'number of the change, as "cameo people log" shows it', idOf)
  .addHelpText(
    'after',
    `
Tracks that got a person since then keep it. A change cannot be undone before later ones of the same people.
With --json: {change, at, action, people, tracks, undone}, as in "cameo people log".
Exit code: 0 undone; 2 not.`,
  )
  .action(async (changeId: number | undefined, { archive, json }: CommonOptions) => {
    await changing(archive, async (own) => {
      const change = await asCaller((caller) => undoPeople(own, changeId, caller))
      await auditChange(own, 'undo', change.people)
      if (json) printJson({ ...changeJson(change), undone: true })
      else print(`undone: ${changeText(change)}`)
    })
  })

const auditChange = ({ dir }: Archive, change: string, people: readonly number[]): Promise<void> =>
  audited(dir, () => [
    { action: 'correct', details: { change }, parts: people.map((personId) => groupPart(personId)) },
  ])

async function changing(dir: string, work: (archive: Archive) => void | Promise<void>): Promise<void> {
  const { archive } = openFilledArchive(dir, note)
  try {
    await work(archive)
    process.exitCode = exitCodes.ok
  } finally {
    archive.close()
  }
}

function rangeOf(text: string): readonly [startS: number, endS: number] {
  const [, start, end] = /^(\d+(?:\.\d+)?)-(\d+(?:\.\d+)?)$/.exec(text) ?? []
  if (start === undefined || end === undefined)
    throw new InvalidArgumentError('two times in seconds are needed, as 12.5-20.')
  return [Number(start), Number(end)]
}
