import { Command, Option } from 'commander'
import { openArchiveToRead, type Archive } from '../../index/archive/open-archive.js'
import type { ClipCoverage } from '../../index/coverage/read-coverage.js'
import { readStatus, type FailedPath } from '../../index/coverage/read-status.js'
import type { CoverageSum } from '../../index/coverage/sum-coverage.js'
import { shareText, statesText, coverageLine } from '../reports/coverage-text.js'
import { archiveOption, jsonOption } from '../cli/options.js'
import { counted, exitCodes, note, oneLine, print, printJson } from '../cli/output.js'
import { recipeLines } from '../reports/recipe-text.js'

interface StatusOptions {
  readonly archive: string
  readonly failures: boolean
  readonly json: boolean
}

export const statusCommand = new Command('status')
  .description('Show what an archive holds.')
  .addOption(archiveOption())
  .addOption(new Option('--failures', 'list the files that failed, with reasons').default(false))
  .addOption(jsonOption())
  .addHelpText(
    'after',
    `
With --json: {clips, tracks, failed, partial, unfinished, missing, hours, totalHours, coverage, identities: [{name, faces}],
recipe, failures (with --failures): [{path, clipId, code, message, missing?}]}. clips are those that were looked at to their end
or as far as possible. hours is video that was looked at, totalHours all video of known length. missing counts clips without a file
where it was. coverage is as in "cameo coverage --help".`,
  )
  .action(async (options: StatusOptions) => {
    const archive = openArchiveToRead(options.archive, note)
    try {
      await showStatus(archive, options)
    } finally {
      archive.close()
    }
    process.exitCode = exitCodes.ok
  })

async function showStatus(archive: Archive, { json, failures: areListed }: StatusOptions): Promise<void> {
  const { clips, tracks, partial, failed, coverage, missing, identities, recipe, failures } =
    readStatus(archive)
  if (json) {
    const { unfinished = 0, missing: lost = 0 } = coverage.states
    printJson({
      ...{ clips, tracks, partial, failed, unfinished, missing: lost },
      ...{ hours: coverage.lookedAtHours, totalHours: coverage.hours, coverage },
      ...{ identities, recipe: recipe ?? null },
      ...(areListed ? { failures } : {}),
    })
    return
  }
  print(`archive ${archive.dir}`)
  print(`  ${counted(clips, 'clip')}, ${counted(tracks, 'track')}, ${counted(failed, 'failed file')}`)
  printCoverage(coverage, missing)
  for (const line of recipe === undefined ? [] : await recipeLines(recipe)) print(`  ${line}`)
  for (const { name, faces } of identities) print(`  "${oneLine(name)}": ${counted(faces, 'face')}`)
  for (const failure of areListed ? failures : []) printFailure(failure)
}

function printFailure({ path, code, message, missing }: FailedPath): void {
  print(`  failed: ${missing === true ? 'missing, was ' : ''}${oneLine(path)}: ${message} [${code}]`)
}

function printCoverage(coverage: CoverageSum, missing: readonly ClipCoverage[]): void {
  print(`  ${shareText(coverage.lookedAtHours, coverage.hours)} of video looked at`)
  const line = coverageLine(coverage)
  if (line !== undefined) print(`  ${line}`)
  const states = statesText(coverage)
  if (states !== '') print(`  clips: ${states}`)
  for (const { paths } of missing) print(`  missing: was ${oneLine(paths[0] ?? '')}`)
}
