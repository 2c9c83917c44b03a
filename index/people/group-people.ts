import type { Pack } from '../../pipeline/models/packs/pack.js'
import { throwIfStopped } from '../../pipeline/common/stop.js'
import type { Caller } from '../../pipeline/stages/caller.js'
import type { FilledArchive } from '../archive/open-archive.js'
import { lockPeople } from '../store/locks.js'
import { activeSpace, readMeta, type Space } from '../store/meta.js'
import { PeopleChanges } from '../store/people-changes.js'
import { PeopleRows } from '../store/people-rows.js'
import type { Database } from '../store/sqlite.js'
import type { VectorIndex } from '../vectors/vector-index.js'
import { candidatePairs } from './candidate-pairs.js'
import { correctionLinks } from './correction-links.js'
import { consistentLinks } from './consistent-links.js'
import { findTracksAgain } from './find-tracks-again.js'
import { groupTracks } from './group-tracks.js'
import { groupedKey, type GroupPeopleReport, type PersonOf } from './grouping.js'
import { groupingThreshold } from './grouping-threshold.js'
import type { KnownLinks } from './people-in-work.js'
import { readTracks, type ReadTracks } from './read-tracks.js'
import { linkedRows, spreadCannot, uniteLinked } from './unite-linked.js'
import { writeGroups } from './write-groups.js'

/** How tracks are grouped into people. */
export interface GroupPeopleRequest {
  /** Group all tracks again. People keep their ids, names and corrections. Default: only tracks without a person. */
  readonly again?: boolean
  /**
   * Cosine similarity from which the tracks of two sharp faces are one person. Blurred faces need more. Default: by the calibration of the
   * models and the number of tracks.
   */
  readonly minSimilarity?: number | undefined
  /** Stops the grouping; then nothing changes. */
  readonly signal?: AbortSignal | undefined
}

export interface GroupPeopleParts {
  readonly opened: FilledArchive
  readonly models: { readonly pack: Pack }
  /** Runs `work` with the up-to-date vector index of the archive. */
  readonly useIndex: <T>(work: (index: Pick<VectorIndex, 'search'>) => Promise<T>) => Promise<T>
}

/** Pairs below the threshold are looked at, too, since groups may become alike by growing. */
export const candidateMargin = 0.1

/**
 * Groups the archive's tracks into people without names. Known people stay as they are and get further tracks. All changes are made
 * at the end, at once.
 * @throws ARCHIVE_BUSY if people are changed by another call; INTERRUPTED
 */
export async function groupPeople(
  { opened: { archive, recipe }, models, useIndex }: GroupPeopleParts,
  { again = false, minSimilarity, signal }: GroupPeopleRequest,
  { progress }: Pick<Caller, 'progress'>,
): Promise<GroupPeopleReport> {
  const { database } = archive
  const lock = lockPeople(archive.dir)
  try {
    findTracksAgain(database, recipe.digest)
    const space = activeSpace(database)
    if (space === undefined) return { tracks: 0, grouped: 0, people: 0, added: 0, changed: 0, minSimilarity: minSimilarity ?? 1 } // prettier-ignore
    const tracks = await readTracks(database, space)
    const threshold = minSimilarity ?? groupingThreshold(recipe, models.pack, tracks.count)
    const personOf = personReader(database, tracks)
    const rows = again ? everyRow(tracks) : newRows(database, space, tracks, personOf)
    const pairs = await useIndex((index) =>
      candidatePairs(index, {
        ...{ ...tracks, rows, minSimilarity: threshold - candidateMargin, signal },
        onProgress: (done) => progress({ task: 'group people', done, total: rows.length }),
      }),
    )
    throwIfStopped(signal, 'the grouping of people')
    const links = knownLinks(database, tracks, personOf, again)
    const grouped = groupTracks(tracks, pairs, links, { threshold })
    const groups = uniteLinked(grouped, links.linked, tracks)
    const last = { spaceId: space.spaceId, label: tracks.labels.at(-1) ?? 0 }
    const firmRows = again ? labelledRows(links) : new Set<number>()
    const written = writeGroups(database, { groups, tracks, personOf, again, firmRows, last })
    return { tracks: tracks.count, ...written, minSimilarity: threshold }
  } finally {
    lock.release()
  }
}

function personReader(database: Database, { trackIds }: ReadTracks): PersonOf {
  const memberships = new PeopleRows(database).memberships()
  return (row) => memberships.get(trackIds[row] ?? -1)
}

const everyRow = ({ count }: ReadTracks) => Int32Array.from({ length: count }, (_, row) => row)

/** Rows that no grouping has seen yet. Those of the same space that stayed alone are neighbours of the new ones, if at all. */
function newRows(
  database: Database,
  { spaceId }: Space,
  { labels, count }: ReadTracks,
  personOf: PersonOf,
): Int32Array {
  const [seenSpace = -1, seenLabel = -1] = (readMeta(database, groupedKey) ?? '').split('/').map(Number)
  const first = seenSpace === spaceId ? seenLabel : -1
  return Int32Array.from(
    Array.from({ length: count }, (_, row) => row).filter(
      (row) => (labels[row] ?? 0) > first && personOf(row) === undefined,
    ),
  )
}

/**
 * What is known before tracks are grouped: corrections, and which tracks are whose. When all are grouped again, only people with
 * different names are kept apart.
 */
function knownLinks(
  database: Database,
  { trackIds, count }: ReadTracks,
  personOf: PersonOf,
  again: boolean,
): KnownLinks & { readonly linked: ReadonlyMap<number, readonly number[]> } {
  const rowOfTrack = new Map<number, number>()
  for (let row = 0; row < count; row++) rowOfTrack.set(trackIds[row] ?? -1, row)
  const labels = new Int32Array(count).fill(-1)
  const must: (readonly [number, number])[] = []
  const people = new PeopleRows(database)
  if (again) {
    for (const { personId, identityId } of people.all().values()) {
      const [best] = identityId === undefined ? [] : people.membersOf(personId)
      const row = rowOfTrack.get(best?.trackId ?? -1)
      if (row !== undefined && identityId !== undefined) labels[row] = identityId
    }
  } else {
    const firstOf = new Map<number, number>()
    for (let row = 0; row < count; row++) {
      const person = personOf(row)
      if (person === undefined) continue
      labels[row] = person
      const first = firstOf.get(person)
      if (first === undefined) firstOf.set(person, row)
      else must.push([first, row])
    }
  }
  const said = [...correctionLinks(database, people), ...new PeopleChanges(database).links()]
  const links = consistentLinks(
    said.flatMap(({ kind, a, b }) => {
      const [one, other] = [rowOfTrack.get(a), rowOfTrack.get(b)]
      return one === undefined || other === undefined ? [] : [{ kind, a: one, b: other }]
    }),
  )
  // A track without a person goes to the one that it was confirmed for.
  if (!again)
    must.push(...links.must.filter(([a, b]) => personOf(a) === undefined || personOf(b) === undefined))
  // The corrections are in the people who are known.
  const linked = linkedRows(again ? links.must : [])
  return { must, cannot: spreadCannot(links.cannot, linked), labels, linked }
}

const labelledRows = ({ labels }: KnownLinks): ReadonlySet<number> =>
  new Set(Array.from(labels ?? [], (label, row) => (label === -1 ? -1 : row)).filter((row) => row !== -1))
