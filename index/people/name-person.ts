import { CameoError } from '../../pipeline/common/errors.js'
import type { Pack } from '../../pipeline/models/packs/pack.js'
import { thresholdOfModels } from '../../pipeline/models/packs/pack-threshold.js'
import type { FilledArchive } from '../archive/open-archive.js'
import { checkAgreement } from '../identities/check-enrolment.js'
import { enrolledFaces } from '../identities/enrolled-faces.js'
import { enroll, knownName, parseName } from '../identities/identities.js'
import { trackFaceReader } from '../identities/track-face.js'
import { findIdentity } from '../store/identities.js'
import type { PeopleRows } from '../store/people-rows.js'
import type { MemberRow } from '../store/people-rows.js'
import { hasSource } from '../store/reference-faces.js'
import { memoised } from '../store/whole-rows.js'
import { correcting } from './correct-people.js'
import { findPerson, nameOfPerson } from './find-person.js'

/** Who gets which name. */
export interface NameRequest {
  readonly personId: number
  readonly name: string
  /** Give the name even if most faces do not match the faces that it has. Default: false. */
  readonly force?: boolean
}

/** The result of naming a person. */
export interface NamedPerson {
  readonly changeId: number
  readonly personId: number
  /** As it is stored. */
  readonly name: string
  /** Faces that the name has now. */
  readonly faces: number
  /** Those among them that came from this person. */
  readonly added: number
  /** Other people with this name: they may be one person. */
  readonly others: readonly number[]
}

/** So many faces describe a person well; more would only take time. */
const mostFaces = 20

/**
 * Gives a person a name. Its best faces are enrolled under the name, so that a search by name finds past and future clips. A face is
 * forgotten together with the clip that it is from.
 * @throws PERSON_UNKNOWN; FACES_DISAGREE if the name has faces of somebody else, unless forced; USAGE if the name is empty
 */
export function namePerson(
  opened: FilledArchive,
  { pack }: { readonly pack: Pack },
  { personId, name: given, force = false }: NameRequest,
): NamedPerson {
  const { archive, recipe } = opened
  const { database } = archive
  const faceOf = trackFaceReader(opened)
  return correcting(archive, (people, changes) => {
    const person = findPerson(database, personId)
    const name = knownName(database, parseName(given))
    const members = people.membersOf(personId)
    const isFree = memoised((clipId: string) => {
      const source = archive.files.pathsOf(clipId)[0]
      return source !== undefined && !hasSource(database, name, source) ? source : undefined
    })
    const free = members.filter(({ clipId }) => isFree(clipId) !== undefined)
    // Where the name has faces of every clip, they are compared all the same.
    const references = chooseTracks(free.length > 0 ? free : members).flatMap(({ trackId, clipId }) => {
      const face = faceOf(trackId)
      return face === undefined ? [] : [{ clipId, face: { source: isFree(clipId) ?? clipId, ...face } }]
    })
    const faces = references.map(({ face }) => face)
    const added = free.length > 0 ? references : []
    const before = enrolledFaces(database, name, recipe.embedderDigest)
    if (before.length > 0 && faces.length > 0)
      checkAgreement({ name, enrolled: before, given: faces, dimension: pack.embedder.dimension, threshold: thresholdOfModels(pack) }, force) // prettier-ignore
    if (before.length + added.length === 0)
      throw new CameoError('ARCHIVE_DAMAGED', `no face of ${nameOfPerson(person)} can be read`)
    if (added.length > 0) enroll(database, name, recipe.embedderDigest, faces)
    const identityId = findIdentity(database, name)
    if (identityId === undefined) throw new CameoError('ARCHIVE_DAMAGED', 'the new name is missing')
    const changeId = changes.add('name')
    changes.concern(changeId, person)
    for (const { clipId, face } of added) changes.enrolled(changeId, identityId, clipId, face.source)
    people.setIdentity(personId, identityId)
    return {
      ...{ changeId, personId, name, added: added.length },
      faces: enrolledFaces(database, name, recipe.embedderDigest).length,
      others: othersWith(people, identityId, personId),
    }
  })
}

const othersWith = (people: PeopleRows, identityId: number, personId: number): number[] =>
  people
    .withIdentity(identityId)
    .map((each) => each.personId)
    .filter((id) => id !== personId)

/** The best track of each clip, then the second best of each, and so on: faces from many clips differ more than those from one. */
export function chooseTracks(members: readonly MemberRow[], most = mostFaces): MemberRow[] {
  const rounds: MemberRow[][] = []
  const counts = new Map<string, number>()
  for (const member of members) {
    const round = counts.get(member.clipId) ?? 0
    counts.set(member.clipId, round + 1)
    ;(rounds[round] ??= []).push(member)
  }
  return rounds.flat().slice(0, most)
}
