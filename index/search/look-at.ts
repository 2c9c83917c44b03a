import { resolve } from 'node:path'
import { sha256OfFile } from '../../pipeline/common/digest.js'
import { CameoError } from '../../pipeline/common/errors.js'
import { peopleInClip, peopleInPhoto, type Candidate, type QueryCaller } from '../queries/query-person.js'
import { kindOfFile } from '../queries/query-file.js'
import type { ArchiveModels } from '../archive/archive-models.js'
import { questionOfFace, questionOfPerson, type Query } from './read-query.js'

/** Somebody who is seen in a photo or clip, with the question that finds him. */
export interface LookedAtPerson extends Candidate {
  /** The photo or clip is plainly of this person. At most one. */
  readonly isMain: boolean
  /** JPEG of the best face. */
  readonly thumbnailJpeg: Uint8Array
  readonly question: Query
}

/** Who is seen in a photo or clip. */
export interface LookedAt {
  readonly kind: 'image' | 'clip'
  /** Of the displayed picture, px. Boxes of faces refer to it. */
  readonly widthPx: number
  readonly heightPx: number
  /** At least one; most prominent first. Only the first 50 of a crowd. */
  readonly people: readonly LookedAtPerson[]
  /** Remarks on the file, as sentences. */
  readonly notices: readonly string[]
}

const mostPeople = 50

/**
 * Finds the people in a photo or clip, so that somebody can choose one. Models run once: a search with a question needs none.
 * @param path file of a photo or clip; its content decides which
 * @throws IMAGE_UNREADABLE, IMAGE_NO_FACE, QUERY_NO_TRACK, CLIP_*, INTERRUPTED
 */
export async function lookAt(path: string, models: ArchiveModels, caller: QueryCaller): Promise<LookedAt> {
  const stages = await models.stages()
  const kind = await kindOfFile(path)
  if (kind === 'unknown') throw new CameoError('IMAGE_UNREADABLE', 'the file is neither a photo nor a video')
  if (kind === 'photo') {
    const { photo, main, notices } = await peopleInPhoto(path, stages)
    const shown = photo.faces.slice(0, mostPeople)
    const people: LookedAtPerson[] = []
    for (const [index, face] of shown.entries()) {
      const number = index + 1
      const question = await questionOfFace(path, { chosen: face, people: [], notices }, number, stages)
      people.push({
        ...{ number, boxXyxyPx: face.sample.boxXyxyPx, quality: face.quality, question },
        ...{ isMain: face === main, thumbnailJpeg: face.thumbnailJpeg },
      })
    }
    return { kind: 'image', widthPx: photo.widthPx, heightPx: photo.heightPx, people, notices }
  }
  const { people, candidates } = await peopleInClip(path, stages, caller)
  const clipId = await sha256OfFile(resolve(path))
  const { widthPx = 0, heightPx = 0 } = people[0]?.frame ?? {}
  return {
    ...{ kind: 'clip', widthPx, heightPx, notices: [] },
    people: candidates.slice(0, mostPeople).flatMap((candidate) => {
      const person = people[candidate.number - 1]
      if (person === undefined) return []
      const question = questionOfPerson(path, { chosen: person, people: [] }, candidate.number, clipId)
      const { thumbnailJpeg } = person
      return [{ ...candidate, question, thumbnailJpeg, isMain: candidate.number === 1 }]
    }),
  }
}
