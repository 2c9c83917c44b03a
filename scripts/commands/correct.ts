import { Command, Option } from 'commander'
import { withModels } from '../../index/archive/archive-models.js'
import { openFilledArchive } from '../../index/archive/open-archive.js'
import { correctClip, type CorrectionReport } from '../../index/clips/correct-clip.js'
import { parseName } from '../../index/identities/identities.js'
import type { Verdict } from '../../index/store/corrections.js'
import { clipPart, namePart } from '../../index/audit/use-entries.js'
import { audited } from '../cli/audited.js'
import { asCaller } from '../cli/caller.js'
import { archiveOption, expectFalseOption, jsonOption, minScoreOption } from '../cli/options.js'
import { exitCodes, note, oneLine, print, printJson } from '../cli/output.js'
import { parseTimeRange, type TimeRange } from '../cli/range-option.js'
import { formatRanges } from '../reports/hit-text.js'

interface CorrectOptions {
  readonly archive: string
  readonly range?: TimeRange
  readonly undo: boolean
  readonly minScore?: number
  readonly expectFalse?: number
  readonly json: boolean
}

export const rejectCommand = correctionCommand(
  'reject',
  'rejected',
  'Say that a clip does not show a person: these faces never answer for the name again.',
  'Without --range, all faces of the clip that answer a search for the name are rejected.',
)

export const confirmCommand = correctionCommand(
  'confirm',
  'confirmed',
  'Say that a clip shows a person: the face always answers for the name, and helps to find others.',
  `Without --range, the face of the clip that answers best is confirmed; if none does, the only one of the clip. With --range, all
faces that answer within it are confirmed; if none does, the only one that is seen there.`,
)

function correctionCommand(name: string, verdict: Verdict, description: string, choice: string): Command {
  return new Command(name)
    .description(description)
    .argument('<name>', 'an enrolled name', parseName)
    .argument('<clip>', 'id of the clip, its first digits, or the path of its file')
    .addOption(archiveOption())
    .addOption(
      new Option(
        '--range <start-end>',
        'only what is seen at this time, as search prints it: 0:12.5-0:14',
      ).argParser(parseTimeRange),
    )
    .addOption(new Option('--undo', `take back what was ${verdict}`).default(false))
    .addOption(minScoreOption())
    .addOption(expectFalseOption())
    .addOption(jsonOption())
    .addHelpText(
      'after',
      `
${choice}
Of two corrections of the same face and name, the newer one counts. Confirmed and rejected faces also move the name: searches for it
look for what is like the confirmed faces and unlike the rejected ones. "cameo people show NAME" lists the corrections of a name. They
stay when the clip is ingested again, also with other settings, and are erased when the clip or the name is forgotten.
With --json: {name, clipId, path, verdict, undone, tracks: [{trackId, ranges: [{startS, endS}]}]}.
Exit code: 0 it is noted; 2 it could not be, for example because it is not clear which face is meant.`,
    )
    .action(async (person: string, clip: string, options: CorrectOptions) => {
      await correct(person, clip, verdict, options)
      process.exitCode = exitCodes.ok
    })
}

async function correct(name: string, clip: string, verdict: Verdict, options: CorrectOptions): Promise<void> {
  const { archive, json, range, undo, minScore, expectFalse } = options
  const opened = openFilledArchive(archive, note)
  try {
    const report = await asCaller((caller) =>
      withModels(opened, { device: { kind: 'cpu' } }, caller, (models) =>
        correctClip({ opened, models }, { name, clip, verdict, range, undo, minScore, expectFalse }),
      ),
    )
    await audited(archive, () => [
      {
        action: 'correct',
        details: { verdict, undone: report.undone, tracks: report.tracks.length },
        parts: [namePart(report.name), clipPart(report.clipId, { path: report.path })],
      },
    ])
    if (json) printJson({ ...report, path: report.path ?? null, tracks: tracksJson(report) })
    else print(describe(report))
  } finally {
    opened.archive.close()
  }
}

const tracksJson = ({ tracks }: CorrectionReport) =>
  tracks.map(({ trackId, ranges }) => ({ trackId: trackId ?? null, ranges }))

function describe({ name, clipId, path, verdict, undone, tracks }: CorrectionReport): string {
  const times = formatRanges(tracks.flatMap(({ ranges }) => ranges).sort((a, b) => a.startS - b.startS))
  const where = `${path === undefined ? `clip ${clipId.slice(0, 12)}` : oneLine(path)}, ${times}`
  return undone
    ? `no longer ${verdict} for "${oneLine(name)}": ${where}`
    : `${verdict} for "${oneLine(name)}": ${where}`
}
