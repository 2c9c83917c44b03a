import { existsSync, readdirSync } from 'node:fs'
import { join, parse } from 'node:path'
import type { FilledArchive } from '../../archive/open-archive.js'
import { openArchiveIndex } from '../../archive/open-archive-index.js'
import { readAppearances } from '../datasets/appearances.js'
import { findFilms, instantS, tracksOfFilms, type FilmClips } from '../datasets/film-clips.js'
import type { MeasuredTimes, RefusedQuery } from './time-figures.js'
import { scoreTimes, type AnswerTimes } from './times.js'
import { referencesOf } from '../../identities/identities.js'
import { listIdentities } from '../../store/identities.js'
import { hiddenMatchOf } from '../../search/hidden-match.js'
import { chooseThreshold, type MatchThreshold, type ThresholdRequest } from '../../search/match-threshold.js'
import { searchClips } from '../../search/search-clips.js'
import { CameoError } from '../../../pipeline/common/errors.js'
import { throwIfStopped } from '../../../pipeline/common/stop.js'
import type { FaceEmbeddings } from '../../../pipeline/describe/pooled-input.js'
import type { DeviceChoice } from '../../../pipeline/models/device.js'
import { chooseFace, embedPhotoFace, readPhoto } from '../../../pipeline/photos/process-photo.js'
import type { Stages } from '../../../pipeline/stages/load-pipeline.js'
import { isPictureName } from './embed-benchmark.js'
import { oneLine } from '../../../pipeline/common/visible-text.js'
import { ArchiveModels, furtherEmbeddersOf } from '../../archive/archive-models.js'
import { noteDamage, type DamagedThing } from '../../archive/damaged-things.js'
import type { Damage } from '../../store/damage.js'
import type { Caller } from '../../../pipeline/stages/caller.js'
import type { Appearances } from '../data/appearances.js'

export interface TimesRun extends ThresholdRequest {
  /** CSV of appearances. */
  readonly truth: string
  /** Folder of PERSON.jpg photos. Default: search for people by their enrolled names. */
  readonly queries?: string | undefined
  readonly device: DeviceChoice
  /** Stops before the next person. */
  readonly signal?: AbortSignal | undefined
}

/**
 * Searches an archive for each person, and compares the answers with the true times of appearance.
 * @throws GROUND_TRUTH_INVALID, ARCHIVE_MISSING, INTERRUPTED; USAGE if no person can be searched for
 */
export async function measureTimes(
  opened: FilledArchive,
  run: TimesRun,
  caller: Caller,
): Promise<MeasuredTimes & { readonly damaged: readonly DamagedThing[] }> {
  const truth = readAppearances(run.truth)
  const films = findFilms(opened.archive, truth.films.keys())
  if (films.missing.length > 0) caller.notify(`not in the archive: ${films.missing.map(oneLine).join(', ')}`)
  const measurement: Measurement = {
    ...{ opened, truth, films, refused: [], damage: [] },
    models: new ArchiveModels(opened, run, caller),
  }
  try {
    const queries =
      run.queries === undefined
        ? queriesByName(measurement)
        : await queriesByPhoto(measurement, run.queries, run.signal)
    const { answers, line } = await answersTo(measurement, queries, run, caller)
    const { refused, damage } = measurement
    return {
      ...{ truth, line, answers, refused },
      pairs: scoreTimes(truth, answers),
      tracks: tracksOfFilms(opened.archive, films),
      missingFilms: films.missing,
      damaged: noteDamage(opened.archive, damage, caller.notify),
    }
  } finally {
    await measurement.models.dispose()
  }
}

interface Measurement {
  readonly opened: FilledArchive
  readonly truth: Appearances
  readonly films: FilmClips
  readonly models: ArchiveModels
  /** People who could not be searched for. This function adds to it. */
  readonly refused: RefusedQuery[]
  /** Damage that was skipped. This function adds to it. */
  readonly damage: Damage[]
}

/** The query data of each person, before the descriptor is computed. */
type Queries = ReadonlyMap<string, readonly FaceEmbeddings[]>

