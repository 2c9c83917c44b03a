import { CameoError } from '../../pipeline/common/errors.js'
import { PeopleRows, type PersonRow } from '../store/people-rows.js'
import type { Database } from '../store/sqlite.js'

/** @throws PERSON_UNKNOWN */
export function findPerson(database: Database, personId: number): PersonRow {
  const person = new PeopleRows(database).get(personId)
  if (person !== undefined) return person
  throw unknownPerson(personId)
}

export const unknownPerson = (personId: number): CameoError =>
  new CameoError('PERSON_UNKNOWN', `there is no person ${personId}: list the people to see which there are`)

/** The name of a person, or the number. */
export const nameOfPerson = ({ personId, name }: Pick<PersonRow, 'personId' | 'name'>): string =>
  name ?? `person ${personId}`
