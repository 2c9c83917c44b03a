import { adviceMessageOf } from '../cli/advice.js'
import { Command, Option } from 'commander'
import { openArchiveToRead, openFilledArchive } from '../../index/archive/open-archive.js'
import { enrollFolder, type EnrolledFolder } from '../../index/identities/enroll-folder.js'
import { enrollFaces, facesOfName, type EnrolReport } from '../../index/identities/enroll-faces.js'
import type { UseEntry } from '../../index/audit/record-use.js'
import { namePart } from '../../index/audit/use-entries.js'
import { parseName } from '../../index/identities/identities.js'
import { CameoError } from '../../pipeline/common/errors.js'
import type { DeviceChoice } from '../../pipeline/models/device.js'
import { audited } from '../cli/audited.js'
import { asCaller } from '../cli/caller.js'
import { checkCommandLine } from '../cli/given-paths.js'
import { archiveOption, deviceOption, jsonOption, numberWithin } from '../cli/options.js'
import {
  counted,
  exitCodes,
  note,
  oneLine,
  print,
  printJson,
  printJsonError,
  reportError,
} from '../cli/output.js'
import { untilStopped } from '../cli/until-stopped.js'
import { tellDamaged } from '../reports/damage-report.js'
import { tellDisagreeing } from '../reports/enrolment-report.js'

interface EnrollOptions {
  readonly archive: string
  readonly face?: number
  readonly list: boolean
  readonly force: boolean
  readonly folder?: string
  readonly keepPhoto: boolean
  readonly device: DeviceChoice
  readonly json: boolean
}

export const enrollCommand = new Command('enroll')
  .description(
    'Give a name to a face, so that you can search by name. Adds to the faces that the name has already.',
  )
  .argument('[name]', 'the name', parseName)
  .argument('[files...]', 'photos, and clips in which this is the main person')
  .addOption(archiveOption())
  .addOption(
    new Option('--face <number>', 'which face of the photo, or person of the clip').argParser(
      numberWithin(1, 10_000, 'integer'),
    ),
  )
  .addOption(new Option('--list', 'list the faces that the name has, by number').default(false))
  .addOption(
    new Option('--force', 'enroll the photos even if most of them show different people').default(false),
  )
  .addOption(
    new Option('--folder <dir>', 'enroll everyone who has a folder in it, which bears the name').conflicts([
      'face',
      'list',
    ]),
  )
  .addOption(
    new Option('--no-keep-photo', 'keep no pictures of the faces, from which other models could embed them'),
  )
  .addOption(deviceOption())
  .addOption(jsonOption())
  .addHelpText(
    'after',
    `
The files are compared with each other and with the faces that the name has already, by cosine similarity. A file disagrees if it
reaches the threshold of the models with fewer than half of the others. Files that disagree are listed. If most of the given
files disagree, nothing is enrolled without --force. "cameo forget --name NAME --face N" takes one face out again.
Of each face a picture is kept in the archive, the aligned face with what is around it; "cameo forget" erases it. Without it, the name
needs its photos again when the archive gets other models.
With --folder DIR, DIR/NAME/ holds photos and clips of NAME. What cannot be used is reported, and the rest is enrolled.
With --json: {name, faces, added, disagreeing: [{source, faces, similarity, matches, others}], failed: [{source, code, message}]};
with --folder: {people: [the same, with folder; or {folder, code, message}]}; with --list: {name, faces, list: [{number, source, quality, similarity}]}, where similarity is the mean to the other files.
Exit code: 0 all files are enrolled, 1 some could not be used (the others are enrolled), 2 none.`,
  )
  .action(async (name: string | undefined, files: string[], options: EnrollOptions) => {
    process.exitCode = await run(name, files, options)
  })

async function run(
  name: string | undefined,
  files: readonly string[],
  options: EnrollOptions,
): Promise<number> {
  if (options.folder !== undefined) {
    if (name !== undefined)
      throw new CameoError(
        'USAGE',
        'the names come from the folders: give no name and no files with --folder',
      )
    return runEnrollFolder(options.folder, options)
  }
  if (name === undefined) throw new CameoError('USAGE', 'a name is needed, or --folder')
  return options.list ? listFaces(name, files, options) : runEnroll(name, files, options)
}

