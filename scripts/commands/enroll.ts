import { resolve } from 'node:path'
import { Command, Option } from 'commander'
import { openArchiveToRead } from '../../index/archive/open-archive.js'
import { enrolledFaces } from '../../index/identities/enrolled-faces.js'
import { agreementOf, bySource } from '../../index/identities/enrolment-agreement.js'
import {
  enroll,
  knownName,
  parseName,
  referencesOf,
  type ReferenceFace,
} from '../../index/identities/identities.js'
import { thresholdOfModels } from '../../index/search/match-threshold.js'
import { CameoError } from '../../pipeline/common/errors.js'
import type { DeviceChoice } from '../../pipeline/models/device.js'
import { findPack } from '../../pipeline/models/packs/catalog.js'
import { embedPhotoFace } from '../../pipeline/photos/process-photo.js'
import type { Stages } from '../../pipeline/stages/load-pipeline.js'
import { checkAgreement, tellDisagreeing, type Disagreeing } from '../use/enrolment-check.js'
import { adviceMessageOf } from '../cli/advice.js'
import { archiveOption, deviceOption, jsonOption, numberWithin } from '../cli/options.js'
import {
  counted,
  exitCodes,
  note,
  oneLine,
  print,
  printJson,
  printJsonError,
  reportError,
} from '../cli/output.js'
import { kindOfFile } from '../use/query-file.js'
import { tellDamage } from '../reports/damage-report.js'
import { faceOfPhoto, personOfClip } from '../use/query-person.js'
import { loadArchiveStages, openFilledArchive, type OpenedArchive } from '../use/query.js'

interface EnrollOptions {
  readonly archive: string
  readonly face?: number
  readonly list: boolean
  readonly force: boolean
  readonly device: DeviceChoice
  readonly json: boolean
}

export const enrollCommand = new Command('enroll')
  .description(
    'Give a name to a face, so that it can be searched by name. Adds to the faces a name has already.',
  )
  .argument('<name>', 'the name', parseName)
  .argument('[files...]', 'photos, and clips whose main person it is')
  .addOption(archiveOption())
  .addOption(
    new Option('--face <number>', 'which face of the photo, or person of the clip').argParser(
      numberWithin(1, 10_000, 'integer'),
    ),
  )
  .addOption(new Option('--list', 'list the faces that the name has, by number').default(false))
  .addOption(new Option('--force', 'enroll also photos that mostly show different people').default(false))
  .addOption(deviceOption())
  .addOption(jsonOption())
  .addHelpText(
    'after',
    `
The files are compared with each other and with what the name has already, by the cosine similarity of their faces: a file that
reaches the threshold of the models with fewer than half of the others disagrees. Those that do are named; where most of the
files given do, nothing is enrolled without --force. "cameo forget --name NAME --face N" takes one face out again.
With --json: {name, faces, added, disagreeing: [{source, faces, similarity, matches, others}], failed: [{source, code, message}]};
with --list: {name, faces, list: [{number, source, quality, similarity}]}, where similarity is the mean to the other files.
Exit code: 0 all files are enrolled, 1 some could not be used (the others are enrolled), 2 none.`,
  )
  .action(async (name: string, files: string[], options: EnrollOptions) => {
    process.exitCode = options.list ? listFaces(name, files, options) : await runEnroll(name, files, options)
  })

