import { CameoError, messageOf } from '../../pipeline/common/errors.js'
import type { DeviceChoice } from '../../pipeline/models/device.js'
import type { Calibration } from '../../pipeline/models/packs/pack.js'
import type { Caller } from '../../pipeline/stages/caller.js'
import { ArchiveModels } from '../archive/archive-models.js'
import { noteDamage, type DamagedThing } from '../archive/damaged-things.js'
import { openArchiveIndex } from '../archive/open-archive-index.js'
import type { FilledArchive } from '../archive/open-archive.js'
import { coverageOfAnswer, type AnswerCoverage } from './answer-coverage.js'
import type { VectorCache } from '../vectors/archive/cached-index.js'
import type { ClipMatch, SearchAnswer } from './clip-match.js'
import { createScopeTest, tellEmptyFolder, type ClipScope } from './clip-scope.js'
import { hiddenMatchOf, type HiddenMatch } from './hidden-match.js'
import { matchProbability, type Prior } from './match-probability.js'
import {
  calibrationOf,
  chooseThreshold,
  weakScoreOf,
  type MatchThreshold,
  type ThresholdWish,
} from './match-threshold.js'
import { readCompany, type ReadCompany } from './read-company.js'
import { readQuery, type AskedQuery, type Query, type Subject } from './read-query.js'
import { searchClips } from './search-clips.js'

export interface SearchRequest extends ThresholdWish, ClipScope {
  readonly subject: Subject
  /** Enrolled names of others who must be in the same clip. */
  readonly with?: readonly string[]
  /** Enrolled names of people who must not be in the clip. */
  readonly without?: readonly string[]
  /** All of `with` must be on screen at the same time as the person: the ranges of a match are these times. Default: false. */
  readonly together?: boolean
  /** How many clips at the most. Default: 20. */
  readonly top?: number
  /** How many tracks of the archive are expected to show the person, for the probabilities. Default: 1. */
  readonly expectAppearances?: number
  /** Also what is like the person below the threshold. Default: false. */
  readonly weak?: boolean
  /** Leave the clip that is asked with out of the answer. Default: false. */
  readonly excludeSelf?: boolean
  readonly device: DeviceChoice
  /** Stops the look at a clip that is asked with. */
  readonly signal?: AbortSignal | undefined
}

export interface Hit {
  readonly match: ClipMatch
  /** That it shows the person; undefined where this was not calibrated. */
  readonly probability: number | undefined
}

/** An answer, and what it rests on. */
export interface SearchReport {
  readonly query: AskedQuery
  readonly answer: SearchAnswer
  readonly hits: {
    readonly matches: readonly Hit[]
    /** Absent where they were not asked for. */
    readonly weak?: readonly Hit[]
  }
  readonly threshold: MatchThreshold
  /** Of the probabilities; undefined where these were not calibrated. */
  readonly prior: Prior | undefined
  readonly coverage: AnswerCoverage
  /** What of the archive could not be trusted, and is left out. */
  readonly damaged: readonly DamagedThing[]
}

/** What a search works with, which may be kept from one to the next. */
export interface SearchParts {
  readonly opened: FilledArchive
  /** Of the archive. */
  readonly models: ArchiveModels
  /** Gives `work` the archive's vector index as it is now. */
  readonly useIndex: <T>(work: (index: VectorCache) => Promise<T>) => Promise<T>
}

/**
 * The clips in which a person appears, best first, with time ranges. Loads what it needs, and keeps nothing.
 * @throws as `searchWith` does
 */
export async function searchArchive(
  opened: FilledArchive,
  request: SearchRequest,
  caller: Caller,
): Promise<SearchReport> {
  const models = new ArchiveModels(opened, request, caller)
  try {
    return await searchWith({ opened, models, useIndex }, request, caller)
  } finally {
    await models.dispose()
  }

  async function useIndex<T>(work: (index: VectorCache) => Promise<T>): Promise<T> {
    const index = await openArchiveIndex(opened.archive, { onNotice: caller.notify })
    try {
      return await work(index)
    } finally {
      await closeIndex(index, caller)
    }
  }
}

/**
 * As `searchArchive`, with models and an index that are there.
 * @throws ARCHIVE_BUSY where the descriptors are exchanged meanwhile; INTERRUPTED; as `readQuery` does
 */
export async function searchWith(
  { opened, models, useIndex }: SearchParts,
  request: SearchRequest,
  caller: Caller,
): Promise<SearchReport> {
  const { subject, signal } = request
  const query = await readQuery(subject, opened, models, { ...caller, signal })
  const describer = await models.describer()
  const descriptor = await describer.describe(query.embeddings)
  const company = await readCompany(opened, request, models)
  return useIndex((index) => answer({ opened, request, models, query, descriptor, company, index }, caller))
}

interface Asked {
  readonly opened: FilledArchive
  readonly request: SearchRequest
  readonly models: Pick<ArchiveModels, 'pack'>
  readonly query: Query
  /** L2-normalised. */
  readonly descriptor: Float32Array
  readonly company: ReadCompany
  readonly index: VectorCache
}

async function answer(
  { opened: { archive, recipe }, request, models: { pack }, query, descriptor, company, index }: Asked,
  { notify }: Caller,
): Promise<SearchReport> {
  const { top = 20, expectAppearances = 1, weak = false, excludeSelf = false } = request
  const threshold = chooseThreshold(recipe, pack, index.size, request)
  const calibration = calibrationOf(recipe, pack)
  const hidden = hiddenMatchOf(recipe, pack, descriptor, request)
  const found = await searchClips(archive, index, descriptor, {
    ...{ top, hidden, minScore: threshold.threshold },
    weakScore: weak ? weakScoreOf(calibration, threshold.threshold) : undefined,
    excludeClipId: excludeSelf ? query.clipId : undefined,
    company,
    isInScope: createScopeTest(archive, request),
  })
  if (found.matches.length === 0) tellEmptyFolder(archive, request, notify)
  if (archive.recipe?.digest !== recipe.digest)
    throw new CameoError(
      'ARCHIVE_BUSY',
      `the descriptors of ${archive.dir} were exchanged while it was searched: search again`,
    )
  const prior = { appearances: expectAppearances, tracks: found.tracksSearched }
  const toHit = (match: ClipMatch): Hit => ({
    match,
    probability: probabilityOf(match, query.quality, calibration, prior),
  })
  const notices = [...(query.notices ?? []), ...(hidden === undefined ? [] : [hiddenText(hidden)])]
  if (hidden !== undefined) notify(hiddenText(hidden))
  return {
    query: { ...query, notices },
    answer: found,
    hits: { matches: found.matches.map(toHit), ...(weak ? { weak: found.weak.map(toHit) } : {}) },
    threshold,
    prior: calibration?.likelihood === undefined ? undefined : prior,
    coverage: coverageOfAnswer(archive, [...found.matches, ...found.weak]),
    damaged: noteDamage(archive, [...(query.damage ?? []), ...company.damage, ...found.damage], notify),
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

/** The answer is given: that a snapshot cannot be written makes the next search slower, and nothing else. */
async function closeIndex(index: VectorCache, { notify }: Caller): Promise<void> {
  try {
    await index.close()
  } catch (error) {
    notify(
      `the vector index was not saved: ${messageOf(error)}`,
      error instanceof CameoError ? error.details : undefined,
    )
  }
}
