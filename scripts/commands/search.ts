import { resolve } from 'node:path'
import { Command, Option } from 'commander'
import { openArchiveToRead } from '../../index/archive.js'
import type { ArchiveRecipe } from '../../index/store/meta.js'
import type { Damage } from '../../index/store/damage.js'
import { openArchiveIndex } from '../../index/archive-index.js'
import { falseAcceptRateAt } from '../../index/false-accepts.js'
import { knownName, parseName, referencesOf } from '../../index/identities.js'
import { searchClips, type ClipMatch, type SearchAnswer } from '../../index/search.js'
import type { VectorCache } from '../../index/vector-cache.js'
import { CameoError, messageOf } from '../../pipeline/errors.js'
import { writePrivateFile } from '../../pipeline/private-files.js'
import type { FaceEmbeddings } from '../../pipeline/head/pooled-input.js'
import { findPack } from '../../pipeline/models/catalog.js'
import type { DeviceChoice } from '../../pipeline/models/device.js'
import { sha256OfFile } from '../../pipeline/models/digest.js'
import type { Pack } from '../../pipeline/models/pack.js'
import { embedPhotoFace } from '../../pipeline/photo.js'
import { contactSheet } from '../contact-sheet.js'
import { tellDamage, type DamagedThing } from '../damage-report.js'
import { archiveOption, deviceOption, jsonOption, numberWithin } from '../options.js'
import { counted, dataUri, exitCodes, formatTime, note, oneLine, print, printJson } from '../output.js'
import {
  archiveDescriber,
  furtherEmbeddersOf,
  loadArchiveStages,
  openFilledArchive,
  type OpenedArchive,
} from '../query.js'
import { coverageOfAnswer, hitJson, notesOf, withCoverage, type AnswerCoverage } from '../search-coverage.js'
import { faceOfPhoto, personOfClip, type Candidate } from '../query-person.js'

interface SearchCommandOptions {
  readonly archive: string
  readonly image?: string
  readonly clip?: string
  readonly name?: string
  readonly face?: number
  readonly top: number
  readonly minScore?: number
  readonly excludeSelf: boolean
  readonly html?: string
  readonly device: DeviceChoice
  readonly json: boolean
}

/** What is asked for, ready to be compared. */
interface Query {
  readonly kind: 'image' | 'clip' | 'name'
  /** File or name, as given. */
  readonly value: string
  /** Which of several faces or people, from 1. */
  readonly face?: number
  /** Whom the photo or the clip shows. */
  readonly people?: readonly Candidate[]
  /** How its file could be read, as sentences. */
  readonly notices?: readonly string[]
  readonly embeddings: readonly FaceEmbeddings[]
  readonly quality: number
  readonly thumbnailJpeg: Uint8Array | undefined
  /** Set where the query is a clip. */
  readonly clipId?: string
  /** Of the name. */
  readonly damage?: readonly Damage[]
}

/** Used where a pack says no calibrated threshold: between the usual ones of ArcFace models, on the careful side. */
const uncalibratedThreshold = 0.4

export const searchCommand = new Command('search')
  .description('Find the clips in which a person appears, best first, with time ranges.')
  .addOption(archiveOption())
  .addOption(new Option('-i, --image <file>', 'a photo of the person').conflicts(['clip', 'name']))
  .addOption(new Option('-c, --clip <file>', 'a clip that shows the person').conflicts(['image', 'name']))
  .addOption(
    new Option('-n, --name <name>', 'an enrolled name')
      .argParser(parseName)
      .conflicts(['image', 'clip', 'face']),
  )
  .addOption(
    new Option('--face <number>', 'which face of the photo, or person of the clip').argParser(
      numberWithin(1, 10_000, 'integer'),
    ),
  )
  .addOption(
    new Option('--top <n>', 'how many clips at the most')
      .default(20)
      .argParser(numberWithin(1, 100_000, 'integer')),
  )
  .addOption(
    new Option(
      '--min-score <s>',
      'cosine similarity from which a clip is shown (default: the calibrated threshold of the models)',
    ).argParser(numberWithin(-1, 1)),
  )
  .addOption(new Option('--exclude-self', 'leave the query clip out of its own answer').default(false))
  .addOption(new Option('--html <file>', 'also write a contact sheet'))
  .addOption(deviceOption())
  .addOption(jsonOption())
  .addHelpText(
    'after',
    `
With --json: {query, threshold, confident, expectedFalseMatches, tracksSearched, tracksExamined,
coverage, damaged: [{clipId?, path?, name?, what}],
results: [{clipId, path, score, ranges: [{startS, endS, trackId, score}], faces: [{timeS, boxXyxyPx, quality}],
thumbnail, missing?, coverage?}]}; coverage says how much of the archive was not looked at, and what of a clip that was not wholly
looked at (see "cameo coverage --help"); missing is true of a clip whose file is not there any more;
query is {kind, value, quality, face?, people?: [{number, ranges?: [{startS, endS}], boxXyxyPx, quality}], notices?}: whom a photo or a
clip shows, by their numbers for --face, and what is to be said about its file; damaged is what of the archive could not be trusted
and is left out; thumbnail is a JPEG as a data: URI, score a cosine similarity, times are seconds.
Exit code: 0 the question was answered, also with no match; 2 it could not be.`,
  )
  .action(async (options: SearchCommandOptions) => {
    await runSearch(options)
    process.exitCode = exitCodes.ok
  })

