import { shareFrames, type TracksToGroup } from './tracks-to-group.js'

type Pairs = readonly (readonly [a: number, b: number])[]

/** Rows that corrections say are one person, each with all of them. */
export function linkedRows(must: Pairs): ReadonlyMap<number, readonly number[]> {
  const linked = new Map<number, number[]>()
  for (const [a, b] of must) {
    const [one, other] = [linked.get(a) ?? [a], linked.get(b) ?? [b]]
    if (one === other) continue
    const rows = [...one, ...other]
    for (const row of rows) linked.set(row, rows)
  }
  return linked
}

/** What may not be one person, also of those who are one with them by corrections. */
export const spreadCannot = (cannot: Pairs, linked: ReadonlyMap<number, readonly number[]>): Pairs =>
  cannot.flatMap(([a, b]) =>
    (linked.get(a) ?? [a]).flatMap((one) => (linked.get(b) ?? [b]).map((other) => [one, other] as const)),
  )

/**
 * Unites groups with tracks that corrections say are one person. This is done after the grouping, since the centre of two looks of a
 * person would be like neither. Tracks that share frames with the other group, and are in no correction, become groups of their own.
 */
export function uniteLinked(
  groups: readonly (readonly number[])[],
  linked: ReadonlyMap<number, readonly number[]>,
  tracks: Omit<TracksToGroup, 'vectors' | 'qualities'>,
): readonly (readonly number[])[] {
  const groupOf = new Map<number, number>()
  for (const [group, rows] of groups.entries()) for (const row of rows) groupOf.set(row, group)
  const united = groups.map((rows) => [...rows])
  const alone: number[][] = []
  for (const together of new Set(linked.values())) {
    const joined = [...new Set(together.map((row) => groupOf.get(row) ?? -1))]
      .filter((group) => group >= 0)
      .sort((a, b) => (united[b]?.length ?? 0) - (united[a]?.length ?? 0) || a - b)
    if (joined.length < 2) continue
    const rows = joined.flatMap((group) => united[group] ?? [])
    const target = rows.filter((row) => linked.has(row))
    for (const row of rows.filter((each) => !linked.has(each)))
      if (target.some((each) => shareFrames(tracks, each, row))) alone.push([row])
      else target.push(row)
    for (const group of joined) united[group] = []
    const [kept = 0] = joined
    united[kept] = target
    for (const row of target) groupOf.set(row, kept)
  }
  return [...united, ...alone].filter(({ length }) => length > 0).map((rows) => rows.sort((a, b) => a - b))
}
