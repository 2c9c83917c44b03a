import { CameoError } from '../../pipeline/common/errors.js'
import { quoted } from '../../pipeline/common/display-name.js'
import { parseSpans } from '../store/clip-columns.js'
import { lockPeople } from '../store/locks.js'
import { PeopleChanges } from '../store/people-changes.js'
import { PeopleRows, type MemberRow } from '../store/people-rows.js'
import type { Database } from '../store/sqlite.js'
import { inTransaction } from '../store/transaction.js'
import { findClipId } from '../identities/forget.js'
import type { Archive } from '../archive/open-archive.js'
import { findPerson, nameOfPerson } from './find-person.js'

/** The result of a correction. */
export interface Corrected {
  /** Its number in the log, with which it can be undone. */
  readonly changeId: number
  /** The person that was kept or made. */
  readonly personId: number
  /** Tracks that moved to this person. */
  readonly tracks: number
}

/** So many of the best tracks of a person stand for it in a correction. */
export const representatives = 16

/** Runs a correction as one transaction, while nobody else changes people. @throws ARCHIVE_BUSY */
export function correcting<Result>(
  { dir, database }: Pick<Archive, 'dir' | 'database'>,
  work: (people: PeopleRows, changes: PeopleChanges) => Result,
): Result {
  const lock = lockPeople(dir)
  try {
    return inTransaction(database, () => work(new PeopleRows(database), new PeopleChanges(database)))
  } finally {
    lock.release()
  }
}

/**
 * Says that several people are one. The first one keeps its id, and takes a name from the others if it has none.
 * @throws PERSON_UNKNOWN; USAGE if they have different names
 */
export function mergePeople(archive: Archive, ids: readonly number[]): Corrected {
  const { database } = archive
  return correcting(archive, (people, changes) => {
    const [kept, ...others] = [...new Set(ids)].map((id) => findPerson(database, id))
    if (kept === undefined || others.length === 0)
      throw new CameoError('USAGE', 'two or more different people are needed to make them one')
    const names = new Map([kept, ...others].flatMap(({ identityId, name }) => (identityId === undefined ? [] : [[identityId, name ?? '']]))) // prettier-ignore
    if (names.size > 1)
      throw new CameoError(
        'USAGE',
        `they have different names (${[...names.values()].map(quoted).join(', ')}): give them one name first`,
      )
    const changeId = changes.add('merge')
    const [best] = people.membersOf(kept.personId)
    const [identityId] = names.keys()
    let tracks = 0
    for (const person of [kept, ...others]) {
      changes.concern(changeId, person)
      const members = people.membersOf(person.personId)
      for (const { trackId } of members.slice(0, representatives))
        if (best !== undefined && trackId !== best.trackId)
          changes.link(changeId, { kind: 'must', a: best.trackId, b: trackId })
      if (person === kept) continue
      for (const { trackId } of members) {
        changes.moved(changeId, trackId, person.personId)
        people.put(trackId, kept.personId)
        tracks++
      }
    }
    people.setIdentity(kept.personId, identityId)
    return { changeId, personId: kept.personId, tracks }
  })
}

/** Which tracks of a person show somebody else. */
export interface SplitRequest {
  readonly personId: number
  /** Those of this clip: its id, its first 8 digits or more, or the path of its file. */
  readonly clip?: string | undefined
  /** Only those that are seen in this time of the clip, s. */
  readonly range?: readonly [startS: number, endS: number] | undefined
  /** These tracks, by their ids. */
  readonly trackIds?: readonly number[] | undefined
}

/**
 * Says that some tracks of a person show somebody else: they become a person of their own.
 * @throws PERSON_UNKNOWN, CLIP_UNKNOWN; USAGE if no track is chosen, or all are
 */
export function splitPerson(archive: Archive, request: SplitRequest): Corrected {
  const { personId } = request
  return correcting(archive, (people, changes) => {
    const person = findPerson(archive.database, personId)
    const members = people.membersOf(personId)
    const isChosen = chooser(archive.database, request)
    const chosen = members.filter(isChosen)
    const rest = members.filter((member) => !isChosen(member))
    const [first] = chosen
    if (first === undefined) throw new CameoError('USAGE', `no such track is of ${nameOfPerson(person)}`)
    if (rest.length === 0)
      throw new CameoError('USAGE', `all tracks of ${nameOfPerson(person)} are chosen: nothing would be left`)
    const changeId = changes.add('split')
    changes.concern(changeId, person)
    const made = people.add()
    changes.made(changeId, made)
    for (const { trackId } of chosen) {
      if (trackId !== first.trackId) changes.link(changeId, { kind: 'must', a: first.trackId, b: trackId })
      changes.moved(changeId, trackId, personId)
      people.put(trackId, made)
    }
    for (const { trackId } of rest.slice(0, representatives))
      changes.link(changeId, { kind: 'cannot', a: first.trackId, b: trackId })
    return { changeId, personId: made, tracks: chosen.length }
  })
}

function chooser(
  database: Database,
  { clip, range, trackIds }: SplitRequest,
): (member: MemberRow) => boolean {
  if (clip === undefined && trackIds === undefined)
    throw new CameoError('USAGE', 'say which tracks show somebody else: those of a clip, or by their ids')
  if (range !== undefined && (clip === undefined || range[0] > range[1]))
    throw new CameoError('USAGE', 'a time range needs a clip, and ends after it begins')
  const clipId = clip === undefined ? undefined : findClipId(database, clip)
  return (member) =>
    (clipId === undefined || member.clipId === clipId) &&
    (trackIds === undefined || trackIds.includes(member.trackId)) &&
    (range === undefined ||
      parseSpans(member.spans).some(([startS, endS]) => startS <= range[1] && endS >= range[0]))
}

/** Takes people out of lists, or puts them back. Grouping goes on with them. @throws PERSON_UNKNOWN */
export function hidePeople(archive: Archive, ids: readonly number[], isHidden: boolean): number | undefined {
  return correcting(archive, (people, changes) => {
    const changed = [...new Set(ids)]
      .map((id) => findPerson(archive.database, id))
      .filter((person) => person.isHidden !== isHidden)
    if (changed.length === 0) return undefined
    const changeId = changes.add(isHidden ? 'hide' : 'show')
    for (const person of changed) {
      changes.concern(changeId, person)
      people.setHidden(person.personId, isHidden)
    }
    return changeId
  })
}