async function runSearch(options: SearchCommandOptions): Promise<void> {
  const opened = openFilledArchive(options.archive, (dir) => openArchiveToRead(dir, note))
  try {
    const pack = findPack(opened.recipe.packName)
    const query = await readQuery(options, opened)
    const describer = await archiveDescriber(opened, pack, options.device)
    const descriptor = await describer.describe(query.embeddings)
    const index = await openArchiveIndex(opened.archive, { onNotice: note })
    const threshold = options.minScore ?? thresholdOf(pack)
    try {
      const answer = searchClips(opened.archive, index, descriptor, {
        top: options.top,
        minScore: threshold,
        excludeClipId: options.excludeSelf ? query.clipId : undefined,
      })
      if (opened.archive.recipe?.digest !== opened.recipe.digest)
        throw new CameoError(
          'ARCHIVE_BUSY',
          `the descriptors of ${options.archive} were exchanged while it was searched: search again`,
        )
      const rate = expectedFalseMatches(opened.recipe, pack, threshold, answer)
      const coverage = coverageOfAnswer(opened.archive, answer.matches)
      const damaged = tellDamage(opened.archive, [...(query.damage ?? []), ...answer.damage])
      tell({ query, answer, threshold, expectedFalseMatches: rate, coverage, damaged }, options)
    } finally {
      await closeIndex(index)
    }
  } finally {
    opened.archive.close()
  }
}

function tell(report: Report, { html, json }: SearchCommandOptions): void {
  if (html !== undefined) {
    const { query, answer, coverage } = report
    const matches = answer.matches.map((match) => ({ ...match, notes: notesOf(match, coverage) }))
    writeSheet(html, contactSheet(titleOf(query), query.thumbnailJpeg, matches, summaryOf(report)))
    note(`wrote ${html}`)
  }
  if (json) printJson(toJson(report))
  else printAnswer(report)
}

/** The answer is given: that a snapshot cannot be written makes the next search slower, and nothing else. */
async function closeIndex(index: VectorCache): Promise<void> {
  try {
    await index.close()
  } catch (error) {
    note(`the vector index was not saved: ${messageOf(error)}`)
  }
}

function writeSheet(file: string, html: string): void {
  try {
    writePrivateFile(file, html)
  } catch (cause) {
    throw new CameoError('USAGE', `the contact sheet ${file} cannot be written (${messageOf(cause)})`, {
      cause,
    })
  }
}

async function readQuery(options: SearchCommandOptions, opened: OpenedArchive): Promise<Query> {
  const { image, clip, name } = options
  if (name !== undefined) {
    const damage: Damage[] = []
    const embeddings = referencesOf(
      opened.archive.database,
      knownName(opened.archive.database, name),
      opened.recipe.embedderDigest,
      furtherEmbeddersOf(opened.recipe).map(({ digest }) => digest),
      (found) => damage.push(found),
    )
    const quality = Math.max(...embeddings.map((face) => face.quality))
    return { kind: 'name', value: name, embeddings, quality, thumbnailJpeg: undefined, damage }
  }
  if (image === undefined && clip === undefined)
    throw new CameoError('USAGE', 'say who to search for: --image PHOTO, --clip FILE or --name NAME')
  const { stages } = await loadArchiveStages(opened, options.device)
  try {
    const face = options.face === undefined ? {} : { face: options.face }
    if (image !== undefined) {
      const { chosen, people, notices } = await faceOfPhoto(image, stages, options.face)
      const { embedding, quality, extraEmbeddings } = await embedPhotoFace(chosen, stages)
      const { thumbnailJpeg } = chosen
      return {
        kind: 'image',
        value: image,
        ...face,
        people,
        notices,
        embeddings: [{ ...embedding, quality, extraEmbeddings }],
        quality,
        thumbnailJpeg,
      }
    }
    const path = resolve(clip ?? '')
    const { chosen: person, people } = await personOfClip(path, stages, options.face)
    return {
      kind: 'clip',
      value: clip ?? '',
      ...face,
      people,
      embeddings: person.faces.map(({ embedding, quality, extraEmbeddings = [] }) => ({
        ...{ ...embedding, quality, extraEmbeddings },
      })),
      quality: person.quality,
      thumbnailJpeg: person.thumbnailJpeg,
      clipId: await sha256OfFile(path),
    }
  } finally {
    await stages.dispose()
  }
}

