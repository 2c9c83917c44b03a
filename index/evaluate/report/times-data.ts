import { z } from 'zod'
import { reportVersion } from './report-data.js'

export const timesFiles = { json: 'report.json', csv: 'per-pair.csv', html: 'report.html' } as const

/** Number of films with timelines, and of people in each. */
export const drawnFilms = 6
export const drawnPeople = 8

/** Maximum length of the tables in the page. The CSV and the JSON contain everything. */
export const listedAtMost = 100

const share = z.number().min(0).max(1)
const count = z.int().min(0)
const seconds = z.number().min(0)
const span = z.object({ startS: seconds, endS: seconds })

const accuracy = {
  /**
   * Recall: share of the seconds in which a person is seen that are answered. Precision: share of the answered
   * seconds in which the person is seen.
   */
  recall: share,
  precision: share,
  f1: share,
  /** Number of true pairs of a person and a film, of answered true pairs, and of answered pairs that are not true. */
  pairs: count,
  found: count,
  wrong: count,
}

const figures = z.object({ ...accuracy, tracks: count, purity: share, splits: z.number().min(0) })

const pair = z.object({
  film: z.string(),
  person: z.string(),
  isTrue: z.boolean(),
  isFound: z.boolean(),
  /** Counted seconds: of the truth, of the answer, and of both. */
  seenS: seconds,
  answeredS: seconds,
  rightS: seconds,
})

const timeline = z.object({
  film: z.string(),
  lengthS: seconds,
  /** Missed and wrongly answered seconds of all people. */
  wrongS: seconds,
  unsure: z.array(span),
  /** People with the most wrong seconds first, `drawnPeople` of `peopleInAll`. */
  people: z.array(z.object({ person: z.string(), seen: z.array(span), answered: z.array(span) })),
  peopleInAll: count,
})

export const timesReport = z.object({
  version: z.literal(reportVersion),
  /** Distinguishes it from a report of rankings. */
  kind: z.literal('times'),
  title: z.string().min(1),
  startedAt: z.iso.datetime(),
  durationS: seconds,
  settings: z.record(z.string(), z.json()),
  missingFilms: z.array(z.string()),
  refused: z.array(z.object({ person: z.string(), code: z.string(), message: z.string() })),
  total: figures,
  /** Worst first. */
  films: z.array(figures.extend({ film: z.string() })),
  people: z.array(z.object({ person: z.string(), ...accuracy })),
  pairs: z.array(pair),
  worst: z.array(timeline),
})

export type TimesReport = z.infer<typeof timesReport>
export type FilmTimeline = z.infer<typeof timeline>
