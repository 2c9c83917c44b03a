import { existsSync, readdirSync } from 'node:fs'
import { join, parse } from 'node:path'
import { Command } from 'commander'
import { openArchiveToRead } from '../../../index/archive.js'
import { openArchiveIndex } from '../../../index/archive-index.js'
import { readAppearances, type Appearances } from '../../../index/evaluate/appearances.js'
import { findFilms, instantS, tracksOfFilms, type FilmClips } from '../../../index/evaluate/film-clips.js'
import { scoreTimes, scoreTracks, summariseTimes, type AnswerTimes } from '../../../index/evaluate/times.js'
import { listIdentities, referencesOf } from '../../../index/identities.js'
import { chooseThreshold, type MatchThreshold } from '../../../index/match-threshold.js'
import { searchClips } from '../../../index/search.js'
import { CameoError } from '../../../pipeline/errors.js'
import type { FaceEmbeddings } from '../../../pipeline/head/pooled-input.js'
import { findPack } from '../../../pipeline/models/catalog.js'
import type { DeviceChoice } from '../../../pipeline/models/device.js'
import { chooseFace, embedPhotoFace, readPhoto } from '../../../pipeline/photo.js'
import { tellDamage } from '../../damage-report.js'
import { archiveOption, deviceOption, expectFalseOption, jsonOption, minScoreOption } from '../../options.js'
import { exitCodes, note, oneLine, print, printJson } from '../../output.js'
import {
  archiveDescriber,
  furtherEmbeddersOf,
  loadArchiveStages,
  openFilledArchive,
  type OpenedArchive,
} from '../../query.js'

interface TimesOptions {
  readonly archive: string
  readonly truth: string
  readonly queries?: string
  readonly minScore?: number
  readonly expectFalse?: number
  readonly device: DeviceChoice
  readonly verbose: boolean
  readonly json: boolean
}

export const timesCommand = new Command('times')
  .description(
    'How true answers are in time: ranges of found people against the times at which they are seen.',
  )
  .requiredOption('--truth <file>', 'CSV of appearances: film,person,start_s,end_s and, if you like, kind')
  .option(
    '--queries <dir>',
    'photos named after the people, PERSON.jpg (default: the names of "cameo enroll")',
  )
  .addOption(archiveOption())
  .addOption(minScoreOption())
  .addOption(expectFalseOption())
  .option('--verbose', 'also list each person who was missed or wrongly found', false)
  .addOption(deviceOption())
  .addOption(jsonOption())
  .addHelpText(
    'after',
    `
Answers and truth are compared every 0.1 s. Times do not count within 0.3 s of the beginning or end of any appearance, nor where
the truth says "unsure" in the column kind ("seen" or empty elsewhere).
recall: of the seconds in which a person is seen, those answered. precision: of the answered seconds, those in which the person is
seen. found: people of a film who are found in it at all. wrong: people found in films that do not show them.
purity: of the times at which tracks were observed, those at which the track's majority person is seen. splits: tracks a person
and appearance.
The threshold is that of "cameo search" with the same options.
With --json: {threshold, thresholdReason, recall, precision, f1, pairs, found, wrong, refused: [{person, code, message}], missingFilms,
tracks, purity, splits, perPair: [{film, person, recall, precision, ...}]}.
Exit code: 0 measured, 2 it could not run.`,
  )
  .action(async (options: TimesOptions) => {
    await runTimes(options)
    process.exitCode = exitCodes.ok
  })

interface Refused {
  readonly person: string
  readonly code: string
  readonly message: string
}

async function runTimes(options: TimesOptions): Promise<void> {
  const truth = readAppearances(options.truth)
  const opened = openFilledArchive(options.archive, (dir) => openArchiveToRead(dir, note))
  try {
    const films = findFilms(opened.archive, truth.films.keys())
    if (films.missing.length > 0) note(`not in the archive: ${films.missing.map(oneLine).join(', ')}`)
    const refused: Refused[] = []
    const queries =
      options.queries === undefined
        ? queriesByName(opened, truth, refused)
        : await queriesByPhoto(opened, truth, options.queries, options.device, refused)
    const { answers, line } = await answersTo(opened, queries, films, options)
    report(truth, { films, refused, answers, line, tracks: tracksOfFilms(opened.archive, films) }, options)
  } finally {
    opened.archive.close()
  }
}

/** What is known of each person, before it is described. */
type Queries = ReadonlyMap<string, readonly FaceEmbeddings[]>

function queriesByName({ archive, recipe }: OpenedArchive, truth: Appearances, refused: Refused[]): Queries {
  const known = new Set(listIdentities(archive.database).map(({ name }) => name))
  const further = furtherEmbeddersOf(recipe).map(({ digest }) => digest)
  const queries = new Map<string, readonly FaceEmbeddings[]>()
  for (const person of truth.people)
    if (known.has(person))
      queries.set(
        person,
        referencesOf(archive.database, person, recipe.embedderDigest, further, (damage) =>
          tellDamage(archive, [damage]),
        ),
      )
    else refused.push({ person, code: 'NAME_UNKNOWN', message: `nobody is enrolled as "${person}"` })
  return checked(queries, 'none of the people is enrolled: enroll them, or give photos with --queries')
}

