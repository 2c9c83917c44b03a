import { toFloat32 } from '../store/blobs.js'
import {
  correctionsOf,
  hasDamagedCorrection,
  placedTracks,
  type CorrectionRow,
  type Verdict,
} from '../store/corrections.js'
import { parseSpans } from '../store/clip-columns.js'
import type { Damage } from '../store/damage.js'
import { findIdentity } from '../store/identities.js'
import { activeSpace } from '../store/meta.js'
import { PeopleRows, type MemberRow } from '../store/people-rows.js'
import type { Database } from '../store/sqlite.js'
import { createTrackHits } from '../store/track-hits.js'
import { tracksAt, parsePlace, type PlacedCandidate, type TrackPlace } from './track-place.js'

/** A track of a clip that can be corrected. */
export interface ClipTrack extends PlacedCandidate {
  readonly trackId: number
  /** L2-normalised. */
  readonly descriptor: Float32Array
}

/** A correction of a name. */
export interface Correction {
  readonly correctionId: number
  readonly clipId: string
  readonly verdict: Verdict
  /** ISO 8601. */
  readonly at: string
  readonly place: TrackPlace
  /** Its track. Empty if the archive does not have the clip, or no longer finds the track; see `tracksAt`. */
  readonly tracks: readonly ClipTrack[]
}

/** What people said about the tracks of an archive and one name. */
export interface Verdicts {
  /** Ids of tracks that show the person. */
  readonly confirmed: ReadonlySet<number>
  /** Ids of tracks that do not show the person. */
  readonly rejected: ReadonlySet<number>
  /** The clips of the confirmed tracks. */
  readonly confirmedClips: ReadonlySet<string>
  /** Ids of the tracks of people without names who were given this name, except those that were rejected. */
  readonly members: ReadonlySet<number>
  readonly memberClips: ReadonlySet<string>
  /** L2-normalised descriptors of the confirmed tracks, and of the rejected ones. */
  readonly like: readonly Float32Array[]
  readonly unlike: readonly Float32Array[]
}

export const noVerdicts: Verdicts = {
  confirmed: new Set(),
  rejected: new Set(),
  confirmedClips: new Set(),
  members: new Set(),
  memberClips: new Set(),
  like: [],
  unlike: [],
}

/** The intact tracks of a clip in the space that is searched. */
export function tracksOfClip(database: Database, clipId: string): ClipTrack[] {
  const spaceId = activeSpace(database)?.spaceId ?? 0
  const hits = createTrackHits(database, spaceId)
  return placedTracks(database, clipId, spaceId).map(({ spans, vector, ...track }) => ({
    ...track,
    spansS: parseSpans(spans),
    descriptor: toFloat32(vector),
    faces: () => hits.facesOf(track.trackId),
  }))
}

/** The corrections of a name, in the order in which they were made. Empty if the name is unknown. */
export function readCorrections(
  database: Database,
  name: string,
  onDamage: (damage: Damage) => void = () => undefined,
): Correction[] {
  const identityId = findIdentity(database, name)
  if (identityId === undefined) return []
  if (hasDamagedCorrection(database, identityId)) onDamage({ name, what: 'corrections' })
  const tracks = new Map<string, readonly ClipTrack[]>()
  return correctionsOf(database, identityId).map((row) => {
    const { clipId } = row
    const own = tracks.get(clipId) ?? tracksOfClip(database, clipId)
    tracks.set(clipId, own)
    return correctionOf(row, own)
  })
}

function correctionOf(
  { correctionId, clipId, verdict, at, place: column }: CorrectionRow,
  tracks: readonly ClipTrack[],
): Correction {
  const place = parsePlace(column)
  return { correctionId, clipId, verdict, at, place, tracks: tracksAt(place, tracks) }
}

/** True if a track shows the person whatever its score is: it was confirmed, or grouped into a person with the name. */
export const isSure = ({ confirmed, members }: Verdicts, trackId: number): boolean =>
  confirmed.has(trackId) || members.has(trackId)

/**
 * What people said about a name, and the tracks of the people without names who were given it.
 * @param isVisible clips that may be seen; what was said about others does not count
 */
export function readVerdicts(
  database: Database,
  name: string,
  onDamage: (damage: Damage) => void = () => undefined,
  isVisible: (clipId: string) => boolean = () => true,
): Verdicts {
  const people = new PeopleRows(database)
  const grouped = people
    .withIdentity(findIdentity(database, name) ?? -1)
    .flatMap(({ personId }) => people.membersOf(personId))
    .filter(({ clipId }) => isVisible(clipId))
  const corrections = readCorrections(database, name, onDamage).filter(({ clipId }) => isVisible(clipId))
  return verdictsOf(corrections, grouped)
}

/**
 * What corrections say now. Of two that mean the same track, the newer one counts.
 * @param grouped tracks of people without names who were given the name
 */
export function verdictsOf(
  corrections: readonly Correction[],
  grouped: readonly Pick<MemberRow, 'trackId' | 'clipId'>[] = [],
): Verdicts {
  if (corrections.length === 0 && grouped.length === 0) return noVerdicts
  const newest = new Map<number, { readonly correction: Correction; readonly track: ClipTrack }>()
  for (const correction of corrections)
    for (const track of correction.tracks) newest.set(track.trackId, { correction, track })
  const of = (wanted: Verdict) =>
    [...newest.values()].filter(({ correction: { verdict } }) => verdict === wanted)
  const [confirmed, rejected] = [of('confirmed'), of('rejected')]
  const rejectedIds = new Set(rejected.map(({ track }) => track.trackId))
  const members = grouped.filter(({ trackId }) => !rejectedIds.has(trackId))
  return {
    confirmed: new Set(confirmed.map(({ track }) => track.trackId)),
    rejected: rejectedIds,
    members: new Set(members.map(({ trackId }) => trackId)),
    memberClips: new Set(members.map(({ clipId }) => clipId)),
    confirmedClips: new Set(confirmed.map(({ correction }) => correction.clipId)),
    like: confirmed.map(({ track }) => track.descriptor),
    unlike: rejected.map(({ track }) => track.descriptor),
  }
}
