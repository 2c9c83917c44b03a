/** A new group, with its rows. */
export type Group = readonly number[]

/**
 * Gives new groups the ids of those that they continue. An id goes to the group that holds most of its tracks, the pairs with most
 * tracks in common first.
 * @param personOf the person of each row until now; undefined if it had none
 * @param firmRows rows whose group takes the id of their person in any case
 * @returns the id of each group; undefined for a new person
 */
export function keepIds(
  groups: readonly Group[],
  personOf: (row: number) => number | undefined,
  firmRows: ReadonlySet<number> = new Set(),
): readonly (number | undefined)[] {
  const overlaps = groups.flatMap((rows, group) => {
    const counts = new Map<number, number>()
    for (const row of rows) {
      const person = personOf(row)
      if (person !== undefined)
        counts.set(person, (counts.get(person) ?? 0) + (firmRows.has(row) ? Infinity : 1))
    }
    return [...counts].map(([person, common]) => ({ group, person, common }))
  })
  overlaps.sort((a, b) => compare(b.common, a.common) || a.person - b.person || a.group - b.group)
  const ids = new Array<number | undefined>(groups.length).fill(undefined)
  const taken = new Set<number>()
  for (const { group, person } of overlaps) {
    if (ids[group] !== undefined || taken.has(person)) continue
    ids[group] = person
    taken.add(person)
  }
  return ids
}

/** Also of infinite numbers. */
const compare = (a: number, b: number): number => (a === b ? 0 : a - b)
