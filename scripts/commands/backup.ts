import { Command, Option } from 'commander'
import { backUp } from '../../index/backup/back-up.js'
import { archiveOption, jsonOption } from '../cli/options.js'
import { exitCodes, note, oneLine, print, printJson } from '../cli/output.js'

interface BackupOptions {
  readonly archive: string
  readonly to: string
  readonly overwrite: boolean
  readonly json: boolean
}

export const backupCommand = new Command('backup')
  .description('Write an archive, which may be in use, into one file.')
  .requiredOption('--to <file>', 'file to write, readable only by you')
  .addOption(archiveOption())
  .addOption(new Option('--overwrite', 'replace a file that is there already').default(false))
  .addOption(jsonOption())
  .addHelpText(
    'after',
    `
The file holds faces, names, the audit log and the keys of the archive: whoever has it can read all of it. Video files and snapshots of
the vector index are not part of it. It needs as much free space again while it is written.
With --json: {file, bytes, sha256, at, files: [{path, bytes, sha256}]}.
Exit code: 0 written; 2 not.`,
  )
  .action(async ({ archive, to, overwrite, json }: BackupOptions) => {
    const report = await backUp({ archiveDir: archive, file: to, overwrite }, note)
    if (json) printJson(report)
    else print(`${oneLine(report.file)} written (${report.bytes} bytes, SHA-256 ${report.sha256})`)
    process.exitCode = exitCodes.ok
  })
