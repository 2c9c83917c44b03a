import { CameoError } from '../../pipeline/common/errors.js'
import type { FilledArchive } from '../archive/open-archive.js'
import { trackFaceReader } from '../identities/track-face.js'
import type { Query } from '../search/read-query.js'
import { PeopleRows } from '../store/people-rows.js'
import { createTrackHits } from '../store/track-hits.js'
import { findPerson, nameOfPerson, unknownPerson } from './find-person.js'
import { visibleMembers } from './list-groups.js'
import { chooseTracks } from './name-person.js'

/**
 * A question with the best faces of a person into whom tracks were grouped, named or not, as far as its clips may be seen.
 * @throws PERSON_UNKNOWN; ARCHIVE_DAMAGED if no face of the person can be read
 */
export function questionOfGroup(opened: FilledArchive, personId: number): Query {
  const { archive } = opened
  const { database } = archive
  const person = findPerson(database, personId)
  const members = chooseTracks(visibleMembers(archive, new PeopleRows(database), personId))
  if (archive.visible !== undefined && members.length === 0) throw unknownPerson(personId)
  const faceOf = trackFaceReader(opened)
  const embeddings = members.flatMap(({ trackId }) => faceOf(trackId) ?? [])
  if (embeddings.length === 0)
    throw new CameoError('ARCHIVE_DAMAGED', `no face of ${nameOfPerson(person)} can be read`)
  const [best] = members
  return {
    ...{ kind: 'person', value: `${personId}`, embeddings },
    quality: Math.max(...embeddings.map(({ quality }) => quality)),
    thumbnailJpeg: best === undefined ? undefined : createTrackHits(database, 0).thumbnailOf(best.trackId),
  }
}
