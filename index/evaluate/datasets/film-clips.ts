import { CameoError } from '../../../pipeline/common/errors.js'
import type { Archive } from '../../archive/open-archive.js'
import { clipIdsWithPath } from '../../store/clip-lookup.js'
import { spansOfRecipe } from '../../store/stored-tracks.js'
import type { TimedTrack } from '../data/appearances.js'

/** Which clips of an archive are the films that a list names. */
export interface FilmClips {
  /** Film of a clip id; undefined for clips that the list does not name. */
  readonly filmOf: (clipId: string) => string | undefined
  /** Films of the list that are not in the archive. */
  readonly missing: readonly string[]
}

/**
 * Finds films by their file names, with or without folders above them.
 * @throws GROUND_TRUTH_INVALID where a name fits clips of different content, or no film is there
 */
export function findFilms(archive: Archive, films: Iterable<string>): FilmClips {
  const pathsOf = clipIdsWithPath(archive.database).map((clipId) => ({
    clipId,
    paths: archive.files.pathsOf(clipId).map(normalised),
  }))
  const filmOf = new Map<string, string>()
  const missing: string[] = []
  for (const film of films) {
    const name = normalised(film)
    const clips = pathsOf.filter(({ paths }) =>
      paths.some((path) => path === name || path.endsWith(`/${name}`)),
    )
    const [clip, another] = clips
    if (another !== undefined)
      throw new CameoError(
        'GROUND_TRUTH_INVALID',
        `"${film}" is the name of ${clips.length} different clips: name it with its folder`,
      )
    if (clip === undefined) missing.push(film)
    else filmOf.set(clip.clipId, film)
  }
  if (filmOf.size === 0)
    throw new CameoError(
      'GROUND_TRUTH_INVALID',
      `none of the films is in the archive ${archive.dir}, such as "${missing[0] ?? ''}": ingest them, or name them as their files are`,
    )
  return { filmOf: (clipId) => filmOf.get(clipId), missing }
}

/** One name however its accents are encoded. */
const normalised = (path: string) => path.normalize('NFC').replaceAll('\\', '/')

/** The tracks of the films, as the archive's recipe made them. */
export function tracksOfFilms(archive: Archive, { filmOf }: FilmClips): TimedTrack[] {
  return spansOfRecipe(archive.database, archive.recipe?.digest ?? '').flatMap(({ clipId, spansS }) => {
    const film = filmOf(clipId)
    if (film === undefined) return []
    return { film, spans: spansS.map(([startS, endS]) => ({ startS, endS: endS + instantS })) }
  })
}

/** A person who is seen in one sampled frame is seen at that moment, and a range includes its last frame. */
export const instantS = 0.001
