import { performance } from 'node:perf_hooks'
import { Command } from 'commander'
import { timeFigures, type MeasuredTimes } from '../../../index/evaluate/protocols/time-figures.js'
import { summariseTimes, type PairScore } from '../../../index/evaluate/protocols/times.js'
import { timesReportOf } from '../../../index/evaluate/report/summarise-times.js'
import { writeTimesReport } from '../../../index/evaluate/report/write-report.js'
import type { DeviceChoice } from '../../../pipeline/models/device.js'
import { measureTimes } from '../../../index/evaluate/protocols/measure-times.js'
import {
  archiveOption,
  deviceOption,
  expectFalseOption,
  jsonOption,
  minScoreOption,
} from '../../cli/options.js'
import { openArchiveToRead, openFilledArchive } from '../../../index/archive/open-archive.js'
import { asCaller } from '../../cli/caller.js'
import { checkCommandLine } from '../../cli/given-paths.js'
import { tellDamaged } from '../../reports/damage-report.js'
import { exitCodes, note, oneLine, print, printJson } from '../../cli/output.js'

interface TimesOptions {
  readonly archive: string
  readonly truth: string
  readonly queries?: string
  readonly minScore?: number
  readonly expectFalse?: number
  readonly report?: string
  readonly device: DeviceChoice
  readonly verbose: boolean
  readonly json: boolean
}

export const timesCommand = new Command('times')
  .description('Measure time ranges: when people are found, compared with when they are seen.')
  .requiredOption('--truth <file>', 'CSV of appearances: film,person,start_s,end_s and, if you like, kind')
  .option(
    '--queries <dir>',
    'photos named after the people, PERSON.jpg (default: the names of "cameo enroll")',
  )
  .addOption(archiveOption())
  .addOption(minScoreOption())
  .addOption(expectFalseOption())
  .option('--report <dir>', 'also write report.html, report.json and per-pair.csv there')
  .option('--verbose', 'also list each person who was missed or wrongly found', false)
  .addOption(deviceOption())
  .addOption(jsonOption())
  .addHelpText(
    'after',
    `
Answers and truth are compared every 0.1 s. Times do not count within 0.3 s of the beginning or end of any appearance, or if
the truth says "unsure" in the column kind ("seen" or empty elsewhere).
recall: of the seconds in which a person is seen, the share that is answered. precision: of the answered seconds, the share in which
the person is seen. found: people of a film who are found in it at all. wrong: people found in films that do not show them. People
of --queries who are not in the truth are searched for, too.
purity: of the times at which tracks were observed, the share at which the track's majority person is seen. splits: tracks per person
and appearance.
The threshold is that of "cameo search" with the same options.
With --json: {threshold, thresholdReason, recall, precision, f1, pairs, found, wrong, refused: [{person, code, message}], missingFilms, tracks, purity, splits,
perPair: [{film, person, recall, precision, ...}]}.
Exit code: 0 measured, 2 it could not run.`,
  )
  .action(async (options: TimesOptions) => {
    await runTimes(options)
    process.exitCode = exitCodes.ok
  })

async function runTimes(options: TimesOptions): Promise<void> {
  const startedAt = new Date()
  const startedMs = performance.now()
  checkCommandLine()
  const measured = await measure(options)
  if (options.report !== undefined) {
    const { archive, truth, queries } = options
    const report = timesReportOf(measured, {
      title: 'Answers in time',
      startedAt: startedAt.toISOString(),
      durationS: (performance.now() - startedMs) / 1000,
      settings: { archive, truth, queries: queries ?? 'enrolled names', minScore: measured.line.threshold },
    })
    await writeTimesReport(options.report, report)
    note(`wrote ${options.report}`)
  }
  if (options.json) printJson(toJson(measured))
  else printMeasured(measured, options.verbose)
}

async function measure(options: TimesOptions): Promise<MeasuredTimes> {
  const opened = openFilledArchive(options.archive, note, openArchiveToRead)
  try {
    const { damaged, ...measured } = await asCaller((caller) => measureTimes(opened, options, caller))
    tellDamaged(opened.archive, damaged)
    return measured
  } finally {
    opened.archive.close()
  }
}

function toJson(measured: MeasuredTimes) {
  const { refused, missingFilms, pairs } = measured
  const perPair = pairs.map((pair) => ({ film: pair.film, person: pair.person, ...sharesOf(pair) }))
  const { threshold, reason: thresholdReason } = measured.line
  return { threshold, thresholdReason, ...timeFigures(measured), refused, missingFilms, perPair }
}

function sharesOf(pair: PairScore) {
  const { recall, precision, pairs, foundPairs, wrongPairs } = summariseTimes([pair])
  return { recall, precision, isTrue: pairs === 1, found: foundPairs + wrongPairs === 1 }
}

function printMeasured(measured: MeasuredTimes, isVerbose: boolean): void {
  for (const { person, message, code } of measured.refused)
    note(`${oneLine(person)}: ${oneLine(message)} [${code}]`)
  if (isVerbose)
    for (const { film, person, pairs, foundPairs, wrongPairs } of measured.pairs) {
      if (pairs > foundPairs) print(`missed   ${oneLine(person)} in ${oneLine(film)}`)
      if (wrongPairs > 0) print(`wrong    ${oneLine(person)} in ${oneLine(film)}`)
    }
  const { recall, precision, pairs, found, wrong, tracks, purity, splits } = timeFigures(measured)
  const people = `${found} of ${pairs} people of a film found, ${wrong} wrongly`
  const at = `at threshold ${measured.line.threshold.toFixed(2)}`
  print(`recall ${recall.toFixed(3)}, precision ${precision.toFixed(3)} of seconds ${at}; ${people}`)
  print(`${tracks} tracks: purity ${purity.toFixed(3)}, ${splits.toFixed(2)} tracks per appearance`)
}
