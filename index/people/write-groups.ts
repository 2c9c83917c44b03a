import { writeMeta } from '../store/meta.js'
import { PeopleChanges } from '../store/people-changes.js'
import { PeopleRows, type PersonRow } from '../store/people-rows.js'
import type { Database } from '../store/sqlite.js'
import { inTransaction } from '../store/transaction.js'
import { groupedKey, type GroupPeopleReport, type PersonOf } from './grouping.js'
import { keepIds } from './keep-ids.js'

/** A person has at least so many tracks: a track that is like no other says nothing. */
const leastTracks = 2

export interface GroupsToWrite {
  /** The rows of each group. */
  readonly groups: readonly (readonly number[])[]
  readonly tracks: { readonly trackIds: Float64Array }
  /** Whose tracks they were. */
  readonly personOf: PersonOf
  readonly again: boolean
  /** Rows whose group takes the id of their person in any case. */
  readonly firmRows: ReadonlySet<number>
  /** The last label that was grouped. */
  readonly last: { readonly spaceId: number; readonly label: number }
}

/** Stores groups as people, in one transaction. Tracks that were erased meanwhile are left out. */
export function writeGroups(
  database: Database,
  { groups, tracks: { trackIds }, personOf, again, firmRows, last }: GroupsToWrite,
): Pick<GroupPeopleReport, 'grouped' | 'people' | 'added' | 'changed'> {
  return inTransaction(database, () => {
    const people = new PeopleRows(database)
    const log = again ? new RegroupLog(database, people.all()) : undefined
    const ids = keepIds(groups, personOf, firmRows)
    const sizes = sizesOf(groups, personOf)
    let [grouped, added, changed] = [0, 0, 0]
    for (const [at, rows] of groups.entries()) {
      const kept = ids[at]
      // A person of one track was made by a person, so it stays.
      const stays = rows.length >= leastTracks || (kept !== undefined && (!again || sizes.get(kept) === 1))
      if (!stays) {
        for (const row of rows) {
          const before = personOf(row)
          if (before === undefined) continue
          changed++
          log?.moved(trackIds[row] ?? -1, before)
          people.remove(trackIds[row] ?? -1)
        }
        continue
      }
      const person = kept ?? people.add()
      if (kept === undefined) {
        added++
        log?.made(person)
      }
      grouped += rows.length
      for (const row of rows) {
        const before = personOf(row)
        if (before === person) continue
        changed++
        const trackId = trackIds[row] ?? -1
        if (before !== undefined) log?.moved(trackId, before)
        people.put(trackId, person)
      }
    }
    people.removeEmpty()
    writeMeta(database, groupedKey, `${last.spaceId}/${last.label}`)
    return { grouped, people: people.count(), added, changed }
  })
}

function sizesOf(groups: readonly (readonly number[])[], personOf: PersonOf): ReadonlyMap<number, number> {
  const sizes = new Map<number, number>()
  for (const rows of groups)
    for (const row of rows) {
      const person = personOf(row)
      if (person !== undefined) sizes.set(person, (sizes.get(person) ?? 0) + 1)
    }
  return sizes
}

/** The log's entry of a grouping that moves tracks from one person to another. None is written if it moves nothing. */
class RegroupLog {
  readonly #changes: PeopleChanges
  readonly #before: ReadonlyMap<number, PersonRow>
  #changeId: number | undefined
  readonly #made: number[] = []

  constructor(database: Database, before: ReadonlyMap<number, PersonRow>) {
    this.#changes = new PeopleChanges(database)
    this.#before = before
  }

  made(personId: number): void {
    this.#made.push(personId)
    if (this.#changeId !== undefined) this.#changes.made(this.#changeId, personId)
  }

  moved(trackId: number, from: number): void {
    const changeId = this.#begun()
    const person = this.#before.get(from)
    if (person !== undefined) this.#changes.concern(changeId, person)
    this.#changes.moved(changeId, trackId, from)
  }

  #begun(): number {
    if (this.#changeId !== undefined) return this.#changeId
    const changeId = this.#changes.add('group')
    for (const personId of this.#made) this.#changes.made(changeId, personId)
    return (this.#changeId = changeId)
  }
}
