import type { AskedPerson } from './asked-person.js'
import type { MatchedRange } from './clip-match.js'
import type { HiddenMatch } from './hidden-match.js'

/** Another person that a search asks for, or excludes. */
export interface Companion extends AskedPerson {
  readonly name: string
  readonly hidden?: HiddenMatch | undefined
}

/** The people who must appear with a person, and those who must not. */
export interface Company {
  readonly with: readonly Companion[]
  readonly without: readonly Companion[]
  /** All must be on screen at the same time. */
  readonly together: boolean
}

/** All others that are asked for or wanted away. */
export const othersOf = ({ with: wanted, without }: Pick<Company, 'with' | 'without'>): Companion[] => [
  ...wanted,
  ...without,
]

/**
 * What of each range lies within one of the others. Two people who are seen in one single frame have a moment in common, of
 * length 0.
 * @param others in order of time, and apart from each other
 */
export function rangesWithin(
  ranges: readonly MatchedRange[],
  others: readonly Pick<MatchedRange, 'startS' | 'endS'>[],
): MatchedRange[] {
  return ranges.flatMap((range) =>
    others.flatMap((other) => {
      const [startS, endS] = [Math.max(range.startS, other.startS), Math.min(range.endS, other.endS)]
      return startS <= endS ? [{ ...range, startS, endS }] : []
    }),
  )
}
