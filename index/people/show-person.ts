import { dotProduct, l2Normalise } from '../../pipeline/data/vector-math.js'
import type { Caller } from '../../pipeline/stages/caller.js'
import { inScope } from '../archive/in-scope.js'
import { noteDamage, type DamagedThing } from '../archive/damaged-things.js'
import type { Archive } from '../archive/open-archive.js'
import { clipAdjacencyReader } from '../search/clip-adjacency.js'
import type { ClipMatch } from '../search/clip-match.js'
import { joinRanges } from '../search/join-ranges.js'
import { parseSpans } from '../store/clip-columns.js'
import { activeSpace } from '../store/meta.js'
import { PeopleRows, type MemberRow } from '../store/people-rows.js'
import { presentPath } from '../store/present-path.js'
import { createTrackHits, type TrackHits } from '../store/track-hits.js'
import { createWholeRows } from '../store/whole-rows.js'
import { findPerson, unknownPerson } from './find-person.js'
import { summariser, visibleMembers, type PersonSummary } from './list-groups.js'

/** Who is shown. */
export interface ShowPersonRequest {
  readonly personId: number
  /** How many clips at the most. Default: all. */
  readonly top?: number | undefined
  /** Only clips below one of these folders and URLs are known: see `ClipScope`. Default: all. */
  readonly folders?: readonly string[] | undefined
}

/** A person, and where it is seen. */
export interface ShownGroup {
  readonly person: PersonSummary
  /**
   * The clips, those that are most like the person first. The score of a clip, a range and a track is its cosine similarity to the
   * mean of all tracks: what does not belong comes last.
   */
  readonly clips: readonly ClipMatch[]
  /** What could not be trusted, and is left out. */
  readonly damaged: readonly DamagedThing[]
}

/** Where a person is seen. @throws PERSON_UNKNOWN */
export function showPerson(
  whole: Archive,
  { personId, top, folders }: ShowPersonRequest,
  { notify }: Pick<Caller, 'notify'>,
): ShownGroup {
  const archive = inScope(whole, folders)
  const { database } = archive
  const person = findPerson(database, personId)
  const rows = createWholeRows(database, new Set())
  const seen = visibleMembers(archive, new PeopleRows(database), personId)
  if (archive.visible !== undefined && seen.length === 0) throw unknownPerson(personId)
  const members = seen.filter(({ trackId, clipId }) => rows.isWholeTrack(trackId, clipId))
  const hits = createTrackHits(database, activeSpace(database)?.spaceId ?? 0)
  const byClip = new Map<string, MemberRow[]>()
  for (const member of members) byClip.set(member.clipId, [...(byClip.get(member.clipId) ?? []), member])
  const scores = scoresOf(hits, byClip)
  const clips = [...byClip]
    .map(([clipId, own]) => ({
      clipId,
      own,
      score: Math.max(...own.map(({ trackId }) => scores.get(trackId) ?? -1)),
    }))
    .sort((a, b) => b.score - a.score || (a.clipId < b.clipId ? -1 : 1))
    .slice(0, top)
  return {
    person: summariser(archive)(person, members),
    clips: clips.map(({ clipId, own, score }) => matchOf(archive, hits, { clipId, own, score, scores })),
    damaged: noteDamage(
      archive,
      rows.damage().filter(({ clipId }) => byClip.has(clipId ?? '')),
      notify,
    ),
  }
}

/** How alike each track is to the mean of all, weighted by quality. */
function scoresOf(
  hits: TrackHits,
  byClip: ReadonlyMap<string, readonly MemberRow[]>,
): ReadonlyMap<number, number> {
  const descriptors = new Map<number, Float32Array>()
  let sum: Float32Array | undefined
  for (const [clipId, members] of byClip)
    for (const track of hits.tracksOf(clipId)) {
      const { trackId } = track
      const member = members.find((each) => each.trackId === trackId)
      if (member === undefined || 'damaged' in track) continue
      const { descriptor } = track
      descriptors.set(trackId, descriptor)
      sum ??= new Float32Array(descriptor.length)
      for (let i = 0; i < sum.length; i++)
        sum[i] = (sum[i] ?? 0) + Math.max(member.quality, 0.01) * (descriptor[i] ?? 0)
    }
  const centre = l2Normalise(sum ?? new Float32Array(0))
  return new Map([...descriptors].map(([trackId, descriptor]) => [trackId, dotProduct(centre, descriptor)]))
}

interface OwnTracks {
  readonly clipId: string
  readonly own: readonly MemberRow[]
  readonly score: number
  readonly scores: ReadonlyMap<number, number>
}

function matchOf(archive: Archive, hits: TrackHits, { clipId, own, score, scores }: OwnTracks): ClipMatch {
  const scoreOf = ({ trackId }: MemberRow) => scores.get(trackId) ?? -1
  const ranges = own.flatMap((member) =>
    parseSpans(member.spans).map(([startS, endS]) => ({
      ...{ startS, endS, trackId: member.trackId, score: scoreOf(member) },
    })),
  )
  const best = own.find((member) => scoreOf(member) === score)?.trackId ?? -1
  return {
    ...{ clipId, score },
    ...(presentPath(archive.files.pathsOf(clipId)) ?? { path: clipId, isMissing: true }),
    durationS: hits.durationOf(clipId),
    ranges: joinRanges(ranges, clipAdjacencyReader(archive, hits)(clipId)),
    faces: hits.facesOf(best),
    thumbnailJpeg: hits.thumbnailOf(best),
  }
}
