import type { FalseAcceptRate } from '../../index/search/expected-false-matches.js'
import type { ClipScope } from '../../index/search/clip-scope.js'
import type { MatchThreshold } from '../../index/search/match-threshold.js'
import type { SheetMatch } from './contact-sheet.js'
import { formatProbability, formatRanges } from './hit-text.js'
import { counted, dataUri, oneLine, print } from '../cli/output.js'
import { hitJson, notesOf, withCoverage } from './search-coverage.js'
import type { ClipMatch } from '../../index/search/clip-match.js'
import { formatTime } from '../../pipeline/common/time-text.js'
import type { Hit, SearchReport } from '../../index/search/search-archive.js'
import type { AskedQuery, QueryPhoto } from '../../index/search/read-query.js'

/** What was asked besides the person. */
export interface AskedScope extends ClipScope {
  readonly with?: readonly string[]
  readonly without?: readonly string[]
  readonly together?: boolean
}

/** As JSON; undefined where nothing was asked besides. */
export function scopeJson({ with: wanted, without, together, folder, since, until }: AskedScope) {
  const scope = {
    ...(wanted === undefined ? {} : { with: wanted }),
    ...(without === undefined ? {} : { without }),
    ...(together === true ? { together } : {}),
    ...(folder === undefined ? {} : { folder }),
    ...(since === undefined ? {} : { since: since.toISOString() }),
    ...(until === undefined ? {} : { until: until.toISOString() }),
  }
  return Object.keys(scope).length === 0 ? undefined : scope
}

export function toJson(report: SearchReport, scope?: ReturnType<typeof scopeJson>) {
  const { query, answer, hits, threshold: line, prior, coverage, damaged } = report
  const { kind, value, face, people, photos, notices = [], quality } = query
  const { threshold, reason, falseAcceptRate, expectedFalseMatches } = line
  const hitOf = ({ match, probability }: Hit) => ({
    ...matchJson(match, probability),
    ...hitJson(match, coverage),
  })
  return {
    query: {
      ...{ kind, value, quality },
      ...(face === undefined ? {} : { face }),
      ...(people === undefined ? {} : { people }),
      ...(photos === undefined ? {} : { photos: photos.map(photoJson) }),
      ...(notices.length === 0 ? {} : { notices }),
    },
    threshold,
    thresholdReason: reason,
    confident: hits.matches.length > 0,
    falseAcceptRate: falseAcceptRate === undefined ? null : rateJson(falseAcceptRate),
    expectedFalseMatches: expectedFalseMatches ?? null,
    prior: prior ?? null,
    tracksSearched: answer.tracksSearched,
    tracksExamined: answer.tracksExamined,
    coverage: coverage.sum,
    damaged,
    results: hits.matches.map(hitOf),
    ...(hits.weak === undefined ? {} : { weak: hits.weak.map(hitOf) }),
    ...(scope === undefined ? {} : { scope }),
  }
}

const photoJson = ({ similarity, ...rest }: QueryPhoto) => ({ ...rest, similarity: similarity ?? null })

const rateJson = ({ rate, isEstimate, interval }: FalseAcceptRate) => ({
  ...{ rate, estimate: isEstimate },
  ...(interval === undefined ? {} : { interval }),
})

const matchJson = (
  { clipId, path, score, confirmed, durationS, ranges, faces, thumbnailJpeg, others }: ClipMatch,
  probability: number | undefined,
) => ({
  clipId,
  path,
  score,
  ...(confirmed === undefined ? {} : { confirmed }),
  probability: probability ?? null,
  durationS: durationS ?? null,
  ranges,
  faces,
  thumbnail: thumbnailJpeg === undefined ? null : dataUri(thumbnailJpeg),
  ...(others === undefined ? {} : { with: others }),
})

export function titleOf({ kind, value, face }: AskedQuery): string {
  return kind === 'name' ? value : `${value}${face === undefined ? '' : `, face ${face}`}`
}

export function sheetMatches({ hits: { matches, weak = [] }, coverage }: SearchReport): SheetMatch[] {
  const toSheet = (isWeak: boolean) => (hit: Hit) => ({
    ...{ ...hit.match, probability: hit.probability, isWeak, notes: notesOf(hit.match, coverage) },
  })
  return [...matches.map(toSheet(false)), ...weak.map(toSheet(true))]
}