export function thresholdOf(pack: Pack): number {
  return pack.calibration?.threshold ?? uncalibratedThreshold
}

/**
 * How many of an archive's tracks of other people pass by chance: the false-accept rate at the threshold times the tracks
 * searched. Undefined for models of which no rate was measured; a head makes other scores of theirs.
 */
function expectedFalseMatches(
  { headFile }: ArchiveRecipe,
  pack: Pack,
  threshold: number,
  { tracksSearched }: SearchAnswer,
): number | undefined {
  if (pack.calibration === undefined || headFile !== undefined) return undefined
  const rate = falseAcceptRateAt(pack.calibration, threshold)
  return rate === undefined ? undefined : rate * tracksSearched
}

interface Report {
  readonly query: Query
  readonly answer: SearchAnswer
  readonly threshold: number
  readonly expectedFalseMatches: number | undefined
  readonly coverage: AnswerCoverage
  readonly damaged: readonly DamagedThing[]
}

function toJson({ query, answer, threshold, expectedFalseMatches, coverage, damaged }: Report) {
  const { kind, value, face, people, notices = [], quality } = query
  return {
    query: {
      ...{ kind, value, quality },
      ...(face === undefined ? {} : { face }),
      ...(people === undefined ? {} : { people }),
      ...(notices.length === 0 ? {} : { notices }),
    },
    threshold,
    confident: answer.matches.length > 0,
    expectedFalseMatches: expectedFalseMatches ?? null,
    tracksSearched: answer.tracksSearched,
    tracksExamined: answer.tracksExamined,
    coverage: coverage.sum,
    damaged,
    results: answer.matches.map((match) => ({ ...matchJson(match), ...hitJson(match, coverage) })),
  }
}

const matchJson = ({ clipId, path, score, durationS, ranges, faces, thumbnailJpeg }: ClipMatch) => ({
  clipId,
  path,
  score,
  durationS: durationS ?? null,
  ranges,
  faces,
  thumbnail: thumbnailJpeg === undefined ? null : dataUri(thumbnailJpeg),
})

function titleOf({ kind, value, face }: Query): string {
  return kind === 'name' ? value : `${value}${face === undefined ? '' : `, face ${face}`}`
}

function summaryOf({ answer, threshold, expectedFalseMatches, coverage }: Report): string {
  const { matches, tracksSearched } = answer
  const found =
    matches.length === 0
      ? `no confident match: no track reaches ${threshold.toFixed(2)}`
      : `${counted(matches.length, 'clip')} from score ${threshold.toFixed(2)} upwards`
  const chance =
    expectedFalseMatches === undefined
      ? '(how many match by chance was not measured for these models)'
      : `(${formatExpected(expectedFalseMatches)} would match by chance)`
  return withCoverage(`${found}; ${counted(tracksSearched, 'track')} searched ${chance}`, coverage)
}

const formatExpected = (count: number) =>
  count < 0.01 ? 'fewer than 0.01' : `about ${count.toFixed(count < 10 ? 2 : 0)}`

function printAnswer(report: Report): void {
  for (const [index, match] of report.answer.matches.entries()) {
    print(formatMatch(index + 1, match))
    for (const line of notesOf(match, report.coverage)) print(`            ${line}`)
  }
  print(summaryOf(report))
}

function formatMatch(rank: number, { score, path, isMissing, ranges, faces, clipId }: ClipMatch): string {
  const times = ranges.map(({ startS, endS }) => `${formatTime(startS)}–${formatTime(endS)}`).join(', ')
  const best = faces[0]
  const detail =
    best === undefined
      ? ''
      : `; ${counted(faces.length, 'face')}, best at ${formatTime(best.timeS)}, quality ${best.quality.toFixed(2)}`
  return `${String(rank).padStart(3)}  ${score.toFixed(3)}  ${isMissing ? `missing (was ${oneLine(path)})` : oneLine(path)}\n            ${times}${detail}  (clip ${clipId.slice(0, 12)})`
}
