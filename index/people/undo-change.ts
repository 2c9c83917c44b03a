import { CameoError } from '../../pipeline/common/errors.js'
import type { Archive } from '../archive/open-archive.js'
import { forgetEnrolled } from '../identities/identities.js'
import { PeopleChanges, type PeopleChange } from '../store/people-changes.js'
import { referenceFaces, type ReferenceFaceRow } from '../store/reference-faces.js'
import { correcting } from './correct-people.js'

/**
 * Undoes a change of people: the last one, or one by its number. Tracks that got a person since then keep it.
 * @returns the change that was undone
 * @throws NOT_FOUND if there is no change with this number; USAGE if there is nothing to undo, it is already undone, or a later
 * change concerns the same people
 */
export function undoChange(archive: Archive, changeId?: number): PeopleChange {
  const { database } = archive
  return correcting(archive, (people, changes) => {
    const change = changeId === undefined ? changes.last() : changes.get(changeId)
    if (change === undefined)
      throw new CameoError(
        changeId === undefined ? 'USAGE' : 'NOT_FOUND',
        changeId === undefined ? 'there is nothing to undo' : `there is no change ${changeId}`,
      )
    if (change.isUndone) throw new CameoError('USAGE', `the change ${change.changeId} was undone already`)
    const later = changes.laterThan(change.changeId)
    if (later !== undefined)
      throw new CameoError('USAGE', `the change ${later} concerns the same people: undo it first`)
    const { before, moves, enrolled } = changes.details(change.changeId)
    for (const person of before) if (person.existed) people.restore(person)
    for (const { trackId, personId } of moves)
      if (people.get(personId) !== undefined) people.put(trackId, personId)
    for (const { name, source } of enrolled) forgetEnrolled(database, name, source)
    changes.close(change.changeId)
    people.removeEmpty()
    return change
  })
}

/** The faces that undoing a change erases. @param changeId default: the last change */
export function facesOfChange(
  { database }: Pick<Archive, 'database'>,
  changeId?: number,
): readonly { readonly name: string; readonly faces: readonly ReferenceFaceRow[] }[] {
  const changes = new PeopleChanges(database)
  const change = changeId === undefined ? changes.last() : changes.get(changeId)
  if (change === undefined || change.isUndone) return []
  const { enrolled } = changes.details(change.changeId)
  return [...new Set(enrolled.map(({ name }) => name))].flatMap((name) => {
    const sources = new Set(enrolled.flatMap((face) => (face.name === name ? face.source : [])))
    const faces = referenceFaces(database, name).filter(({ source }) => sources.has(source))
    return faces.length === 0 ? [] : [{ name, faces }]
  })
}

/** The log of changes, the newest first. */
export const listChanges = ({ database }: Pick<Archive, 'database'>, limit = 50): readonly PeopleChange[] =>
  new PeopleChanges(database).list(limit)
