import { basename } from 'node:path'
import { clipName } from '../pipeline/decode/clip-name.js'
import { CameoError } from '../pipeline/errors.js'
import { chooseFace, readPhoto, type PhotoFace } from '../pipeline/photo.js'
import { choosePerson, peopleOfClip } from '../pipeline/query-clip.js'
import type { TrackOutput } from '../pipeline/segment-builder.js'
import type { Stages } from '../pipeline/stages.js'
import { formatTime, note, oneLine } from './output.js'
import { startProgress } from './progress.js'
import { checkGiven, kindOfFile } from './query-file.js'

/** Of a crowd not all are told. */
const mostListed = 20

/** A face of a photo: the one that it is plainly of, or number `choice`. Throws what `readPhoto` and `chooseFace` throw. */
export async function faceOfPhoto(
  path: string,
  stages: Stages,
  choice: number | undefined,
): Promise<PhotoFace> {
  await checkGiven(path, 'IMAGE_UNREADABLE')
  const photo = await readPhoto(path, stages).catch(async (error: unknown) => {
    throw await sayWhatItIs(path, error)
  })
  const face = chooseFace(photo, path, choice)
  if (photo.faces.length > 1 && choice === undefined)
    note(
      `${oneLine(basename(path))} shows ${photo.faces.length} faces; this is about the one it is plainly of (--face to choose another)`,
    )
  return face
}

/**
 * A person of a clip: its main one, or number `choice`. Where there are several, says which was taken and lists them.
 * Throws QUERY_NO_TRACK, FACE_UNKNOWN, CLIP_*.
 */
export async function personOfClip(
  path: string,
  stages: Stages,
  choice: number | undefined,
): Promise<TrackOutput> {
  await checkGiven(path, 'CLIP_GONE')
  const name = oneLine(basename(path))
  const bar = startProgress(`looking at {name} {bar} {percentage} %, {at}`)
  let people: readonly TrackOutput[]
  try {
    people = await peopleOfClip(path, stages, (timeS, durationS = timeS) =>
      bar.update(Math.min(timeS, durationS), durationS, { name, at: formatTime(timeS) }),
    )
  } catch (error) {
    throw await sayWhatItIs(path, error)
  } finally {
    bar.stop()
  }
  const person = choosePerson(people, path, choice)
  if (people.length > 1) {
    note(
      `${name} shows ${people.length} people; this is about number ${choice ?? 1} (--face to choose another):`,
    )
    for (const [index, { spansS, faces }] of people.slice(0, mostListed).entries())
      note(
        `  ${index + 1}: ${spansS.map(([a, b]) => `${formatTime(a)}–${formatTime(b)}`).join(', ')}, quality ${(faces[0]?.quality ?? 0).toFixed(2)}`,
      )
    if (people.length > mostListed) note(`  … and ${people.length - mostListed} more`)
  }
  return person
}

/** Errors about an archive's files say what to do with the archive; of a query's file it is said what to give instead. */
async function sayWhatItIs(path: string, error: unknown): Promise<unknown> {
  if (!(error instanceof CameoError)) return error
  const { code } = error
  const kind = await kindOfFile(path)
  const name = clipName(path)
  const options = { cause: error }
  if (code === 'IMAGE_UNREADABLE' && kind === 'clip')
    return new CameoError(code, `${name} is a clip, not a photo: give it with --clip`, options)
  if (code !== 'CLIP_NOT_VIDEO') return error
  if (kind === 'photo')
    return new CameoError(code, `${name} is a photo, not a clip: give it with --image`, options)
  return new CameoError(
    code,
    `${name} is neither a video nor a photo: give one that shows the person`,
    options,
  )
}
