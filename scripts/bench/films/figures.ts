/** The results of a set of films: in total, and by the kinds of cuts in the films' names. */
import {
  timeFigures,
  type MeasuredTimes,
  type RefusedQuery,
  type TimeFigures,
} from '../../../index/evaluate/protocols/time-figures.js'
import { oneLine } from '../../cli/output.js'
import { traitsOf } from './plan.js'

export interface NamedFigures extends TimeFigures {
  readonly name: string
  readonly films: number
}

export interface SeedFigures {
  readonly seed: number
  readonly total: NamedFigures
  /** By style, by kind of join, and by further traits. */
  readonly groups: readonly NamedFigures[]
  /** Lowest score of an answer. */
  readonly threshold: number
  /** Number of people searched for, including refused queries. */
  readonly queries: number
  readonly refused: readonly RefusedQuery[]
}

export function figuresOfSeed(seed: number, measured: MeasuredTimes): SeedFigures {
  const films = [...measured.truth.films.keys()]
  const figures = (name: string, counts: (film: string) => boolean) => ({
    name,
    films: films.filter(counts).length,
    ...timeFigures(measured, counts),
  })
  const groupsBy = (traits: (film: string) => readonly string[]) =>
    [...new Set(films.flatMap(traits))].map((trait) => figures(trait, (film) => traits(film).includes(trait)))
  return {
    seed,
    total: figures('all', () => true),
    groups: [
      ...groupsBy((film) => [`style ${traitsOf(film).style}`]),
      ...groupsBy((film) => [`joins ${traitsOf(film).joins}`]),
      ...groupsBy((film) => traitsOf(film).more),
    ],
    threshold: measured.line.threshold,
    queries: measured.answers.size + measured.refused.length,
    refused: measured.refused,
  }
}

/** The mean of shares, and the sums of counts. */
export function meanOfSeeds(seeds: readonly SeedFigures[]): NamedFigures {
  const sum = (of: Exclude<keyof NamedFigures, 'name'>) =>
    seeds.reduce((total, seed) => total + seed.total[of], 0)
  const mean = (of: Exclude<keyof NamedFigures, 'name'>) => sum(of) / seeds.length
  return {
    name: `mean of ${seeds.length} seeds`,
    films: sum('films'),
    ...{ recall: mean('recall'), precision: mean('precision'), f1: mean('f1') },
    ...{ pairs: sum('pairs'), found: sum('found'), wrong: sum('wrong') },
    ...{ tracks: sum('tracks'), purity: mean('purity'), splits: mean('splits') },
  }
}

const columns: readonly (readonly [title: string, cell: (figures: NamedFigures) => string])[] = [
  ['films', ({ films }) => String(films)],
  ['recall', ({ recall }) => recall.toFixed(4)],
  ['precision', ({ precision }) => precision.toFixed(4)],
  ['found', ({ found, pairs }) => `${found}/${pairs}`],
  ['wrong', ({ wrong }) => String(wrong)],
  ['tracks', ({ tracks }) => String(tracks)],
  ['purity', ({ purity }) => purity.toFixed(4)],
  ['splits', ({ splits }) => splits.toFixed(2)],
]

/** Lines of one table. The first line has the names of its columns. */
export function figuresTable(rows: readonly NamedFigures[]): string[] {
  const line = (name: string, cells: readonly string[]) =>
    [name.padEnd(18), ...cells.map((cell) => cell.padStart(10))].join('')
  return [
    line(
      '',
      columns.map(([title]) => title),
    ),
    ...rows.map((row) =>
      line(
        row.name,
        columns.map(([, cell]) => cell(row)),
      ),
    ),
  ]
}

export const refusedLines = ({ queries, refused }: SeedFigures): string[] => [
  `${refused.length} of ${queries} queries refused${refused.length === 0 ? '' : ':'}`,
  ...refused.map(({ person, code, message }) => `  ${oneLine(person)}: ${oneLine(message)} [${code}]`),
]
