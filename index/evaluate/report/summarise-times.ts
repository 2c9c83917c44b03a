import { timeFigures, type MeasuredTimes } from '../protocols/time-figures.js'
import { stepS, summariseTimes, type PairScore, type TimeScores } from '../protocols/times.js'
import { reportVersion } from './report-data.js'
import { drawnFilms, drawnPeople, type FilmTimeline, type TimesReport } from './times-data.js'
import type { SpanS } from '../data/appearances.js'

export type TimesReportRun = Pick<TimesReport, 'title' | 'startedAt' | 'durationS' | 'settings'>

/** Summarises the measured answers in time for a report. */
export function timesReportOf(measured: MeasuredTimes, run: TimesReportRun): TimesReport {
  const { pairs, refused, missingFilms } = measured
  const byFilm = worstFirst(pairs, ({ film }) => film)
  return {
    version: reportVersion,
    kind: 'times',
    ...run,
    missingFilms: [...missingFilms],
    refused: [...refused],
    total: timeFigures(measured),
    films: byFilm.map(([film]) => ({ film, ...timeFigures(measured, (other) => other === film) })),
    people: worstFirst(pairs, ({ person }) => person).map(([person, own]) => ({
      person,
      ...accuracyOf(own),
    })),
    pairs: pairs.map((pair) => ({
      film: pair.film,
      person: pair.person,
      isTrue: pair.pairs > 0,
      isFound: pair.foundPairs + pair.wrongPairs > 0,
      seenS: secondsOf(pair.seenSteps),
      answeredS: secondsOf(pair.answeredSteps),
      rightS: secondsOf(pair.rightSteps),
    })),
    worst: byFilm
      .filter(([, own]) => own.some(isWrong))
      .slice(0, drawnFilms)
      .map(([film, own]) => timelineOf(film, own, measured)),
  }
}

const secondsOf = (steps: number) => Number((steps * stepS).toFixed(1))

/** Number of missed steps and of wrongly answered steps. */
const wrongSteps = ({ seenSteps, foundSteps, answeredSteps, rightSteps }: TimeScores) =>
  seenSteps - foundSteps + answeredSteps - rightSteps

/** True if a person is found wrongly or not at all, even if no step counts. */
const isWrong = (score: TimeScores) =>
  wrongSteps(score) > 0 || score.wrongPairs > 0 || score.foundPairs < score.pairs

const wrongOf = (scores: readonly PairScore[]) => scores.reduce((sum, score) => sum + wrongSteps(score), 0)

function worstFirst(
  pairs: readonly PairScore[],
  nameOf: (pair: PairScore) => string,
): (readonly [string, readonly PairScore[]])[] {
  const groups = new Map<string, PairScore[]>()
  for (const pair of pairs) {
    const name = nameOf(pair)
    const group = groups.get(name) ?? []
    group.push(pair)
    groups.set(name, group)
  }
  return [...groups].sort(([, a], [, b]) => wrongOf(b) - wrongOf(a))
}

function accuracyOf(scores: readonly TimeScores[]) {
  const { recall, precision, f1, pairs, foundPairs, wrongPairs } = summariseTimes(scores)
  return { recall, precision, f1, pairs, found: foundPairs, wrong: wrongPairs }
}

function timelineOf(
  film: string,
  pairs: readonly PairScore[],
  { truth, answers }: MeasuredTimes,
): FilmTimeline {
  const people = [...pairs]
    .sort((a, b) => wrongSteps(b) - wrongSteps(a))
    .slice(0, drawnPeople)
    .map(({ person }) => ({
      person,
      seen: [...(truth.films.get(film)?.get(person) ?? [])],
      answered: [...(answers.get(person)?.get(film) ?? [])],
    }))
  const unsure = [...(truth.unsure.get(film) ?? [])]
  const ends = (spans: readonly SpanS[]) => spans.map(({ endS }) => endS)
  return {
    film,
    lengthS: Math.max(
      ...ends([...unsure, ...people.flatMap(({ seen, answered }) => [...seen, ...answered])]),
    ),
    wrongS: secondsOf(wrongOf(pairs)),
    unsure,
    people,
    peopleInAll: pairs.length,
  }
}
