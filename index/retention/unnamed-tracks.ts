import { CameoError } from '../../pipeline/common/errors.js'
import type { ListParts } from '../clips/list-clips.js'
import { PeopleOfClips } from '../clips/people-of-clip.js'
import { namerOf, readNames } from '../clips/track-namer.js'
import type { Damage } from '../store/damage.js'
import { eraseTransient, noteErasure } from '../store/erasure.js'
import { clipsWithReturned, deleteTracks, noteUnnamedErased, trackIdsOf } from '../store/retention.js'
import type { Database } from '../store/sqlite.js'
import { inTransaction } from '../store/transaction.js'
import { createWholeRows } from '../store/whole-rows.js'

/** The tracks of clips that show nobody who is enrolled. */
export interface UnnamedTracks {
  /** Ids of tracks by the id of their clip. Clips without such tracks are left out. */
  readonly tracks: ReadonlyMap<string, number[]>
  /** Of tracks that cannot be judged; they are in no list. */
  readonly damage: readonly Damage[]
}

/**
 * Finds the tracks that show nobody who is enrolled, by the rule that names the people of a clip. A track that shows an
 * enrolled person for a part of its time is that person's. Tracks that cannot be compared with names at all, since their
 * models are no longer those of the archive, show nobody.
 * @throws the error of a name that cannot be compared, since all of its tracks would count as unnamed
 */
export async function findUnnamed(
  { opened, models }: ListParts,
  clipIds: readonly string[],
): Promise<UnnamedTracks> {
  const { archive } = opened
  const { names, damage, leftOut } = await readNames(opened, models, {})
  const [unread] = leftOut
  if (unread !== undefined) throw unreadable(unread)
  const rows = createWholeRows(archive.database, new Set())
  const people = new PeopleOfClips(archive, rows, namerOf(opened, models, names, {}))
  const tracks = new Map<string, number[]>()
  for (const clipId of clipIds) {
    const named = new Set(
      people.of(clipId).flatMap(({ name, trackIds }) => (name === undefined ? [] : trackIds)),
    )
    const unnamed = trackIdsOf(archive.database, clipId).filter((trackId) => !named.has(trackId))
    if (unnamed.length > 0) tracks.set(clipId, unnamed)
  }
  const wanted = new Set(clipIds)
  const ofTracks = rows
    .damage()
    .filter(({ clipId, trackId }) => trackId !== undefined && wanted.has(clipId ?? ''))
  const damaged = new Set(ofTracks.map(({ trackId }) => trackId))
  for (const [clipId, ids] of tracks) {
    const left = ids.filter((trackId) => !damaged.has(trackId))
    if (left.length > 0) tracks.set(clipId, left)
    else tracks.delete(clipId)
  }
  return { tracks, damage: [...damage, ...ofTracks] }
}

const unreadable = ({ code, message, details, retriable }: CameoError) =>
  new CameoError(code, `${message}; until then nobody can say who is in the tracks, and none is erased`, {
    details,
    retriable,
  })

/**
 * Erases tracks of a clip, and what its unfinished segments keep for going on. The clip and its other people stay. The
 * files of the archive contain the erased bytes until `finishErasure` runs. What a later pass over the clip finds again is
 * erased by `eraseReturned`.
 */
export function eraseUnnamed(database: Database, clipId: string, trackIds: readonly number[]): void {
  inTransaction(database, () => {
    deleteTracks(database, clipId, trackIds)
    eraseTransient(database, clipId, ['checkpoints'])
    noteUnnamedErased(database, clipId, trackIds.length)
    noteErasure(database)
  })
}

/**
 * Erases unnamed people who came back, since clips they had been erased from were processed again.
 * @param before called before tracks of a clip are erased
 * @returns number of erased tracks
 * @throws as `findUnnamed` does
 */
export async function eraseReturned(
  parts: ListParts,
  before: (clipId: string, trackIds: readonly number[]) => void = () => undefined,
): Promise<number> {
  const { database } = parts.opened.archive
  const clipIds = clipsWithReturned(database)
  if (clipIds.length === 0) return 0
  const { tracks } = await findUnnamed(parts, clipIds)
  let erased = 0
  for (const clipId of clipIds) {
    const trackIds = tracks.get(clipId) ?? []
    erased += trackIds.length
    if (trackIds.length > 0) {
      before(clipId, trackIds)
      eraseUnnamed(database, clipId, trackIds)
    } else noteUnnamedErased(database, clipId, 0)
  }
  return erased
}