/**
 * How much was found and searched. Then, one line each: the reason for the threshold, and other assumptions
 * of the answer.
 */
export function summaryOf({ answer, hits, threshold: line, prior, coverage }: SearchReport): string {
  const { matches, weak } = hits
  const threshold = line.threshold.toFixed(2)
  const found =
    matches.length === 0
      ? `no confident match: no track reaches ${threshold}`
      : `${counted(matches.length, 'clip')} from score ${threshold} upwards`
  const besides = weak === undefined ? '' : `, ${counted(weak.length, 'weak clip')} below it`
  const searched = `${counted(answer.tracksSearched, 'track')} searched (${chanceOf(line, answer.tracksSearched)})`
  const lines = [`${found}${besides}; ${searched}`, reasonOf(line)]
  if (prior !== undefined && matches.length + (weak?.length ?? 0) > 0)
    lines.push(
      `probabilities: if ${counted(prior.appearances, 'track')} of ${prior.tracks} showed the person (--expect-appearances)`,
    )
  return withCoverage(lines.join('\n'), coverage)
}

function chanceOf({ falseAcceptRate, expectedFalseMatches }: MatchThreshold, tracks: number): string {
  if (falseAcceptRate === undefined || expectedFalseMatches === undefined)
    return 'how many match by chance was not measured for these models'
  const { isEstimate, interval } = falseAcceptRate
  const chance = `${formatExpected(expectedFalseMatches)} would match by chance`
  if (!isEstimate) return chance
  const bounds = interval?.map((rate) => (rate * tracks).toPrecision(2)).join(' to ')
  return `${chance}, extrapolated${bounds === undefined ? '' : `: ${bounds}`}`
}

const formatExpected = (count: number) =>
  count < 0.01 ? 'fewer than 0.01' : `about ${count.toFixed(count < 10 ? 2 : 0)}`

function reasonOf({ threshold, reason, falseAcceptRate }: MatchThreshold): string {
  const score = threshold.toFixed(2)
  switch (reason) {
    case 'given':
      return `threshold ${score}: given by --min-score`
    case 'archive size':
      return `threshold ${score}: raised for an archive of this size (--expect-false)`
    case 'models':
      return falseAcceptRate === undefined
        ? `threshold ${score}: default of the models`
        : `threshold ${score}: default of the models, ${oneIn(falseAcceptRate.rate)} of other people reaches it`
    case 'uncalibrated':
      return `threshold ${score}: a guess, these models are not calibrated`
  }
}

const oneIn = (rate: number) => `one track in ${Math.round(1 / rate)}`

export function printAnswer(report: SearchReport): void {
  const { hits, coverage } = report
  const printHit = (rank: string, { match, probability }: Hit) => {
    print(formatMatch(rank, match, probability))
    for (const { name, score, ranges } of match.others ?? [])
      print(`            with ${oneLine(name)} ${score.toFixed(3)}: ${formatRanges(ranges)}`)
    for (const line of notesOf(match, coverage)) print(`            ${line}`)
  }
  for (const [index, hit] of hits.matches.entries()) printHit(String(index + 1), hit)
  for (const hit of hits.weak ?? []) printHit('weak', hit)
  print(summaryOf(report))
}

function formatMatch(
  rank: string,
  { score, path, isMissing, ranges, faces, clipId }: ClipMatch,
  probability: number | undefined,
): string {
  const best = faces[0]
  const detail =
    best === undefined
      ? ''
      : `; ${counted(faces.length, 'face')}, best at ${formatTime(best.timeS)}, quality ${best.quality.toFixed(2)}`
  const likely = probability === undefined ? '' : `${formatProbability(probability).padStart(8)}  `
  const name = isMissing ? `missing (was ${oneLine(path)})` : oneLine(path)
  return `${rank.padStart(4)} ${score.toFixed(3)}  ${likely}${name}\n            ${formatRanges(ranges)}${detail}  (clip ${clipId.slice(0, 12)})`
}
