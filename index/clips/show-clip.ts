import { CameoError } from '../../pipeline/common/errors.js'
import { oneLine } from '../../pipeline/common/visible-text.js'
import type { Caller } from '../../pipeline/stages/caller.js'
import { filledInScope } from '../archive/in-scope.js'
import { noteDamage, type DamagedThing } from '../archive/damaged-things.js'
import { coverageOfClip, type ClipCoverage } from '../coverage/read-coverage.js'
import type { ContributingFace } from '../search/clip-match.js'
import type { MatchThreshold, ThresholdRequest } from '../search/match-threshold.js'
import { clipDateReader } from '../store/clip-dates.js'
import { activeSpace } from '../store/meta.js'
import { presentPath } from '../store/present-path.js'
import { createTrackHits } from '../store/track-hits.js'
import { createWholeRows } from '../store/whole-rows.js'
import { visibleClipIdOf } from './clip-id.js'
import type { ListParts } from './list-clips.js'
import { PeopleOfClips, type PersonInClip } from './people-of-clip.js'
import { readTrackNamer } from './track-namer.js'

/** Which clip is shown, and from which score a name answers. */
export interface ShowRequest extends ThresholdRequest {
  /** Id of the clip, its first 8 digits or more, or the path of its file. */
  readonly clip: string
  /** Only clips below one of these folders and URLs are known: see `ClipScope`. Default: all. */
  readonly folders?: readonly string[] | undefined
}

/** Somebody who is seen in a clip, with the faces of the best track. */
export interface ShownPerson extends PersonInClip {
  /** Best first. */
  readonly faces: readonly ContributingFace[]
  /** JPEG. */
  readonly thumbnailJpeg: Uint8Array | undefined
}

/** A clip, and who is seen in it. */
export interface ShownClip {
  readonly clipId: string
  /** Where the clip lies: the first of its paths that is there at the moment, else the first. */
  readonly path: string
  /** No file of the clip is there. */
  readonly isMissing: boolean
  /** All of them. */
  readonly paths: readonly string[]
  readonly date: Date | undefined
  /** Those with names first, then by how long they are seen. */
  readonly people: readonly ShownPerson[]
  readonly threshold: MatchThreshold
  readonly coverage: ClipCoverage
  /** What could not be trusted, and is left out. */
  readonly damaged: readonly DamagedThing[]
}

/** Who is seen in a clip, and when. @throws CLIP_UNKNOWN */
export async function showClip(
  { opened: whole, models }: ListParts,
  request: ShowRequest,
  { notify }: Pick<Caller, 'notify'>,
): Promise<ShownClip> {
  const opened = filledInScope(whole, request.folders)
  const { archive } = opened
  const { database } = archive
  const clipId = visibleClipIdOf(archive, request.clip)
  const { namer, damage } = await readTrackNamer(opened, models, request, notify)
  const rows = createWholeRows(database, new Set())
  const coverage = coverageOfClip(archive, clipId)
  const paths = archive.files.pathsOf(clipId)
  const place = presentPath(paths)
  if (coverage === undefined || place === undefined)
    throw new CameoError('CLIP_UNKNOWN', `the archive holds nothing of the clip "${oneLine(request.clip)}"`)
  const hits = createTrackHits(database, activeSpace(database)?.spaceId ?? 0)
  const people = new PeopleOfClips(archive, rows, namer).of(clipId).map((person) => {
    const [best = -1] = person.trackIds
    return { ...person, faces: hits.facesOf(best), thumbnailJpeg: hits.thumbnailOf(best) }
  })
  const dateMs = clipDateReader(database, archive.visible?.paths)(clipId)
  const own = [...damage, ...rows.damage()].filter((each) => each.clipId === undefined || each.clipId === clipId) // prettier-ignore
  return {
    ...{ clipId, ...place, paths, people, threshold: namer.threshold, coverage },
    date: dateMs === undefined ? undefined : new Date(dateMs),
    damaged: noteDamage(archive, own, notify),
  }
}
