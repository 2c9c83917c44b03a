import { CameoError } from '../../pipeline/common/errors.js'
import type { DeviceChoice } from '../../pipeline/models/device.js'
import type { Calibration } from '../../pipeline/models/packs/pack.js'
import type { Caller } from '../../pipeline/stages/caller.js'
import { ArchiveModels } from '../archive/archive-models.js'
import { noteDamage, type DamagedThing } from '../archive/damaged-things.js'
import { filledInScope } from '../archive/in-scope.js'
import { openIndexFor, type UseIndex } from '../archive/use-index.js'
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
  type ThresholdRequest,
} from './match-threshold.js'
import { checkNamedOnce, readCompany, type ReadCompany } from './read-company.js'
import { descriptorOfQuery, readQuery, type AskedQuery, type Query, type Subject } from './read-query.js'
import { countSearched, searchClips } from './search-clips.js'
import { checkCompanySeen, checkSubjectSeen } from './seen-names.js'

export interface SearchRequest extends ThresholdRequest, ClipScope {
  readonly subject: Subject
  /** Enrolled names of others who must be in the same clip. */
  readonly with?: readonly string[]
  /** Enrolled names of people who must not be in the clip. */
  readonly without?: readonly string[]
  /** All of `with` must be on screen at the same time as the person: the ranges of a match are these times. Default: false. */
  readonly together?: boolean
  /** How many clips at the most. Default: 20. */
  readonly top?: number
  /**
   * The number of tracks in the archive that are expected to show the person. Used for the probabilities. Default: 1.
   */
  readonly expectAppearances?: number
  /** Also report weak hits, below the threshold. Default: false. */
  readonly weak?: boolean
  /** Omit the query clip from the answer. Default: false. */
  readonly excludeSelf?: boolean
  /** Add the pictures of matches. Default: true. */
  readonly thumbnails?: boolean
  readonly device: DeviceChoice
  /** Stops the analysis of a query clip. */
  readonly signal?: AbortSignal | undefined
}

export interface Hit {
  readonly match: ClipMatch
  /** Probability that the match shows the person. Undefined if the models have no calibrated densities. */
  readonly probability: number | undefined
}

/** An answer with its query, threshold and coverage. */
export interface SearchReport {
  readonly query: AskedQuery
  readonly answer: SearchAnswer
  readonly hits: {
    readonly matches: readonly Hit[]
    /** Absent if weak hits were not requested. */
    readonly weak?: readonly Hit[]
  }
  readonly threshold: MatchThreshold
  /** The prior of the probabilities. Undefined if there are no probabilities. */
  readonly prior: Prior | undefined
  readonly coverage: AnswerCoverage
  /** Parts of the archive that are damaged and were skipped. */
  readonly damaged: readonly DamagedThing[]
}

/** What a search needs. May be reused for the next search. */
export interface SearchParts {
  readonly opened: FilledArchive
  /** The models of the archive. */
  readonly models: ArchiveModels
  readonly useIndex: UseIndex
}

/**
 * Finds the clips in which a person appears, best first, with time ranges. Loads the models and the index, and frees
 * them.
 * @throws the same as `searchWith`
 */
export async function searchArchive(
  opened: FilledArchive,
  request: SearchRequest,
  caller: Caller,
): Promise<SearchReport> {
  const models = new ArchiveModels(opened, request, caller)
  try {
    return await searchWith(
      { opened, models, useIndex: openIndexFor(opened.archive, caller) },
      request,
      caller,
    )
  } finally {
    await models.dispose()
  }
}

/**
 * Like `searchArchive`, with models and an index that are already loaded. With `folders`, the answer is that of an archive
 * with only these clips, and a name that nobody in them has is unknown.
 * @throws ARCHIVE_BUSY if the descriptors are replaced during the search; INTERRUPTED; and the errors of `readQuery`
 */
export async function searchWith(
  { opened: whole, models, useIndex }: SearchParts,
  request: SearchRequest,
  caller: Caller,
): Promise<SearchReport> {
  const { subject, signal, folders } = request
  const opened = filledInScope(whole, folders)
  const query = await readQuery(subject, opened, models, { ...caller, signal })
  const descriptor = await descriptorOfQuery(query, await models.describer())
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

async function answer(asked: Asked, { notify }: Caller): Promise<SearchReport> {
  const { opened, request, models, query, descriptor, company, index } = asked
  const { archive, recipe } = opened
  const { pack } = models
  const { top = 20, expectAppearances = 1, weak = false, excludeSelf = false } = request
  await checkCompanySeen({ opened, models, index }, company)
  const threshold = chooseThreshold(recipe, pack, countSearched(archive, index.size), request)
  const calibration = calibrationOf(recipe, pack)
  const hidden = hiddenMatchOf(recipe, pack, descriptor, request)
  const found = await searchClips(archive, index, descriptor, {
    ...{ top, hidden, minScore: threshold.threshold, verdicts: query.verdicts },
    weakScore: weak ? weakScoreOf(calibration, threshold.threshold) : undefined,
    excludeClipId: excludeSelf ? query.clipId : undefined,
    company,
    isInScope: createScopeTest(archive, request),
    thumbnails: request.thumbnails,
  })
  await checkSubjectSeen({ opened, models, index }, { query, descriptor }, found)
  checkNamedOnce(opened, request)
  if (found.matches.length === 0) tellEmptyFolder(archive, request, notify)
  if (archive.recipe?.digest !== recipe.digest)
    throw new CameoError(
      'ARCHIVE_BUSY',
      `the descriptors of ${archive.dir} were replaced during the search: search again`,
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
  `the query's face is partly hidden: tracks with hidden faces need a score of ${threshold.toFixed(2)} or more to match`

/** Uses the quality of the best face in the track that gives the score. */
function probabilityOf(
  { score, faces: [best] }: ClipMatch,
  queryQuality: number,
  calibration: Calibration | undefined,
  prior: Prior,
): number | undefined {
  const quality = Math.min(queryQuality, best?.quality ?? queryQuality)
  return matchProbability(calibration, { score, quality }, prior)
}