async function queriesByPhoto(
  opened: OpenedArchive,
  truth: Appearances,
  dir: string,
  device: DeviceChoice,
  refused: Refused[],
): Promise<Queries> {
  if (!existsSync(dir))
    throw new CameoError('USAGE', `there is no folder ${dir}: give the photos of the people`)
  const photos = new Map(readdirSync(dir).map((file) => [parse(file).name.normalize('NFC'), join(dir, file)]))
  const { stages } = await loadArchiveStages(opened, device)
  const queries = new Map<string, readonly FaceEmbeddings[]>()
  try {
    for (const person of truth.people) {
      const photo = photos.get(person.normalize('NFC'))
      if (photo === undefined) {
        refused.push({ person, code: 'NAME_UNKNOWN', message: `there is no photo ${person}.jpg in ${dir}` })
        continue
      }
      try {
        const face = chooseFace(await readPhoto(photo, stages), photo, undefined)
        const { embedding, quality, extraEmbeddings } = await embedPhotoFace(face, stages)
        queries.set(person, [{ ...embedding, quality, extraEmbeddings }])
      } catch (error) {
        if (!(error instanceof CameoError)) throw error
        refused.push({ person, code: error.code, message: error.message })
      }
    }
  } finally {
    await stages.dispose()
  }
  return checked(queries, `no photo in ${dir} can be used for any of the people`)
}

function checked(queries: Queries, whatIsWrong: string): Queries {
  if (queries.size === 0) throw new CameoError('USAGE', whatIsWrong)
  return queries
}

async function answersTo(
  opened: OpenedArchive,
  queries: Queries,
  { filmOf }: FilmClips,
  options: TimesOptions,
): Promise<Pick<Measured, 'answers' | 'line'>> {
  const { archive, recipe } = opened
  const pack = findPack(recipe.packName)
  const describer = await archiveDescriber(opened, pack, options.device)
  const index = await openArchiveIndex(archive, { onNotice: note })
  const answers = new Map<string, AnswerTimes>()
  try {
    const line = chooseThreshold(recipe, pack, index.size, options)
    for (const [person, faces] of queries) {
      const query = await describer.describe(faces)
      const { matches, damage } = searchClips(archive, index, query, {
        top: archive.clips.counts().clips,
        minScore: line.threshold,
      })
      tellDamage(archive, damage)
      const times = matches.flatMap(({ clipId, ranges }) => {
        const film = filmOf(clipId)
        const spans = ranges.map(({ startS, endS }) => ({ startS, endS: endS + instantS }))
        return film === undefined ? [] : [[film, spans] as const]
      })
      answers.set(person, new Map(times))
    }
    return { answers, line }
  } finally {
    await index.close()
  }
}

interface Measured {
  readonly films: FilmClips
  readonly refused: readonly Refused[]
  readonly answers: ReadonlyMap<string, AnswerTimes>
  readonly line: MatchThreshold
  readonly tracks: ReturnType<typeof tracksOfFilms>
}

function report(
  truth: Appearances,
  { films, refused, answers, line, tracks }: Measured,
  options: TimesOptions,
): void {
  const pairs = scoreTimes(truth, answers)
  const total = summariseTimes(pairs)
  const ofTracks = scoreTracks(truth, tracks)
  if (options.json) {
    const { recall, precision, f1, pairs: all, foundPairs: found, wrongPairs: wrong } = total
    const perPair = pairs.map((pair) => ({ film: pair.film, person: pair.person, ...sharesOf(pair) }))
    const measured = { recall, precision, f1, pairs: all, found, wrong, refused, missingFilms: films.missing }
    const { threshold, reason: thresholdReason } = line
    printJson({ threshold, thresholdReason, ...measured, ...ofTracks, perPair })
    return
  }
  for (const { person, message, code } of refused) note(`${oneLine(person)}: ${oneLine(message)} [${code}]`)
  if (options.verbose)
    for (const { film, person, pairs: isTrue, foundPairs, wrongPairs } of pairs) {
      if (isTrue > foundPairs) print(`missed   ${oneLine(person)} in ${oneLine(film)}`)
      if (wrongPairs > 0) print(`wrong    ${oneLine(person)} in ${oneLine(film)}`)
    }
  const found = `${total.foundPairs} of ${total.pairs} people of a film found, ${total.wrongPairs} wrongly`
  print(
    `recall ${total.recall.toFixed(3)}, precision ${total.precision.toFixed(3)} of seconds at threshold ${line.threshold.toFixed(2)}; ${found}`,
  )
  print(
    `${ofTracks.tracks} tracks: purity ${ofTracks.purity.toFixed(3)}, ${ofTracks.splits.toFixed(2)} tracks an appearance`,
  )
}

function sharesOf(pair: Parameters<typeof summariseTimes>[0][number]) {
  const { recall, precision, pairs, foundPairs, wrongPairs } = summariseTimes([pair])
  return { recall, precision, isTrue: pairs === 1, found: foundPairs + wrongPairs === 1 }
}
