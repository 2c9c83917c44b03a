import { readVerdicts } from '../identities/verdicts.js'
import type { PeopleRows } from '../store/people-rows.js'
import type { StoredLink } from '../store/people-changes.js'
import type { Database } from '../store/sqlite.js'
import { representatives } from './correct-people.js'

/**
 * What corrections of names say of people with these names: a confirmed track is of the person, a rejected one is not. The person's
 * best tracks stand for it. (Of several people with one name, the one with the smallest id.)
 */
export function correctionLinks(database: Database, people: PeopleRows): StoredLink[] {
  const named = new Map<string, number>()
  for (const { personId, name } of people.all().values())
    if (name !== undefined && !named.has(name)) named.set(name, personId)
  return [...named].flatMap(([name, personId]) => {
    const { confirmed, rejected } = readVerdicts(database, name)
    const own = people.membersOf(personId).filter(({ trackId }) => !rejected.has(trackId))
    const link = (kind: StoredLink['kind'], tracks: ReadonlySet<number>, most: number) =>
      own
        .slice(0, most)
        .flatMap(({ trackId: a }) => [...tracks].filter((b) => b !== a).map((b) => ({ kind, a, b })))
    return [...link('cannot', rejected, representatives), ...link('must', confirmed, 1)]
  })
}