async function runEnroll(name: string, files: readonly string[], options: EnrollOptions): Promise<number> {
  if (files.length === 0)
    throw new CameoError('USAGE', 'say whose face it is: give photos or clips, or --list')
  const opened = openFilledArchive(options.archive)
  try {
    const { stages, pack } = await loadArchiveStages(opened, options.device, 'all')
    const { references, failed } = await readFaces(files, stages, options.face)
    await stages.dispose()
    for (const { error } of failed) reportError(error, false)
    if (references.length === 0) {
      const [first] = failed
      if (options.json && first !== undefined) printJsonError(first.error)
      note(`nothing was enrolled for "${oneLine(name)}"`)
      return exitCodes.failed
    }
    const { database } = opened.archive
    const { embedderDigest } = opened.recipe
    const known = knownName(database, name)
    const models = { dimension: pack.embedder.dimension, threshold: thresholdOfModels(pack) }
    const enrolled = enrolledFaces(database, known, embedderDigest)
    const disagreeing = checkAgreement({ name: known, enrolled, given: references, ...models }, options.force)
    const identity = enroll(database, known, embedderDigest, references)
    const faces = enrolledFaces(database, known, embedderDigest)
    const numbered = disagreeing.map((each) => ({
      ...each,
      faces: faces.filter(({ source }) => source === each.source).map(({ number }) => number),
    }))
    tellEnrolled({ ...identity, added: references.length, disagreeing: numbered, failed }, models, options)
    return failed.length > 0 ? exitCodes.someFailed : exitCodes.ok
  } finally {
    opened.archive.close()
  }
}

interface Failed {
  readonly source: string
  readonly error: CameoError
}

async function readFaces(files: readonly string[], stages: Stages, face: number | undefined) {
  const references: ReferenceFace[] = []
  const failed: Failed[] = []
  for (const source of files) {
    try {
      references.push(...(await facesOf(source, stages, face)))
    } catch (error) {
      if (!(error instanceof CameoError)) throw error
      failed.push({ source, error })
    }
  }
  return { references, failed }
}

interface Enrolled {
  readonly name: string
  readonly faces: number
  readonly added: number
  readonly disagreeing: readonly Disagreeing[]
  readonly failed: readonly Failed[]
}

function tellEnrolled(
  { name, faces, added, disagreeing, failed }: Enrolled,
  { threshold }: { readonly threshold: number },
  { json }: EnrollOptions,
): void {
  tellDisagreeing(name, disagreeing, threshold)
  if (json)
    printJson({
      ...{ name, faces, added, disagreeing },
      failed: failed.map(({ source, error }) => ({
        ...{ source, code: error.code, message: adviceMessageOf(error) },
      })),
    })
  else print(`"${oneLine(name)}" is enrolled with ${counted(faces, 'face')} (${added} added)`)
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

function listFaces(name: string, files: readonly string[], options: EnrollOptions): number {
  if (files.length > 0) throw new CameoError('USAGE', '--list shows what is enrolled: give it no files')
  const opened = openFilledArchive(options.archive, (dir) => openArchiveToRead(dir, note))
  try {
    const { list, ...identity } = facesOfName(opened, name)
    if (options.json) printJson({ ...identity, list })
    else {
      print(`"${oneLine(identity.name)}" is enrolled with ${counted(identity.faces, 'face')}`)
      for (const { number, source, quality, similarity } of list) {
        const alike = similarity === null ? '' : `, similarity to the others ${similarity.toFixed(2)}`
        print(`  ${number}: ${oneLine(source)} (quality ${quality.toFixed(2)}${alike})`)
      }
    }
    return exitCodes.ok
  } finally {
    opened.archive.close()
  }
}

/** Throws NAME_UNKNOWN. */
function facesOfName({ archive, recipe }: OpenedArchive, given: string) {
  const { database } = archive
  const name = knownName(database, given)
  // Throws where there are none.
  referencesOf(database, name, recipe.embedderDigest, [], (damage) => tellDamage(archive, [damage]))
  const enrolled = enrolledFaces(database, name, recipe.embedderDigest)
  const pack = findPack(recipe.packName)
  const agreement = agreementOf(bySource(enrolled), pack.embedder.dimension, thresholdOfModels(pack))
  const similarities = new Map(agreement.map(({ source, similarity }) => [source, similarity]))
  const list = enrolled.map(({ number, source, quality }) => ({
    ...{ number, source, quality },
    similarity: similarities.get(source) ?? null,
  }))
  return { name, faces: enrolled.length, list }
}
