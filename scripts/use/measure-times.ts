import { existsSync, readdirSync } from 'node:fs'
import { join, parse } from 'node:path'
import { openArchiveToRead } from '../../index/archive/open-archive.js'
import { openArchiveIndex } from '../../index/archive/open-archive-index.js'
import { readAppearances } from '../../index/evaluate/datasets/appearances.js'
import {
  findFilms,
  instantS,
  tracksOfFilms,
  type FilmClips,
} from '../../index/evaluate/datasets/film-clips.js'
import type { MeasuredTimes, RefusedQuery } from '../../index/evaluate/protocols/time-figures.js'
import { scoreTimes, type AnswerTimes } from '../../index/evaluate/protocols/times.js'
import { listIdentities, referencesOf } from '../../index/identities/identities.js'
import { hiddenMatchOf } from '../../index/search/hidden-match.js'
import {
  chooseThreshold,
  type MatchThreshold,
  type ThresholdWish,
} from '../../index/search/match-threshold.js'
import { searchClips } from '../../index/search/search-clips.js'
import { CameoError } from '../../pipeline/common/errors.js'
import type { FaceEmbeddings } from '../../pipeline/describe/pooled-input.js'
import { findPack } from '../../pipeline/models/packs/catalog.js'
import type { DeviceChoice } from '../../pipeline/models/device.js'
import { chooseFace, embedPhotoFace, readPhoto } from '../../pipeline/photos/process-photo.js'
import type { Stages } from '../../pipeline/stages/load-pipeline.js'
import { tellDamage } from '../reports/damage-report.js'
import { isPictureName } from './eval-embedder.js'
import { adviceMessageOf } from '../cli/advice.js'
import { note, oneLine } from '../cli/output.js'
import {
  archiveDescriber,
  furtherEmbeddersOf,
  loadArchiveStages,
  openFilledArchive,
  type OpenedArchive,
} from './query.js'
import type { Appearances } from '../../index/evaluate/data/appearances.js'

export interface TimesRun extends ThresholdWish {
  /** Folder of the archive. */
  readonly archive: string
  /** CSV of appearances. */
  readonly truth: string
  /** Folder of PERSON.jpg; by default people are asked for by their enrolled names. */
  readonly queries?: string | undefined
  readonly device: DeviceChoice
}

/**
 * Asks an archive for each person, and holds the answers against the times at which they are seen.
 * @throws GROUND_TRUTH_INVALID, ARCHIVE_MISSING; USAGE where nobody can be asked for
 */
export async function measureTimes({ archive: dir, device, ...run }: TimesRun): Promise<MeasuredTimes> {
  const truth = readAppearances(run.truth)
  const opened = openFilledArchive(dir, (path) => openArchiveToRead(path, note))
  try {
    const films = findFilms(opened.archive, truth.films.keys())
    if (films.missing.length > 0) note(`not in the archive: ${films.missing.map(oneLine).join(', ')}`)
    const refused: RefusedQuery[] = []
    const queries =
      run.queries === undefined
        ? queriesByName(opened, truth, refused)
        : await queriesByPhoto(opened, truth, run.queries, device, refused)
    const { answers, line } = await answersTo(opened, queries, films, { device, wish: run })
    return {
      ...{ truth, line, answers, refused },
      pairs: scoreTimes(truth, answers),
      tracks: tracksOfFilms(opened.archive, films),
      missingFilms: films.missing,
    }
  } finally {
    opened.archive.close()
  }
}

/** What is known of each person, before it is described. */
type Queries = ReadonlyMap<string, readonly FaceEmbeddings[]>

function queriesByName(
  { archive, recipe }: OpenedArchive,
  truth: Appearances,
  refused: RefusedQuery[],
): Queries {
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

/** Also for photos of people whom no film shows: each answer to them is wrong. */
async function queriesByPhoto(
  opened: OpenedArchive,
  truth: Appearances,
  dir: string,
  device: DeviceChoice,
  refused: RefusedQuery[],
): Promise<Queries> {
  if (!existsSync(dir))
    throw new CameoError('USAGE', `there is no folder ${dir}: give the photos of the people`)
  const photos = photosByPerson(dir, truth.people)
  const { stages } = await loadArchiveStages(opened, device)
  const queries = new Map<string, readonly FaceEmbeddings[]>()
  try {
    for (const person of new Set([...truth.people, ...photos.keys()])) {
      const photo = photos.get(person)
      if (photo === undefined) {
        refused.push({ person, code: 'NAME_UNKNOWN', message: `there is no photo ${person}.jpg in ${dir}` })
        continue
      }
      try {
        queries.set(person, [await embedPhoto(photo, stages)])
      } catch (error) {
        if (!(error instanceof CameoError)) throw error
        // Faces of a photo are listed a line each.
        refused.push({ person, code: error.code, message: adviceMessageOf(error).replace(/\s*\n\s*/g, ' ') })
      }
    }
  } finally {
    await stages.dispose()
  }
  return checked(queries, `no photo in ${dir} can be used for any of the people`)
}

/** People are called as the truth calls them, however their accents are encoded in it and in file names. */
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
  opened: OpenedArchive,
  queries: Queries,
  { filmOf }: FilmClips,
  { device, wish }: { readonly device: DeviceChoice; readonly wish: ThresholdWish },
): Promise<{ answers: ReadonlyMap<string, AnswerTimes>; line: MatchThreshold }> {
  const { archive, recipe } = opened
  const pack = findPack(recipe.packName)
  const describer = await archiveDescriber(opened, pack, device)
  const index = await openArchiveIndex(archive, { onNotice: note })
  const answers = new Map<string, AnswerTimes>()
  try {
    const line = chooseThreshold(recipe, pack, index.size, wish)
    for (const [person, faces] of queries) {
      const query = await describer.describe(faces)
      const { matches, damage } = searchClips(archive, index, query, {
        top: archive.clips.counts().clips,
        minScore: line.threshold,
        hidden: hiddenMatchOf(recipe, pack, query, wish),
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
