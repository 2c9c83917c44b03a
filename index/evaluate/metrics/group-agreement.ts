import { bootstrapSums, type Interval } from './bootstrap.js'

/** A track, whom it shows, and into which group it was put. */
export interface GroupedItem {
  /** Undefined: somebody who is not measured, and nobody of those who are. */
  readonly person: string | undefined
  /** Undefined: in no group, so in one of its own. */
  readonly group: number | undefined
}

/** How well groups agree with people: 0..1, with 95 % intervals over people. */
export interface Agreement {
  readonly precision: number
  readonly recall: number
  /** Their harmonic mean. */
  readonly f: number
  readonly ci95: { readonly precision: Interval; readonly recall: Interval; readonly f: Interval }
}

/** How well groups of tracks agree with people, by tracks and by pairs. */
export interface GroupAgreement {
  /** By tracks: how much of a track's group is its person, and how much of its person is in its group (Bagga and Baldwin, 1998). */
  readonly bcubed: Agreement
  /** By pairs of tracks: how many pairs of a group are one person, and how many pairs of a person are in one group. */
  readonly pairwise: Agreement
  /** Tracks that were measured. */
  readonly tracks: number
  readonly people: number
  /** Groups with a measured track; a track without a group is one. */
  readonly groups: number
}

/** Sums of one person: what precision and recall are computed from. */
type Sums = readonly [precisionSum: number, precisionCount: number, recallSum: number, recallCount: number]

/**
 * Compares groups with people: BCubed (as extended by Amigó et al., A comparison of extrinsic clustering evaluation metrics, 2009) and
 * pairs. Items without a person are not averaged, but what they are grouped with is less precise. A measure without any pair is 1.
 * @param hasIntervals false: quicker, and intervals have no width
 */
export function groupAgreement(items: readonly GroupedItem[], hasIntervals = true): GroupAgreement {
  const groups = new Map<string, Map<string | undefined, number>>()
  const sizes = new Map<string, number>()
  const keyOf = ({ group }: GroupedItem, at: number) => (group === undefined ? `alone ${at}` : `${group}`)
  for (const [at, item] of items.entries()) {
    const members = groups.get(keyOf(item, at)) ?? new Map<string | undefined, number>()
    groups.set(keyOf(item, at), members)
    members.set(item.person, (members.get(item.person) ?? 0) + 1)
    if (item.person !== undefined) sizes.set(item.person, (sizes.get(item.person) ?? 0) + 1)
  }
  const bcubed = new Map<string, Sums>()
  const pairwise = new Map<string, Sums>()
  let measured = 0
  for (const members of groups.values()) {
    const size = [...members.values()].reduce((sum, count) => sum + count, 0)
    const strangers = members.get(undefined) ?? 0
    if (size > strangers) measured++
    for (const [person, count] of members) {
      if (person === undefined) continue
      const own = sizes.get(person) ?? 0
      add(bcubed, person, [(count * count) / size, count, (count * count) / own, count])
      const pairs = (count * (count - 1)) / 2
      // A wrong pair counts half for each of its people, and whole where only one of them is measured.
      const wrong = (count * (size - strangers - count)) / 2 + count * strangers
      add(pairwise, person, [pairs, pairs + wrong, pairs, 0])
    }
  }
  for (const [person, size] of sizes) add(pairwise, person, [0, 0, 0, (size * (size - 1)) / 2])
  return {
    ...{
      bcubed: agreementOf([...bcubed.values()], hasIntervals),
      pairwise: agreementOf([...pairwise.values()], hasIntervals),
    },
    ...{ people: sizes.size, groups: measured },
    tracks: [...sizes.values()].reduce((sum, size) => sum + size, 0),
  }
}

function add(sums: Map<string, Sums>, person: string, [a, b, c, d]: Sums): void {
  const [e, f, g, h] = sums.get(person) ?? [0, 0, 0, 0]
  sums.set(person, [a + e, b + f, c + g, d + h])
}

function agreementOf(people: readonly Sums[], hasIntervals: boolean): Agreement {
  const precisionOf = ([sum = 0, count = 0]: readonly number[]) => (count === 0 ? 1 : sum / count)
  const recallOf = ([, , sum = 0, count = 0]: readonly number[]) => (count === 0 ? 1 : sum / count)
  const fOf = (sums: readonly number[]) => harmonicMean(precisionOf(sums), recallOf(sums))
  const all = people.reduce<readonly number[]>(
    (sums, own) => sums.map((sum, i) => sum + (own[i] ?? 0)),
    [0, 0, 0, 0],
  )
  const figures = { precision: precisionOf(all), recall: recallOf(all), f: fOf(all) }
  const [precision, recall, f] = hasIntervals ? bootstrapSums(people, [precisionOf, recallOf, fOf]) : []
  const exactly = (value: number): Interval => [value, value]
  return {
    ...figures,
    ci95: {
      precision: precision ?? exactly(figures.precision),
      recall: recall ?? exactly(figures.recall),
      f: f ?? exactly(figures.f),
    },
  }
}

export const harmonicMean = (precision: number, recall: number): number =>
  precision + recall === 0 ? 0 : (2 * precision * recall) / (precision + recall)
