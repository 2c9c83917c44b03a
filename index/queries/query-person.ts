import { basename } from 'node:path'
import { clipName } from '../../pipeline/common/display-name.js'
import { CameoError } from '../../pipeline/common/errors.js'
import { describeFace } from '../../pipeline/image/describe-face-position.js'
import {
  chooseFace,
  listFaces,
  readPhoto,
  tellChoice,
  type Photo,
  type PhotoFace,
  type PhotoOptions,
} from '../../pipeline/photos/process-photo.js'
import { mainPerson, peopleOfClip, type Person } from '../../pipeline/photos/process-query-clip.js'
import type { Stages } from '../../pipeline/stages/load-pipeline.js'
import { oneLine } from '../../pipeline/common/visible-text.js'
import type { Caller } from '../../pipeline/stages/caller.js'
import { checkGiven, kindOfFile } from './query-file.js'
import { formatTime } from '../../pipeline/common/time-text.js'
import type { BoxXyxyPx } from '../../pipeline/data/geometry.js'

/** Maximum number of people in a list. */
const mostListed = 20

/** One of the people in a query file. */
export interface Candidate {
  /** The number by which the person can be chosen, from 1. */
  readonly number: number
  /** When the person is seen. Only for a clip. */
  readonly ranges?: readonly { readonly startS: number; readonly endS: number }[]
  /** Box of the face; in a clip, of the best face. */
  readonly boxXyxyPx: BoxXyxyPx
  readonly quality: number
}

/** The person of a query, and all people in its file. */
export interface Chosen<T> {
  readonly chosen: T
  readonly people: readonly Candidate[]
  /** Remarks on the file. */
  readonly notices: readonly string[]
}

/**
 * A face of a photo: the main one, or number `choice`. If there are several, reports them as a list.
 * @throws the errors of `readPhoto` and `chooseFace`
 */
export async function faceOfPhoto(
  path: string,
  stages: Stages,
  choice: number | undefined,
  { notify }: Pick<Caller, 'notify'>,
  options?: PhotoOptions,
): Promise<Chosen<PhotoFace>> {
  await checkGiven(path, 'IMAGE_UNREADABLE')
  const photo = await readPhoto(path, stages, options).catch(async (error: unknown) => {
    throw await sayWhatItIs(path, error)
  })
  const chosen = chooseFace(photo, path, choice)
  for (const notice of photo.notices) notify(notice)
  const taken = choice === undefined ? tellChoice(photo, path, chosen) : undefined
  if (taken !== undefined)
    notify(`${taken}:\n${listFaces(photo)}`, { remedy: 'choose-face', path, faces: photo.faces.length })
  const people = photo.faces.map(({ sample: { boxXyxyPx }, quality }, index) => ({
    ...{ number: index + 1, boxXyxyPx, quality },
  }))
  return { chosen, people, notices: taken === undefined ? photo.notices : [...photo.notices, taken] }
}

/**
 * All faces of a photo, and the one that the photo is plainly of, if there is one.
 * @throws IMAGE_UNREADABLE, IMAGE_NO_FACE
 */
export async function peopleInPhoto(
  path: string,
  stages: Stages,
): Promise<{
  readonly photo: Photo
  readonly main: PhotoFace | undefined
  readonly notices: readonly string[]
}> {
  const photo = await readPhoto(path, stages)
  return { photo, main: plainFace(photo, path), notices: photo.notices }
}

/** @throws IMAGE_NO_FACE */
function plainFace(photo: Photo, path: string): PhotoFace | undefined {
  try {
    return chooseFace(photo, path, undefined)
  } catch (error) {
    if (error instanceof CameoError && error.code === 'IMAGE_SEVERAL_FACES') return undefined
    throw error
  }
}

/**
 * All people of a clip, most present first. A person's number is the place in `people`, from 1.
 * @throws QUERY_NO_TRACK, CLIP_*, INTERRUPTED
 */
export async function peopleInClip(
  path: string,
  stages: Stages,
  caller: QueryCaller,
): Promise<{ readonly people: readonly Person[]; readonly candidates: readonly Candidate[] }> {
  const people = await findPeople(path, stages, caller)
  mainPerson(people, path)
  return { people, candidates: people.flatMap(candidateOf) }
}

/** The caller of a query, with a signal to stop it. */
export interface QueryCaller extends Pick<Caller, 'notify' | 'progress'> {
  readonly signal?: AbortSignal | undefined
}

/**
 * A person of a clip: the main one, or number `choice`. If there are several, reports which one is used and lists
 * them.
 * @throws QUERY_NO_TRACK, FACE_UNKNOWN, CLIP_*, INTERRUPTED
 */
export async function personOfClip(
  path: string,
  stages: Stages,
  choice: number | undefined,
  caller: QueryCaller,
): Promise<Chosen<Person>> {
  await checkGiven(path, 'CLIP_GONE')
  const people = await findPeople(path, stages, caller)
  const main = mainPerson(people, path)
  const chosen = choice === undefined ? main : people[choice - 1]
  if (chosen === undefined)
    throw new CameoError(
      'FACE_UNKNOWN',
      `${clipName(path)} has no person ${choice ?? 1}; its people are:\n${listPeople(people)}`,
    )
  if (people.length > 1)
    caller.notify(
      `${oneLine(basename(path))} shows ${people.length} people; using number ${choice ?? 1}:\n${listPeople(people)}`,
      { remedy: 'choose-face', path, faces: people.length },
    )
  return { chosen, people: people.flatMap(candidateOf), notices: [] }
}

async function findPeople(
  path: string,
  stages: Stages,
  { progress, signal }: QueryCaller,
): Promise<readonly Person[]> {
  const subject = basename(path)
  try {
    return await peopleOfClip(
      path,
      stages,
      (timeS, durationS) => progress({ task: 'query clip', done: timeS, total: durationS, subject }),
      signal,
    )
  } catch (error) {
    throw await sayWhatItIs(path, error)
  }
}

function listPeople(people: readonly Person[]): string {
  const lines = people.slice(0, mostListed).map(({ spansS, faces: [best], frame }, index) => {
    const times = spansS.map(([a, b]) => `${formatTime(a)}–${formatTime(b)}`).join(', ')
    return `  ${index + 1}: ${times}${best === undefined ? '' : `; ${describeFace(best, frame)}`}`
  })
  if (people.length > mostListed) lines.push(`  … and ${people.length - mostListed} more`)
  return lines.join('\n')
}

function candidateOf({ spansS, faces: [best] }: Person, index: number): Candidate[] {
  if (best === undefined) return []
  const { boxXyxyPx, quality } = best
  const ranges = spansS.map(([startS, endS]) => ({ startS, endS }))
  return [{ number: index + 1, ranges, boxXyxyPx, quality }]
}

/** Replaces errors that give advice for files of an archive with errors that say what to give as a query file. */
async function sayWhatItIs(path: string, error: unknown): Promise<unknown> {
  if (!(error instanceof CameoError)) return error
  const { code } = error
  const kind = await kindOfFile(path)
  const name = clipName(path)
  const options = { cause: error }
  if (code === 'IMAGE_UNREADABLE' && kind === 'clip')
    return new CameoError(code, `${name} is a clip, not a photo`, {
      ...options,
      details: { remedy: 'give-as', kind: 'clip' },
    })
  if (code !== 'CLIP_NOT_VIDEO') return error
  if (kind === 'photo')
    return new CameoError(code, `${name} is a photo, not a clip`, {
      ...options,
      details: { remedy: 'give-as', kind: 'image' },
    })
  return new CameoError(
    code,
    `${name} is neither a video nor a photo: give one that shows the person`,
    options,
  )
}
