import { basename } from 'node:path'
import { chooseFace, readPhoto, type PhotoFace } from '../pipeline/photo.js'
import { choosePerson, peopleOfClip } from '../pipeline/query-clip.js'
import type { TrackOutput } from '../pipeline/segment-builder.js'
import type { Stages } from '../pipeline/stages.js'
import { formatTime, note, oneLine } from './output.js'
import { startProgress } from './progress.js'

/** Of a crowd not all are told. */
const mostListed = 20

/** A face of a photo: the one that it is plainly of, or number `choice`. Throws what `readPhoto` and `chooseFace` throw. */
export async function faceOfPhoto(
  path: string,
  stages: Stages,
  choice: number | undefined,
): Promise<PhotoFace> {
  const photo = await readPhoto(path, stages)
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
  const name = oneLine(basename(path))
  const bar = startProgress(`looking at {name} {bar} {percentage} %, {at}`)
  let people: readonly TrackOutput[]
  try {
    people = await peopleOfClip(path, stages, (timeS, durationS = timeS) =>
      bar.update(Math.min(timeS, durationS), durationS, { name, at: formatTime(timeS) }),
    )
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
