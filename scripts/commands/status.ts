import { Command, Option } from 'commander'
import { listIdentities } from '../../index/identities.js'
import { archiveOption, jsonOption } from '../options.js'
import { exitCodes, note, oneLine, print, printJson } from '../output.js'
import { describeFeature, openArchiveToRead } from '../../index/archive.js'

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
    '\nWith --json: {clips, tracks, failed, partial, hours, identities: [{name, faces}], recipe, failures (with --failures)}.',
  )
  .action((options: StatusOptions) => {
    showStatus(options)
    process.exitCode = exitCodes.ok
  })

function showStatus(options: StatusOptions): void {
  const archive = openArchiveToRead(options.archive, note)
  try {
    const counts = archive.clips.counts()
    const failed = archive.files.countFailed()
    const identities = listIdentities(archive.database)
    const failures = options.failures ? archive.files.failures() : []
    if (options.json) {
      const { recipe } = archive
      printJson({
        ...counts,
        failed,
        identities,
        recipe: recipe ?? null,
        ...(options.failures ? { failures } : {}),
      })
      return
    }
    print(`archive ${archive.dir}`)
    print(
      `  ${counts.clips} clips (${counts.hours.toFixed(1)} h), ${counts.tracks} tracks, ${failed} failed files`,
    )
    if (counts.partial > 0)
      print(`  ${counts.partial} clips are partial: a part of them could not be processed`)
    if (archive.recipe !== undefined)
      print(`  models ${archive.recipe.packName}, ${JSON.stringify(archive.recipe.settings)}`)
    for (const feature of archive.recipe?.features ?? []) print(`  ${describeFeature(feature)}`)
    for (const { name, faces } of identities) print(`  "${oneLine(name)}": ${faces} faces`)
    for (const { path, code, message } of failures) print(`  failed: ${oneLine(path)}: ${message} [${code}]`)
  } finally {
    archive.close()
  }
}
