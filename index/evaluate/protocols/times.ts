import type { Appearances, SpanS, TimedTrack } from '../data/appearances.js'

/** Length of a comparison step, in seconds. Answers and truth are compared half a step after each multiple. */
export const stepS = 0.1

/** Steps this close to the start or end of any appearance in a film do not count, in seconds. */
const changeS = 0.3

/** The answered times of one person, by film. */
export type AnswerTimes = ReadonlyMap<string, readonly SpanS[]>

export interface TimeScores {
  /** Number of steps in which a person is seen, and of these, the answered ones. */
  readonly seenSteps: number
  readonly foundSteps: number
  /** Number of answered steps, and of these, the steps in which the person is seen. */
  readonly answeredSteps: number
  readonly rightSteps: number
  /** Number of true pairs of a person and a film, and of these, the answered ones. */
  readonly pairs: number
  readonly foundPairs: number
  /** Number of answered pairs that are not true. */
  readonly wrongPairs: number
}

/** One person in one film. */
export interface PairScore extends TimeScores {
  readonly film: string
  readonly person: string
}

export interface TrackScores {
  /** Share of the observed steps of all tracks in which the track's majority person is seen. */
  readonly purity: number
  /** Number of tracks per person and appearance, over the appearances with tracks. */
  readonly splits: number
  readonly tracks: number
}

/** Recall, precision and their harmonic mean over the seconds of all pairs. A share of 0 steps is 0. */
export interface TimeSummary extends TimeScores {
  readonly recall: number
  readonly precision: number
  readonly f1: number
}

/**
 * Compares answers with the truth in steps of 0.1 s. A step does not count if the truth is unsure, or within 0.3 s of
 * a change, because frames are not sampled at every moment.
 * @param answers by person. A missing person was not found anywhere. Every answer for a person who is not in the
 * truth is wrong
 */
export function scoreTimes(truth: Appearances, answers: ReadonlyMap<string, AnswerTimes>): PairScore[] {
  const pairs: PairScore[] = []
  for (const person of new Set([...truth.people, ...answers.keys()]))
    for (const [film, cast] of truth.films) {
      const seen = cast.get(person) ?? []
      const said = answers.get(person)?.get(film) ?? []
      if (seen.length > 0 || said.length > 0)
        pairs.push({ film, person, ...scorePair(seen, said, countsIn(truth, film)) })
    }
  return pairs
}

function scorePair(
  seen: readonly SpanS[],
  said: readonly SpanS[],
  counts: (timeS: number) => boolean,
): TimeScores {
  const steps = { seenSteps: 0, foundSteps: 0, answeredSteps: 0, rightSteps: 0 }
  for (const timeS of stepsOf([...seen, ...said])) {
    if (!counts(timeS)) continue
    const [isSeen, isSaid] = [isIn(seen, timeS), isIn(said, timeS)]
    if (isSeen) steps.seenSteps++
    if (isSaid) steps.answeredSteps++
    if (isSeen && isSaid) {
      steps.foundSteps++
      steps.rightSteps++
    }
  }
  const [isTrue, isAnswered] = [seen.length > 0, said.length > 0]
  return {
    ...steps,
    pairs: isTrue ? 1 : 0,
    foundPairs: isTrue && isAnswered ? 1 : 0,
    wrongPairs: !isTrue && isAnswered ? 1 : 0,
  }
}

export function summariseTimes(scores: readonly TimeScores[]): TimeSummary {
  const sum = (of: keyof TimeScores) => scores.reduce((total, score) => total + score[of], 0)
  const share = (part: number, whole: number) => (whole === 0 ? 0 : part / whole)
  const recall = share(sum('foundSteps'), sum('seenSteps'))
  const precision = share(sum('rightSteps'), sum('answeredSteps'))
  return {
    seenSteps: sum('seenSteps'),
    foundSteps: sum('foundSteps'),
    answeredSteps: sum('answeredSteps'),
    rightSteps: sum('rightSteps'),
    pairs: sum('pairs'),
    foundPairs: sum('foundPairs'),
    wrongPairs: sum('wrongPairs'),
    recall,
    precision,
    f1: share(2 * recall * precision, recall + precision),
  }
}

/**
 * Measures how pure the tracks are, and how often an appearance is split. The person of a track is the one that most
 * of its observed steps show. If several people are on screen together, times alone cannot decide, so the share is an
 * upper bound.
 */
export function scoreTracks(truth: Appearances, tracks: readonly TimedTrack[]): TrackScores {
  let observed = 0
  let ofMajority = 0
  const tracksOfAppearance = new Map<SpanS, number>()
  for (const { film, spans } of tracks) {
    const cast = truth.films.get(film)
    if (cast === undefined) continue
    const counts = countsIn(truth, film)
    const times = [...stepsOf(spans)].filter((timeS) => isIn(spans, timeS) && counts(timeS))
    const shares = [...cast].map(([, seen]) => ({
      seen,
      steps: times.filter((timeS) => isIn(seen, timeS)).length,
    }))
    const majority = shares.reduce((a, b) => (b.steps > a.steps ? b : a), {
      seen: [] as readonly SpanS[],
      steps: 0,
    })
    observed += times.length
    ofMajority += majority.steps
    for (const appearance of majority.seen)
      if (times.some((timeS) => isIn([appearance], timeS)))
        tracksOfAppearance.set(appearance, (tracksOfAppearance.get(appearance) ?? 0) + 1)
  }
  const counts = [...tracksOfAppearance.values()]
  return {
    purity: observed === 0 ? 0 : ofMajority / observed,
    splits: counts.length === 0 ? 0 : counts.reduce((sum, count) => sum + count, 0) / counts.length,
    tracks: tracks.length,
  }
}

/** True if an answer at this time of the film counts. */
function countsIn({ films, unsure }: Appearances, film: string): (timeS: number) => boolean {
  const unsureSpans = unsure.get(film) ?? []
  const changes = [...(films.get(film)?.values() ?? [])].flat().flatMap(({ startS, endS }) => [startS, endS])
  return (timeS) =>
    !isIn(unsureSpans, timeS) && !changes.some((changeAtS) => Math.abs(changeAtS - timeS) < changeS)
}

/** Number of steps from the start of a film to the end of the last span. */
function* stepsOf(spans: readonly SpanS[]): Generator<number> {
  const endS = Math.max(0, ...spans.map((span) => span.endS))
  for (let step = 0; (step + 0.5) * stepS < endS; step++) yield (step + 0.5) * stepS
}

const isIn = (spans: readonly SpanS[], timeS: number) =>
  spans.some(({ startS, endS }) => timeS >= startS && timeS < endS)