function queriesByName({ opened: { archive, recipe }, truth, refused, damage }: Measurement): Queries {
  const known = new Set(listIdentities(archive.database).map(({ name }) => name))
  const further = furtherEmbeddersOf(recipe).map(({ digest }) => digest)
  const queries = new Map<string, readonly FaceEmbeddings[]>()
  for (const person of truth.people)
    if (known.has(person))
      queries.set(
        person,
        referencesOf(archive.database, person, recipe.embedderDigest, further, (found) => damage.push(found)),
      )
    else refused.push({ person, code: 'NAME_UNKNOWN', message: `nobody is enrolled as "${person}"` })
  return checked(queries, 'none of the people is enrolled: enroll them, or give photos of them')
}

/** Includes photos of people who appear in no film: each answer for them is wrong. */
async function queriesByPhoto(
  { truth, models, refused }: Measurement,
  dir: string,
  signal: AbortSignal | undefined,
): Promise<Queries> {
  if (!existsSync(dir))
    throw new CameoError('USAGE', `there is no folder ${dir}: give the photos of the people`)
  const photos = photosByPerson(dir, truth.people)
  const stages = await models.stages()
  const queries = new Map<string, readonly FaceEmbeddings[]>()
  for (const person of new Set([...truth.people, ...photos.keys()])) {
    throwIfStopped(signal, 'the measurement')
    const photo = photos.get(person)
    if (photo === undefined) {
      refused.push({ person, code: 'NAME_UNKNOWN', message: `there is no photo ${person}.jpg in ${dir}` })
      continue
    }
    try {
      queries.set(person, [await embedPhoto(photo, stages)])
    } catch (error) {
      if (!(error instanceof CameoError)) throw error
      // The faces of a photo are listed one per line.
      refused.push({ person, code: error.code, message: error.message.replace(/\s*\n\s*/g, ' ') })
    }
  }
  return checked(queries, `no photo in ${dir} can be used for any of the people`)
}

/** Uses the names of the ground truth, for any encoding of accents there and in file names. */
function photosByPerson(dir: string, people: ReadonlySet<string>): ReadonlyMap<string, string> {
  const named = new Map([...people].map((person) => [person.normalize('NFC'), person]))
  return new Map(
    readdirSync(dir).flatMap((file) => {
      const name = parse(file).name.normalize('NFC')
      const person = named.get(name)
      return person === undefined && !isPictureName(file) ? [] : [[person ?? name, join(dir, file)] as const]
    }),
  )
}

async function embedPhoto(photo: string, stages: Stages): Promise<FaceEmbeddings> {
  const face = chooseFace(await readPhoto(photo, stages), photo, undefined)
  const { embedding, quality, extraEmbeddings } = await embedPhotoFace(face, stages)
  return { ...embedding, quality, extraEmbeddings }
}

function checked(queries: Queries, whatIsWrong: string): Queries {
  if (queries.size === 0) throw new CameoError('USAGE', whatIsWrong)
  return queries
}

async function answersTo(
  { opened, films: { filmOf }, models, damage }: Measurement,
  queries: Queries,
  wish: ThresholdRequest & Pick<TimesRun, 'signal'>,
  { notify }: Caller,
): Promise<{ answers: ReadonlyMap<string, AnswerTimes>; line: MatchThreshold }> {
  const { archive, recipe } = opened
  const { pack } = models
  const describer = await models.describer()
  const index = await openArchiveIndex(archive, { onNotice: notify })
  const answers = new Map<string, AnswerTimes>()
  try {
    const line = chooseThreshold(recipe, pack, index.size, wish)
    for (const [person, faces] of queries) {
      throwIfStopped(wish.signal, 'the measurement')
      const query = await describer.describe(faces)
      const { matches, damage: left } = await searchClips(archive, index, query, {
        top: archive.clips.counts().clips,
        minScore: line.threshold,
        hidden: hiddenMatchOf(recipe, pack, query, wish),
      })
      damage.push(...left)
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
