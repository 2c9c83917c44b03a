import { Command, Option } from 'commander'
import { restore, type RestoreReport } from '../../index/backup/restore.js'
import { asCaller } from '../cli/caller.js'
import { givenArchiveOption, jsonOption } from '../cli/options.js'
import { counted, exitCodes, print, printJson } from '../cli/output.js'

interface RestoreOptions {
  readonly archive: string
  readonly from: string
  readonly replace: boolean
  readonly erasures?: string
  readonly withoutErasureList: boolean
  readonly json: boolean
}

export const restoreCommand = new Command('restore')
  .description('Make an archive from a backup. What was erased since the backup is erased again.')
  .requiredOption('--from <file>', 'the backup')
  .addOption(givenArchiveOption('folder of the archive').makeOptionMandatory())
  .addOption(new Option('--replace', 'replace the archive that is there').default(false))
  .addOption(
    new Option(
      '--erasures <file>',
      'receipts that were kept elsewhere, as "cameo receipt list --json" prints them',
    ),
  )
  .addOption(
    new Option(
      '--without-erasure-list',
      'restore although nothing tells who was forgotten since the backup',
    ).default(false),
  )
  .addOption(jsonOption())
  .addHelpText(
    'after',
    `
Stop everything that uses the archive first. With --replace, the archive that is there tells what was erased; without it, --erasures does.
With --json: {backupAt, receipts, erasedAgain: {names, faces, clips, tracks, auditKeys}}; receipts is null if nothing could be known.
Exit code: 0 restored; 2 not: the archive is as it was before.`,
  )
  .action(async (options: RestoreOptions) => {
    const { archive, from, erasures, json, ...rest } = options
    const report = await asCaller((caller) =>
      restore({ ...rest, file: from, archiveDir: archive, erasuresFile: erasures }, caller),
    )
    if (json) printJson({ ...report, receipts: report.receipts ?? null })
    else print(textOf(report))
    process.exitCode = exitCodes.ok
  })

function textOf({ backupAt, receipts, erasedAgain: { names, faces, clips, tracks } }: RestoreReport): string {
  const again =
    names + faces + clips + tracks === 0
      ? 'nothing had to be erased again'
      : `erased again: ${[
          counted(names, 'name'),
          counted(faces, 'face'),
          counted(clips, 'clip'),
          counted(tracks, 'track'),
        ].join(', ')}`
  return receipts === undefined
    ? `restored as of ${backupAt}; nobody could say what was erased since then, so forgotten people may be back`
    : `restored as of ${backupAt}; ${again}`
}