async function runEnrollFolder(folder: string, options: EnrollOptions): Promise<number> {
  const opened = openFilledArchive(options.archive, note)
  try {
    const people = await untilStopped((signal) =>
      asCaller((caller) => enrollFolder(opened, { ...options, folder, signal }, caller)),
    )
    await audited(options.archive, () =>
      people.flatMap(({ report }) => (report === undefined ? [] : enrolEntries(report))),
    )
    for (const { report, error } of people) {
      if (error !== undefined) reportError(error, false)
      if (report !== undefined) tellReport(report)
    }
    if (options.json) printJson({ people: people.map(folderJson) })
    const added = people.filter(({ report }) => (report?.added ?? 0) > 0)
    const isWhole = added.length === people.length && added.every(({ report }) => report?.failed.length === 0)
    if (!options.json) print(`${added.length} of ${counted(people.length, 'person', 'people')} enrolled`)
    return added.length === 0 ? exitCodes.failed : isWhole ? exitCodes.ok : exitCodes.someFailed
  } finally {
    opened.archive.close()
  }
}

const enrolEntries = ({ name, faces, added }: EnrolReport): UseEntry[] =>
  added === 0 ? [] : [{ action: 'enroll', details: { added, faces }, parts: [namePart(name)] }]

function folderJson({ folder, report, error }: EnrolledFolder) {
  if (report !== undefined) return { folder, ...reportJson(report) }
  return { folder, code: error?.code, message: adviceMessageOf(error) }
}

/** Tells a person about one of several names. */
function tellReport({ name, faces, added, disagreeing, failed, threshold }: EnrolReport): void {
  for (const { error } of failed) reportError(error, false)
  if (added === 0) note(`nothing was enrolled for "${oneLine(name)}"`)
  else {
    tellDisagreeing(name, disagreeing, threshold)
    note(`"${oneLine(name)}" is enrolled with ${counted(faces, 'face')} (${added} added)`)
  }
}

const reportJson = ({ name, faces, added, disagreeing, failed }: EnrolReport) => ({
  ...{ name, faces, added, disagreeing },
  failed: failed.map(({ source, error }) => ({
    ...{ source, code: error.code, message: adviceMessageOf(error) },
  })),
})

async function runEnroll(name: string, files: readonly string[], options: EnrollOptions): Promise<number> {
  if (files.length === 0)
    throw new CameoError('USAGE', 'say whose face it is: give photos or clips, or --list')
  checkCommandLine()
  const opened = openFilledArchive(options.archive, note)
  try {
    const report = await asCaller((caller) => enrollFaces(opened, { ...options, name, files }, caller))
    await audited(options.archive, () => enrolEntries(report))
    return tellEnrolled(name, report, options)
  } finally {
    opened.archive.close()
  }
}

function tellEnrolled(given: string, report: EnrolReport, { json }: EnrollOptions): number {
  const { name, faces, added, disagreeing, failed, threshold } = report
  for (const { error } of failed) reportError(error, false)
  if (added === 0) {
    const [first] = failed
    if (json && first !== undefined) printJsonError(first.error)
    note(`nothing was enrolled for "${oneLine(given)}"`)
    return exitCodes.failed
  }
  tellDisagreeing(name, disagreeing, threshold)
  if (json) printJson(reportJson(report))
  else print(`"${oneLine(name)}" is enrolled with ${counted(faces, 'face')} (${added} added)`)
  return failed.length > 0 ? exitCodes.someFailed : exitCodes.ok
}

function listFaces(name: string, files: readonly string[], options: EnrollOptions): number {
  if (files.length > 0) throw new CameoError('USAGE', '--list shows what is enrolled: give it no files')
  const opened = openFilledArchive(options.archive, note, openArchiveToRead)
  try {
    const { damaged, list, ...identity } = facesOfName(opened, name, note)
    tellDamaged(opened.archive, damaged)
    if (options.json) printJson({ ...identity, list })
    else {
      print(`"${oneLine(identity.name)}" is enrolled with ${counted(identity.faces, 'face')}`)
      for (const { number, source, quality, similarity } of list) {
        const alike = similarity === null ? '' : `, similarity to the others ${similarity.toFixed(2)}`
        print(`  ${number}: ${oneLine(source)} (quality ${quality.toFixed(2)}${alike})`)
      }
    }
    return exitCodes.ok
  } finally {
    opened.archive.close()
  }
}
