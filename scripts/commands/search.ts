import { resolve } from 'node:path'
import { Command, Option } from 'commander'
import { openArchiveToRead } from '../../index/archive/open-archive.js'
import type { Damage } from '../../index/store/damage.js'
import { openArchiveIndex } from '../../index/archive/open-archive-index.js'
import { knownName, parseName, referencesOf } from '../../index/identities/identities.js'
import { matchProbability, type Prior } from '../../index/search/match-probability.js'
import { hiddenMatchOf, type HiddenMatch } from '../../index/search/hidden-match.js'
import { calibrationOf, chooseThreshold, weakScoreOf } from '../../index/search/match-threshold.js'
import { searchClips } from '../../index/search/search-clips.js'
import type { VectorCache } from '../../index/vectors/archive/cached-index.js'
import { CameoError, messageOf } from '../../pipeline/common/errors.js'
import { writePrivateFile } from '../../pipeline/common/private-files.js'
import type { FaceEmbeddings } from '../../pipeline/describe/pooled-input.js'
import { findPack } from '../../pipeline/models/packs/catalog.js'
import type { DeviceChoice } from '../../pipeline/models/device.js'
import { sha256OfFile } from '../../pipeline/common/digest.js'
import type { Calibration } from '../../pipeline/models/packs/pack.js'
import { embedPhotoFace } from '../../pipeline/photos/process-photo.js'
import {
  printAnswer,
  sheetMatches,
  summaryOf,
  titleOf,
  toJson,
  type Hit,
  type Report,
  type ToldQuery,
} from '../reports/answer-report.js'
import { contactSheet } from '../reports/contact-sheet.js'
import { tellDamage } from '../reports/damage-report.js'
import {
  archiveOption,
  deviceOption,
  expectFalseOption,
  jsonOption,
  minScoreOption,
  numberWithin,
} from '../cli/options.js'
import { adviceMessageOf } from '../cli/advice.js'
import { exitCodes, note, printJson } from '../cli/output.js'
import {
  archiveDescriber,
  furtherEmbeddersOf,
  loadArchiveStages,
  openFilledArchive,
  type OpenedArchive,
} from '../use/query.js'
import { coverageOfAnswer } from '../reports/search-coverage.js'
import { faceOfPhoto, personOfClip } from '../use/query-person.js'
import type { ClipMatch } from '../../index/search/clip-match.js'

interface SearchCommandOptions {
  readonly archive: string
  readonly image?: string
  readonly clip?: string
  readonly name?: string
  readonly face?: number
  readonly top: number
  readonly minScore?: number
  readonly expectFalse?: number
  readonly expectAppearances: number
  readonly weak: boolean
  readonly excludeSelf: boolean
  readonly html?: string
  readonly device: DeviceChoice
  readonly json: boolean
}

