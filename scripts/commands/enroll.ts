import { resolve } from 'node:path'
import { Command, Option } from 'commander'
import { enroll, knownName, parseName, type ReferenceFace } from '../../index/identities.js'
import { CameoError } from '../../pipeline/errors.js'
import type { DeviceChoice } from '../../pipeline/models/device.js'
import { embedPhotoFace } from '../../pipeline/photo.js'
import type { Stages } from '../../pipeline/stages.js'
import { archiveOption, deviceOption, jsonOption, numberWithin } from '../options.js'
import {
  counted,
  exitCodes,
  note,
  oneLine,
  print,
  printJson,
  printJsonError,
  reportError,
} from '../output.js'
import { kindOfFile } from '../query-file.js'
import { faceOfPhoto, personOfClip } from '../query-person.js'
import { loadArchiveStages, openFilledArchive } from '../query.js'

interface EnrollOptions {
  readonly archive: string
  readonly face?: number
  readonly device: DeviceChoice
  readonly json: boolean
}

export const enrollCommand = new Command('enroll')
  .description(
    'Give a name to a face, so that it can be searched by name. Adds to the faces a name has already.',
  )
  .argument('<name>', 'the name', parseName)
  .argument('<files...>', 'photos, and clips whose main person it is')
  .addOption(archiveOption())
  .addOption(
    new Option('--face <number>', 'which face of the photo, or person of the clip').argParser(
      numberWithin(1, 10_000, 'integer'),
    ),
  )
  .addOption(deviceOption())
  .addOption(jsonOption())
  .addHelpText(
    'after',
    `
With --json: {name, faces, added, failed: [{source, code, message}]}.
Exit code: 0 all files are enrolled, 1 some could not be used (the others are enrolled), 2 none.`,
  )
  .action(async (name: string, files: string[], options: EnrollOptions) => {
    process.exitCode = await runEnroll(name, files, options)
  })

async function runEnroll(name: string, files: readonly string[], options: EnrollOptions): Promise<number> {
  const opened = openFilledArchive(options.archive)
  try {
    const { stages } = await loadArchiveStages(opened, options.device, 'all')
    const references: ReferenceFace[] = []
    const failed: { source: string; error: CameoError }[] = []
    for (const source of files) {
      try {
        references.push(...(await facesOf(source, stages, options.face)))
      } catch (error) {
        if (!(error instanceof CameoError)) throw error
        failed.push({ source, error })
      }
    }
    await stages.dispose()
    for (const { error } of failed) reportError(error, false)
    if (references.length === 0) {
      const [first] = failed
      if (options.json && first !== undefined) printJsonError(first.error)
      note(`nothing was enrolled for "${oneLine(name)}"`)
      return exitCodes.failed
    }
    const { database } = opened.archive
    const identity = enroll(database, knownName(database, name), opened.recipe.embedderDigest, references)
    if (options.json)
      printJson({
        ...identity,
        added: references.length,
        failed: failed.map(({ source, error: { code, message } }) => ({ source, code, message })),
      })
    else
      print(
        `"${oneLine(identity.name)}" is enrolled with ${counted(identity.faces, 'face')} (${references.length} added)`,
      )
    return failed.length > 0 ? exitCodes.someFailed : exitCodes.ok
  } finally {
    opened.archive.close()
  }
}

async function facesOf(file: string, stages: Stages, face: number | undefined): Promise<ReferenceFace[]> {
  const path = resolve(file)
  if ((await kindOfFile(path)) === 'photo') {
    const { chosen } = await faceOfPhoto(path, stages, face)
    return [{ source: path, ...(await embedPhotoFace(chosen, stages)) }]
  }
  const { chosen } = await personOfClip(path, stages, face)
  return chosen.faces.map((own) => ({ source: path, ...own }))
}
