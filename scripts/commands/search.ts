import { Command, Option } from 'commander'
import { openArchiveToRead, openFilledArchive, type Archive } from '../../index/archive/open-archive.js'
import { exportEntry, searchEntry } from '../../index/audit/use-entries.js'
import { hitsOfSearch } from '../../index/editing/hits.js'
import { keepLastAnswer } from '../../index/editing/last-answer.js'
import { knownName, parseName } from '../../index/identities/identities.js'
import type { Subject } from '../../index/search/read-query.js'
import { searchArchive, type SearchReport } from '../../index/search/search-archive.js'
import { CameoError, messageOf } from '../../pipeline/common/errors.js'
import { writePrivateFile } from '../../pipeline/common/private-files.js'
import type { DeviceChoice } from '../../pipeline/models/device.js'
import { audited, exportedFormats, reasonOptions, type ReasonOptions } from '../cli/audited.js'
import { asCaller } from '../cli/caller.js'
import { formatHelp, formatOptions, printEdit, wantsJson, type FormatOptions } from '../cli/format-options.js'
import { checkCommandLine } from '../cli/given-paths.js'
import {
  archiveOption,
  deviceOption,
  expectFalseOption,
  jsonOption,
  listOf,
  minScoreOption,
  numberWithin,
} from '../cli/options.js'
import { scopeHelp, scopeOptions, type ScopeOptions } from '../cli/scope-options.js'
import { exitCodes, note, printJson } from '../cli/output.js'
import { printAnswer, scopeJson, sheetMatches, summaryOf, titleOf, toJson } from '../reports/answer-report.js'
import { contactSheet } from '../reports/contact-sheet.js'
import { tellDamaged } from '../reports/damage-report.js'

interface SearchCommandOptions extends ScopeOptions, FormatOptions, ReasonOptions {
  readonly archive: string
  readonly image?: readonly string[]
  readonly clip?: string
  readonly name?: string
  readonly face?: number
  readonly top: number
  readonly minScore?: number
  readonly expectFalse?: number
  readonly expectAppearances: number
  readonly weak: boolean
  readonly excludeSelf: boolean
  readonly with?: readonly string[]
  readonly without?: readonly string[]
  readonly together: boolean
  readonly html?: string
  readonly device: DeviceChoice
}

export const searchCommand = new Command('search')
  .description('Find the clips in which a person appears, best first, with time ranges.')
  .addOption(archiveOption())
  .addOption(
    new Option('-i, --image <file>', 'a photo of the person; repeat it for several photos of one person')
      .argParser(listOf((file) => file))
      .conflicts(['clip', 'name']),
  )
  .addOption(new Option('-c, --clip <file>', 'a clip that shows the person').conflicts(['image', 'name']))
  .addOption(
    new Option('-n, --name <name>', 'an enrolled name')
      .argParser(parseName)
      .conflicts(['image', 'clip', 'face']),
  )
  .addOption(
    new Option('--with <name>', 'an enrolled name that must be in the same clip; may be repeated').argParser(
      listOf(parseName),
    ),
  )
  .addOption(
    new Option('--together', 'all of them on screen at the same time, as the time ranges then say').default(
      false,
    ),
  )
  .addOption(
    new Option(
      '--without <name>',
      'an enrolled name that must not be in the clip; may be repeated',
    ).argParser(listOf(parseName)),
  )
  .addOption(
    new Option('--face <number>', 'which face of the photo, or person of the clip').argParser(
      numberWithin(1, 10_000, 'integer'),
    ),
  )
  .addOption(
    new Option('--top <n>', 'the largest number of clips')
      .default(20)
      .argParser(numberWithin(1, 100_000, 'integer')),
  )
  .addOption(minScoreOption())
  .addOption(expectFalseOption())
  .addOption(
    new Option(
      '--expect-appearances <n>',
      'how many tracks of the archive you expect to show the person, for the probabilities',
    )
      .default(1)
      .argParser(numberWithin(1e-6, 1e9)),
  )
  .addOption(
    new Option('--weak', 'also list tracks below the threshold that resemble the person').default(false),
  )
  .addOption(new Option('--exclude-self', 'leave the query clip out of its own answer').default(false))
  .addOption(new Option('--html <file>', 'also write a contact sheet'))
  .addOption(deviceOption())
  .addOption(jsonOption())
  .addHelpText(
    'after',
    `
A track matches if its score reaches the threshold. By default this is the lowest score at which --expect-false tracks of other
people are expected to match in an archive of this size. It is never below the calibrated threshold of the models; the answer says
how many tracks of other people reach that one.
probability says how likely it is that a hit shows the person. It follows from the score and from the lower quality of query and
track, if --expect-appearances of the searched tracks show the person. Both need calibrated models and no head.
--weak also lists tracks with a score that one in a hundred tracks of other people reaches. They are no matches.
With several --image, the faces are pooled by their quality. Photos that seem to show somebody else than the others are named.
With --with and --without, a track counts for the one of the asked people whom it matches best. All have the same threshold.
${scopeHelp}

With --json: {query, threshold, thresholdReason, confident, falseAcceptRate, expectedFalseMatches, prior, tracksSearched,
tracksExamined, coverage, damaged: [{clipId?, path?, name?, what}], results: [{clipId, path, score, probability,
ranges: [{startS, endS, trackId, score, weak?}], faces: [{timeS, boxXyxyPx, quality}], thumbnail, missing?, coverage?, with?}],
weak?, scope?}; with is [{name, score, ranges}]; scope is {with?, without?, together?, folder?, since?, until?} as given;
thresholdReason is "given", "archive size", "models" or "uncalibrated"; falseAcceptRate is {rate, estimate, interval?}: estimate is
true if the rate is extrapolated beyond what was measured, and interval is then its 95 % interval; prior is {appearances, tracks};
null means not measured. With --weak, weak is a list like results, and weak is true for ranges in results whose track does not
reach the threshold. coverage says how much of the archive, or of a clip, was not looked at (see "cameo coverage --help").
missing is true if the clip's file is not there any more.
query is {kind, value, quality, face?, people?: [{number, ranges?: [{startS, endS}], boxXyxyPx, quality}], photos?, notices?}: photos
is [{source, quality, similarity, matches, others, disagrees}] of several photos, people are those
whom a photo or clip shows, with their numbers for --face; notices are about its file. damaged is what could not be trusted and is
left out. thumbnail is a JPEG as a data: URI, score is a cosine similarity, times are seconds.
${formatHelp('of a cut in which the hits follow each other')}
Exit code: 0 the question was answered, also with no match; 2 it could not be.`,
  )
  .action(async (options: SearchCommandOptions) => {
    await runSearch(options)
    process.exitCode = exitCodes.ok
  })