/** What is asked for, ready to be compared. */
interface Query extends ToldQuery {
  readonly embeddings: readonly FaceEmbeddings[]
  /** Set where the query is a clip. */
  readonly clipId?: string
  /** Of the name. */
  readonly damage?: readonly Damage[]
}

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
  .addOption(minScoreOption())
  .addOption(expectFalseOption())
  .addOption(
    new Option(
      '--expect-appearances <n>',
      'how many tracks of the archive you expect to show the person, for the probabilities',
    )
      .default(1)
      .argParser(numberWithin(1e-6, 1e9)),
  )
  .addOption(new Option('--weak', 'also list what is like the person below the threshold').default(false))
  .addOption(new Option('--exclude-self', 'leave the query clip out of its own answer').default(false))
  .addOption(new Option('--html <file>', 'also write a contact sheet'))
  .addOption(deviceOption())
  .addOption(jsonOption())
  .addHelpText(
    'after',
    `
A track matches from a threshold on. By default it is the lowest at which --expect-false tracks of other people are expected to match
in an archive of this size, but never below the calibrated threshold of the models, which few such tracks reach (the answer says how
many).
probability says how likely a hit shows the person: from its score and the lower one of the query's and the track's quality, if
--expect-appearances of the tracks searched show the person. Both need calibrated models, and no head. --weak also lists tracks from
the score on that one in a hundred tracks of other people reaches: they are no matches.

With --json: {query, threshold, thresholdReason, confident, falseAcceptRate, expectedFalseMatches, prior, tracksSearched,
tracksExamined, coverage, damaged: [{clipId?, path?, name?, what}], results: [{clipId, path, score, probability,
ranges: [{startS, endS, trackId, score, weak?}], faces: [{timeS, boxXyxyPx, quality}], thumbnail, missing?, coverage?}], weak?};
thresholdReason is "given", "archive size", "models" or "uncalibrated"; falseAcceptRate is {rate, estimate, interval?}, estimate true
where the rate is extrapolated beyond what was measured, interval then its 95 % interval; prior is {appearances, tracks}; what was not
measured is null; weak is a list as results, with --weak, and so do ranges in results whose track does not reach the threshold: weak is true of them;
coverage says how much of the archive was not looked at, and what of a clip that was not wholly
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
    try {
      const line = chooseThreshold(opened.recipe, pack, index.size, options)
      const calibration = calibrationOf(opened.recipe, pack)
      const hidden = hiddenMatchOf(opened.recipe, pack, descriptor, options)
      const answer = searchClips(opened.archive, index, descriptor, {
        top: options.top,
        minScore: line.threshold,
        weakScore: options.weak ? weakScoreOf(calibration, line.threshold) : undefined,
        hidden,
        excludeClipId: options.excludeSelf ? query.clipId : undefined,
      })
      if (opened.archive.recipe?.digest !== opened.recipe.digest)
        throw new CameoError(
          'ARCHIVE_BUSY',
          `the descriptors of ${options.archive} were exchanged while it was searched: search again`,
        )
      const prior = { appearances: options.expectAppearances, tracks: answer.tracksSearched }
      const isLikelihoodKnown = calibration?.likelihood !== undefined
      const coverage = coverageOfAnswer(opened.archive, [...answer.matches, ...answer.weak])
      const damaged = tellDamage(opened.archive, [...(query.damage ?? []), ...answer.damage])
      const toHit = (match: ClipMatch): Hit => ({
        match,
        probability: probabilityOf(match, query.quality, calibration, prior),
      })
      const hits = { matches: answer.matches.map(toHit), weak: answer.weak.map(toHit) }
      const told = { prior: isLikelihoodKnown ? prior : undefined, withWeak: options.weak }
      const notices = [...(query.notices ?? []), ...(hidden === undefined ? [] : [hiddenText(hidden)])]
      if (hidden !== undefined) note(hiddenText(hidden))
      tell({ query: { ...query, notices }, answer, hits, line, coverage, damaged, ...told }, options)
    } finally {
      await closeIndex(index)
    }
  } finally {
    opened.archive.close()
  }
}

const hiddenText = ({ threshold }: HiddenMatch) =>
  `the query's face is partly hidden: tracks with hidden faces match only from a score of ${threshold.toFixed(2)} on`

/** By the track that makes the score. */
function probabilityOf(
  { score, faces: [best] }: ClipMatch,
  queryQuality: number,
  calibration: Calibration | undefined,
  prior: Prior,
): number | undefined {
  const quality = Math.min(queryQuality, best?.quality ?? queryQuality)
  return matchProbability(calibration, { score, quality }, prior)
}

function tell(report: Report, { html, json }: SearchCommandOptions): void {
  if (html !== undefined) {
    const { query } = report
    writeSheet(
      html,
      contactSheet(titleOf(query), query.thumbnailJpeg, sheetMatches(report), summaryOf(report)),
    )
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
    note(`the vector index was not saved: ${adviceMessageOf(error)}`)
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
