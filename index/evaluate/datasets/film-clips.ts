import { CameoError } from '../../../pipeline/common/errors.js'
import type { Archive } from '../../archive/open-archive.js'
import { clipIdsWithPath } from '../../store/clip-lookup.js'
import { spansOfRecipe } from '../../store/stored-tracks.js'
import type { TimedTrack } from '../data/appearances.js'

/** The clips of an archive that are the films of a list. */
export interface FilmClips {
  /** The film of a clip id. Undefined for clips that the list does not name. */
  readonly filmOf: (clipId: string) => string | undefined
  /** Films of the list that are not in the archive. */
  readonly missing: readonly string[]
}

/**
 * Finds films by their file names, with or without folders above them.
 * @throws GROUND_TRUTH_INVALID if a name matches clips of different content, or if no film is found
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
        `"${film}" is the name of ${clips.length} different clips: add its folder to the name`,
      )
    if (clip === undefined) missing.push(film)
    else filmOf.set(clip.clipId, film)
  }
  if (filmOf.size === 0)
    throw new CameoError(
      'GROUND_TRUTH_INVALID',
      `none of the films is in the archive ${archive.dir}, for example "${missing[0] ?? ''}": ingest them, or use their file names`,
    )
  return { filmOf: (clipId) => filmOf.get(clipId), missing }
}

/** Normalises the encoding of accents and the separators. */
const normalised = (path: string) => path.normalize('NFC').replaceAll('\\', '/')

/** The tracks of the films under the archive's recipe. */
export function tracksOfFilms(archive: Archive, { filmOf }: FilmClips): TimedTrack[] {
  return spansOfRecipe(archive.database, archive.recipe?.digest ?? '').flatMap(({ clipId, spansS }) => {
    const film = filmOf(clipId)
    if (film === undefined) return []
    return { film, spans: spansS.map(([startS, endS]) => ({ startS, endS: endS + instantS })) }
  })
}

/**
 * Length of one sampled frame, in seconds. A person seen in one frame has a range that is not empty, and a range
 * includes its last frame.
 */
export const instantS = 0.001