for (const option of [...scopeOptions(), ...formatOptions(), ...reasonOptions()])
  searchCommand.addOption(option)

async function runSearch(options: SearchCommandOptions): Promise<void> {
  const subject = subjectOf(options)
  checkCommandLine()
  const opened = openFilledArchive(options.archive, note, openArchiveToRead)
  try {
    const report = await asCaller((caller) => searchArchive(opened, { ...options, subject }, caller))
    tellDamaged(opened.archive, report.damaged)
    await auditSearch(report, opened.archive, options)
    await tell(report, opened.archive, options)
  } finally {
    opened.archive.close()
  }
}

/** The search, and the files that its answer leaves the archive in. */
function auditSearch(report: SearchReport, archive: Archive, options: SearchCommandOptions): Promise<void> {
  const { html, image, name, with: company = [], without = [] } = options
  const stored = (given: string) => knownName(archive.database, given)
  const asked = name === undefined ? undefined : stored(name)
  const others = [...company, ...without].map(stored)
  const formats = [...(html === undefined ? [] : ['html']), ...exportedFormats(options)]
  return audited(
    archive.dir,
    (log) => [
      searchEntry(log, { report, name: asked, photos: image, others }),
      ...formats.map((each) =>
        exportEntry(each, hitsOfSearch(report), [...(asked === undefined ? [] : [asked]), ...others]),
      ),
    ],
    options,
  )
}

function subjectOf({ image, clip, name, face }: SearchCommandOptions): Subject {
  if (name !== undefined) return { kind: 'name', name }
  if (image !== undefined) return { kind: 'image', paths: image, face }
  if (clip !== undefined) return { kind: 'clip', path: clip, face }
  throw new CameoError('USAGE', 'say who to search for: --image PHOTO, --clip FILE or --name NAME')
}

async function tell(report: SearchReport, archive: Archive, options: SearchCommandOptions): Promise<void> {
  const { html } = options
  if (html !== undefined) {
    const { query } = report
    writeSheet(
      html,
      contactSheet(titleOf(query), query.thumbnailJpeg, sheetMatches(report), summaryOf(report)),
    )
    note(`wrote ${html}`)
  }
  const json = toJson(report, scopeJson(options))
  keepLastAnswer(archive, json, note)
  const title = `Cameo: ${titleOf(report.query)}`
  if (await printEdit(() => ({ hits: hitsOfSearch(report), title, isOfOneClip: false }), options)) return
  if (wantsJson(options)) printJson(json)
  else printAnswer(report)
}

function writeSheet(file: string, html: string): void {
  try {
    writePrivateFile(file, html)
  } catch (cause) {
    throw new CameoError('USAGE', `the contact sheet ${file} cannot be written (${messageOf(cause)})`, {
      cause,
    })
  }
}
