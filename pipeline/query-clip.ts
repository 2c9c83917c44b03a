import { CameoError } from './errors.js'
import { clipName } from './decode/clip-name.js'
import { processClip } from './process-clip.js'
import type { TrackOutput } from './segment-builder.js'
import type { Stages } from './stages.js'

/** The people in a clip that is not in the archive, most present first. */
export async function tracksOfClip(
  path: string,
  stages: Stages,
  onFrame?: () => void,
): Promise<TrackOutput[]> {
  const tracks: TrackOutput[] = []
  const outputs = processClip(
    {
      path,
      startS: 0,
      endS: Infinity,
      seek: 'fast',
      plan: () => Promise.resolve([{ index: 0, startS: 0, endS: Infinity }]),
      ...(onFrame === undefined ? {} : { onFrame }),
    },
    stages,
  )
  for await (const output of outputs) tracks.push(...output.tracks)
  return tracks.sort((a, b) => presence(b) - presence(a))
}

/** How much a clip is about a person: time on screen times the height of the face. */
export function presence(track: {
  readonly samples: number
  readonly faces: readonly { readonly boxXyxyPx: readonly number[] }[]
}): number {
  const heights = track.faces.map(({ boxXyxyPx: [, y1 = 0, , y2 = 0] }) => y2 - y1)
  const mean = heights.reduce((sum, height) => sum + height, 0) / Math.max(1, heights.length)
  return track.samples * mean
}

/** Number `choice` (from 1) of the people, or the most present one. Throws QUERY_NO_TRACK, FACE_UNKNOWN. */
export function choosePerson<T>(people: readonly T[], path: string, choice: number | undefined): T {
  const chosen = people[(choice ?? 1) - 1]
  if (chosen !== undefined) return chosen
  if (people.length === 0)
    throw new CameoError(
      'QUERY_NO_TRACK',
      `no face was found in the clip ${clipName(path)}: give one in which a person is seen`,
    )
  throw new CameoError(
    'FACE_UNKNOWN',
    `${clipName(path)} shows ${people.length} ${people.length === 1 ? 'person' : 'people'}, there is no number ${choice ?? 1}`,
  )
}
