import { Command } from 'commander'
import { openFilledArchive } from '../../../index/archive/open-archive.js'
import { refreshNames } from '../../../index/identities/refresh-names.js'
import type { DeviceChoice } from '../../../pipeline/models/device.js'
import { asCaller } from '../../cli/caller.js'
import { archiveOption, deviceOption, jsonOption } from '../../cli/options.js'
import { counted, exitCodes, note, oneLine, print, printJson } from '../../cli/output.js'
import { untilStopped } from '../../cli/until-stopped.js'

interface RefreshOptions {
  readonly archive: string
  readonly device: DeviceChoice
  readonly json: boolean
}

export const refreshCommand = new Command('refresh')
  .description('Embed the kept pictures of all names with the models that the archive has now.')
  .addOption(archiveOption())
  .addOption(deviceOption())
  .addOption(jsonOption())
  .addHelpText(
    'after',
    `
Needed after "cameo ingest --reprocess" with other models. A name without pictures is kept, and needs photos again.
With --json: {refreshed: [{name, faces}], needPhotos: [name]}.
Exit code: 0 all names can be searched for; 1 some need photos; 2 it could not run.`,
  )
  .action(async ({ archive, device, json }: RefreshOptions) => {
    const opened = openFilledArchive(archive, note)
    try {
      const report = await untilStopped((signal) =>
        asCaller((caller) => refreshNames(opened, { device, signal }, caller)),
      )
      const { refreshed, needPhotos } = report
      if (json) printJson(report)
      else {
        for (const { name, faces } of refreshed)
          print(`"${oneLine(name)}": ${counted(faces, 'face')} embedded`)
        for (const name of needPhotos) print(`"${oneLine(name)}" needs photos: enroll some`)
        if (refreshed.length + needPhotos.length === 0) print('all names have faces of these models')
      }
      process.exitCode = needPhotos.length > 0 ? exitCodes.someFailed : exitCodes.ok
    } finally {
      opened.archive.close()
    }
  })
