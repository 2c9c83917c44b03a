import type { Archive } from '../archive/open-archive.js'
import { findIdentity } from '../store/identities.js'
import { PeopleRows } from '../store/people-rows.js'
import { splitPerson } from './correct-people.js'

/**
 * Takes tracks that do not show a name out of the people with this name: they become a person of their own, which can be undone. A
 * person all of whose tracks are meant stays: then the name of the person is what is wrong.
 * @throws ARCHIVE_BUSY
 */
export function leavePeople(archive: Archive, name: string, trackIds: readonly number[]): void {
  const people = new PeopleRows(archive.database)
  for (const { personId } of people.withIdentity(findIdentity(archive.database, name) ?? -1)) {
    const members = people.membersOf(personId)
    const leaving = members.filter(({ trackId }) => trackIds.includes(trackId)).map(({ trackId }) => trackId)
    if (leaving.length > 0 && leaving.length < members.length)
      splitPerson(archive, { personId, trackIds: leaving })
  }
}
