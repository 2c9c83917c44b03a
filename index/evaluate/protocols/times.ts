import type { Appearances, SpanS, TimedTrack } from '../data/appearances.js'

/** Answers and truth are compared this often, s, half a step after each multiple. */
export const stepS = 0.1

/** This near to the beginning or end of any appearance in a film no step counts, s. */
const changeS = 0.3

/** What an archive answers for one person: when, by film. */
export type AnswerTimes = ReadonlyMap<string, readonly SpanS[]>

export interface TimeScores {
  /** Steps in which a person is seen; those of them that are answered. */
  readonly seenSteps: number
  readonly foundSteps: number
  /** Steps that are answered; those of them in which the person is seen. */
  readonly answeredSteps: number
  readonly rightSteps: number
  /** Pairs of a person and a film that are true; those of them that are answered at all. */
  readonly pairs: number
  readonly foundPairs: number
  /** Pairs that are answered and not true. */
  readonly wrongPairs: number
}

/** One person in one film. */
export interface PairScore extends TimeScores {
  readonly film: string
  readonly person: string
}

export interface TrackScores {
  /** Share of the tracks' observed steps that are their majority person's. */
  readonly purity: number
  /** Tracks a person and appearance, over the appearances that have any. */
  readonly splits: number
  readonly tracks: number
}

/** The seconds of all pairs together: recall, precision and their harmonic mean; shares of 0 steps are 0. */
export interface TimeSummary extends TimeScores {
  readonly recall: number
  readonly precision: number
  readonly f1: number
}

/**
 * Holds answers against the truth in steps of 0.1 s. A step counts neither for nor against an answer where the truth is
 * unsure, nor within 0.3 s of a change: a frame is not sampled at every moment.
 * @param answers by person; a person who is absent was not found anywhere, and any answer to one whom the truth does not name
 *   is wrong
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
 * How pure the tracks are, and how often a person's appearance is split. A track's person is whom most of its observed steps
 * show; where several people are on screen together, times cannot tell whose it is, and the share is an upper bound.
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

/** Whether an answer at that time of the film counts. */
function countsIn({ films, unsure }: Appearances, film: string): (timeS: number) => boolean {
  const unsureSpans = unsure.get(film) ?? []
  const changes = [...(films.get(film)?.values() ?? [])].flat().flatMap(({ startS, endS }) => [startS, endS])
  return (timeS) =>
    !isIn(unsureSpans, timeS) && !changes.some((changeAtS) => Math.abs(changeAtS - timeS) < changeS)
}

/** The steps from a film's beginning to the end of the last span. */
function* stepsOf(spans: readonly SpanS[]): Generator<number> {
  const endS = Math.max(0, ...spans.map((span) => span.endS))
  for (let step = 0; (step + 0.5) * stepS < endS; step++) yield (step + 0.5) * stepS
}

const isIn = (spans: readonly SpanS[], timeS: number) =>
  spans.some(({ startS, endS }) => timeS >= startS && timeS < endS)
