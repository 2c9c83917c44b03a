import { basename } from 'node:path'
import { clipName } from '../../pipeline/common/display-name.js'
import { CameoError } from '../../pipeline/common/errors.js'
import { describeFace } from '../../pipeline/image/describe-face-position.js'
import {
  chooseFace,
  listFaces,
  readPhoto,
  tellChoice,
  type PhotoFace,
} from '../../pipeline/photos/process-photo.js'
import { mainPerson, peopleOfClip, type Person } from '../../pipeline/photos/process-query-clip.js'
import type { Stages } from '../../pipeline/stages/load-pipeline.js'
import { oneLine } from '../../pipeline/common/visible-text.js'
import type { Caller } from '../../pipeline/stages/caller.js'
import { checkGiven, kindOfFile } from './query-file.js'
import { formatTime } from '../../pipeline/common/time-text.js'
import type { BoxXyxyPx } from '../../pipeline/data/geometry.js'

/** Of a crowd not all are told. */
const mostListed = 20

/** One of those whom a query's file shows. */
export interface Candidate {
  /** By which it is chosen; from 1. */
  readonly number: number
  /** When, in a clip. */
  readonly ranges?: readonly { readonly startS: number; readonly endS: number }[]
  /** Of the face, in a clip the best one. */
  readonly boxXyxyPx: BoxXyxyPx
  readonly quality: number
}

/** Whom a query is about, and whom its file shows besides. */
export interface Chosen<T> {
  readonly chosen: T
  readonly people: readonly Candidate[]
  /** What is to be said about the file. */
  readonly notices: readonly string[]
}

/**
 * A face of a photo: the one that it is plainly of, or number `choice`. Where there are several, lists them.
 * Throws what `readPhoto` and `chooseFace` throw.
 */
export async function faceOfPhoto(
  path: string,
  stages: Stages,
  choice: number | undefined,
  { notify }: Pick<Caller, 'notify'>,
): Promise<Chosen<PhotoFace>> {
  await checkGiven(path, 'IMAGE_UNREADABLE')
  const photo = await readPhoto(path, stages).catch(async (error: unknown) => {
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

/** Who asks, and may stop asking. */
export interface QueryCaller extends Pick<Caller, 'notify' | 'progress'> {
  readonly signal?: AbortSignal | undefined
}

/**
 * A person of a clip: its main one, or number `choice`. Where there are several, says which was taken and lists them.
 * Throws QUERY_NO_TRACK, FACE_UNKNOWN, CLIP_*, INTERRUPTED.
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
      `${oneLine(basename(path))} shows ${people.length} people; this is about number ${choice ?? 1}:\n${listPeople(people)}`,
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

/** Errors about an archive's files say what to do with the archive; of a query's file it is said what to give instead. */
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
