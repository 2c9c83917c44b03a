/** The result of a grouping. */
export interface GroupPeopleReport {
  /** Tracks in the archive. */
  readonly tracks: number
  /** Those that have a person now. */
  readonly grouped: number
  /** Number of people. */
  readonly people: number
  /** New ones among them. */
  readonly added: number
  /** Tracks that got a person, or another one. */
  readonly changed: number
  /** The similarity that was used: that of the request, or the default. */
  readonly minSimilarity: number
}

/** The person of a row; undefined if it has none. */
export type PersonOf = (row: number) => number | undefined

/** Key in `meta`: the space, and the last label of it that was grouped. */
export const groupedKey = 'people.grouped'
