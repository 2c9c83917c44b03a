import { Command } from 'commander'
import { openFilledArchive } from '../../../index/archive/open-archive.js'
import { importNames, type ImportedName } from '../../../index/identities/import-names.js'
import type { DeviceChoice } from '../../../pipeline/models/device.js'
import { asCaller } from '../../cli/caller.js'
import { archiveOption, deviceOption, jsonOption } from '../../cli/options.js'
import { counted, exitCodes, note, oneLine, print, printJson } from '../../cli/output.js'
import { untilStopped } from '../../cli/until-stopped.js'

interface ImportOptions {
  readonly archive: string
  readonly device: DeviceChoice
  readonly json: boolean
}

export const importCommand = new Command('import')
  .description('Add the names of a file that "cameo people export" wrote.')
  .argument('<file>', 'the file')
  .addOption(archiveOption())
  .addOption(deviceOption())
  .addOption(jsonOption())
  .addHelpText(
    'after',
    `
Names of the archive stay as they are, and get the faces, aliases and corrections that they lack. Either all names are added or none.
If the archive has other models, faces are embedded from their pictures. Names without pictures are kept, and need photos.
With --json: {names: [{name, into?, status, faces, corrections, leftOutAliases, keptNote, needsPhotos}], embedded}. status is added,
joined or unchanged; into is the name that has the name as an alias; faces and corrections are new ones.
Exit code: 0 all names can be searched for; 1 some need photos; 2 nothing was added.`,
  )
  .action(async (file: string, { archive, device, json }: ImportOptions) => {
    const opened = openFilledArchive(archive, note)
    try {
      const report = await untilStopped((signal) =>
        asCaller((caller) => importNames(opened, { file, device, signal }, caller)),
      )
      if (json) printJson(report)
      else for (const each of report.names) print(describe(each))
      const lacking = report.names.filter(({ needsPhotos }) => needsPhotos)
      if (lacking.length > 0)
        note(`${counted(lacking.length, 'name')} cannot be searched for yet: enroll photos of them`)
      process.exitCode = lacking.length > 0 ? exitCodes.someFailed : exitCodes.ok
    } finally {
      opened.archive.close()
    }
  })

function describe(imported: ImportedName): string {
  const { name, into, status, faces, corrections, leftOutAliases, keptNote, needsPhotos } = imported
  const parts = [
    status,
    ...(into === undefined ? [] : [`to "${oneLine(into)}"`]),
    ...(faces === 0 ? [] : [counted(faces, 'face')]),
    ...(corrections === 0 ? [] : [counted(corrections, 'correction')]),
    ...leftOutAliases.map((alias) => `the alias "${oneLine(alias)}" belongs to somebody else`),
    ...(keptNote ? ['the note of this archive stays'] : []),
    ...(needsPhotos ? ['needs photos'] : []),
  ]
  return `"${oneLine(name)}": ${parts.join(', ')}`
}
