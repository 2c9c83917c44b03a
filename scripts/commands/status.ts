import { Command, Option } from 'commander'
import { openArchiveToRead, type Archive } from '../../index/archive/open-archive.js'
import { readCoverage, type ClipCoverage } from '../../index/coverage/read-coverage.js'
import { markMissing, sumCoverage, type CoverageSum } from '../../index/coverage/sum-coverage.js'
import { listIdentities } from '../../index/store/identities.js'
import { presentPath } from '../../index/store/present-path.js'
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
  .description('What an archive holds.')
  .addOption(archiveOption())
  .addOption(new Option('--failures', 'list the files that failed, with reasons').default(false))
  .addOption(jsonOption())
  .addHelpText(
    'after',
    `
With --json: {clips, tracks, failed, partial, unfinished, missing, hours, totalHours, coverage, identities: [{name, faces}],
recipe, failures (with --failures): [{path, clipId, code, message, missing?}]}. clips are those that were looked at to their end
or as far as they can be; hours are of video that was looked at, totalHours of all whose length is known; missing are clips no
file of which is where it was; coverage is as in "cameo coverage --help".`,
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
  const counts = archive.clips.counts()
  const failed = archive.files.countFailed()
  const clips = markMissing(readCoverage(archive))
  const coverage = sumCoverage(clips)
  const identities = listIdentities(archive.database)
  const failures = areListed ? archive.files.failures().map(withMissing) : []
  const { recipe } = archive
  if (json) {
    const { unfinished = 0, missing = 0 } = coverage.states
    printJson({
      ...{ ...counts, failed, unfinished, missing },
      ...{ hours: coverage.lookedAtHours, totalHours: coverage.hours, coverage },
      ...{ identities, recipe: recipe ?? null },
      ...(areListed ? { failures } : {}),
    })
    return
  }
  print(`archive ${archive.dir}`)
  print(
    `  ${counted(counts.clips, 'clip')}, ${counted(counts.tracks, 'track')}, ${counted(failed, 'failed file')}`,
  )
  printCoverage(coverage, clips)
  for (const line of recipe === undefined ? [] : await recipeLines(recipe)) print(`  ${line}`)
  for (const { name, faces } of identities) print(`  "${oneLine(name)}": ${counted(faces, 'face')}`)
  for (const { path, code, message, missing } of failures)
    print(`  failed: ${missing === true ? 'missing, was ' : ''}${oneLine(path)}: ${message} [${code}]`)
}

function printCoverage(coverage: CoverageSum, clips: readonly ClipCoverage[]): void {
  print(`  ${shareText(coverage.lookedAtHours, coverage.hours)} of video looked at`)
  const line = coverageLine(coverage)
  if (line !== undefined) print(`  ${line}`)
  const states = statesText(coverage)
  if (states !== '') print(`  clips: ${states}`)
  for (const { paths, states: own } of clips)
    if (own.includes('missing')) print(`  missing: was ${oneLine(paths[0] ?? '')}`)
}

function withMissing<T extends { readonly path: string }>(failure: T): T & { readonly missing?: true } {
  return presentPath([failure.path])?.isMissing === true ? { ...failure, missing: true } : failure
}
