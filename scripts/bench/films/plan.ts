/**
 * Edited films as data: which shots follow each other and how, and so who is seen when. No file is touched
 * here.
 */
import { csvCell } from '../../../index/evaluate/report/csv.js'
import { shuffled } from '../../../pipeline/common/seeded-random.js'

/** How a shot follows the shot before. */
export type Join = 'cut' | 'dissolve' | 'fadeblack' | 'wipeleft'

/** Where a shot's pictures are in the frame. `split` and `inset` have two of them. */
export type Place = 'full' | 'boxed' | 'backdrop' | 'split' | 'inset'

/** A moving picture of one person. */
export interface Take {
  readonly person: string
  /** ffmpeg's input, with the options before it. */
  readonly input: readonly string[]
  /** Filters that move a photo; absent if the input itself moves. */
  readonly motion?: string
  /** True if the picture fills the frame. Otherwise it stands in front of a blurred copy of itself. */
  readonly isWide: boolean
}

export interface Shot {
  readonly place: Place
  readonly takes: readonly [Take] | readonly [Take, Take]
  readonly startS: number
  readonly lengthS: number
  readonly join: Join
  /** Length of the transition, during which the shot before is also seen; 0 for a cut. */
  readonly overS: number
}

export interface Film {
  /** film-000-boxed-cut.mp4: its number and its form. */
  readonly name: string
  /** In ffmpeg's format: 0x405060. */
  readonly backdropColour: string
  readonly shots: readonly Shot[]
}

const styles = ['boxed', 'full', 'backdrop', 'mixed'] as const
const joinStyles = ['cut', 'dissolve', 'mixed'] as const

export interface FilmForm {
  /** One place for all shots, or any place. */
  readonly style: (typeof styles)[number]
  /** One kind of join for all shots, or any kind. */
  readonly joins: (typeof joinStyles)[number]
}

/** Number of films that contain each form once. */
export const formCount = styles.length * joinStyles.length

/** All forms take turns. */
export function formOf(number: number): FilmForm {
  return {
    style: styles[number % styles.length] ?? 'mixed',
    joins: joinStyles[Math.floor(number / styles.length) % joinStyles.length] ?? 'mixed',
  }
}

export function filmName(number: number, { style, joins }: FilmForm, ...more: readonly string[]): string {
  return `film-${[String(number).padStart(3, '0'), style, joins, ...more].join('-')}.mp4`
}

/** The traits in a film's name: ["boxed", "cut"]. */
export function traitsOf(name: string): {
  readonly style: string
  readonly joins: string
  readonly more: readonly string[]
} {
  const [, , style = '', joins = '', ...more] = name.replace(/\.mp4$/, '').split('-')
  return { style, joins, more }
}

/** Frames per second of the films. Shots and transitions are whole frames. */
export const framesPerS = 25

export const wholeFrames = (timeS: number) => Math.round(timeS * framesPerS) / framesPerS

export interface Reel {
  readonly shots: readonly Shot[]
  /**
   * Appends a shot.
   * @param wishedOverS length of the transition; it is shorter if it would be more than `share` of either
   * shot
   */
  add(shot: Omit<Shot, 'startS' | 'overS'>, wishedOverS: number, share: number): void
}

/** Shots one after the other. The first has no shot before it. */
export function createReel(): Reel {
  const shots: Shot[] = []
  let filmS = 0
  return {
    shots,
    add(shot, wishedOverS, share) {
      const before = shots.at(-1)
      if (before === undefined || shot.join === 'cut') {
        shots.push({ ...shot, join: 'cut', startS: filmS, overS: 0 })
        filmS += shot.lengthS
        return
      }
      const beforeS = before.startS + before.lengthS - before.startS
      const overS = wholeFrames(Math.min(wishedOverS, shot.lengthS * share, beforeS * share))
      shots.push({ ...shot, startS: filmS - overS, overS })
      filmS += shot.lengthS - overS
    },
  }
}

/** Who is seen when, in the format of `cameo eval times`. A transition is unsure. */
export function appearancesCsv(films: readonly Film[]): string {
  const rows = films.flatMap(({ name, shots }) => [
    ...shots
      .filter(({ overS }) => overS > 0)
      .map(({ startS, overS }) => [name, '*', startS, startS + overS, 'unsure'] as const),
    ...shots.flatMap(({ takes, startS, lengthS }) =>
      takes.map(({ person }) => [name, person, startS, startS + lengthS, 'seen'] as const),
    ),
  ])
  const lines = rows.map(([film, person, startS, endS, kind]) =>
    [csvCell(film), csvCell(person), startS.toFixed(2), endS.toFixed(2), kind].join(','),
  )
  return ['film,person,start_s,end_s,kind', ...lines, ''].join('\n')
}

/** Random draws of one generator. */
export interface Draw {
  between(low: number, high: number): number
  /** A whole number from 0 to count − 1. */
  below(count: number): number
  pick<T>(list: readonly T[]): T | undefined
  shuffle<T>(list: readonly T[]): T[]
}

export function drawFrom(random: () => number): Draw {
  const below = (count: number) => Math.floor(random() * count)
  return {
    below,
    between: (low, high) => low + (high - low) * random(),
    pick: (list) => list[below(list.length)],
    shuffle: (list) => [...shuffled(list.length, random)].flatMap((i) => list.slice(i, i + 1)),
  }
}

/** A colour that is neither dark nor bright. */
export function drawColour(draw: Draw): string {
  const channel = () => Math.floor(draw.between(0x30, 0xb0)).toString(16)
  return `0x${channel()}${channel()}${channel()}`
}
