import { quoted } from '../../pipeline/common/display-name.js'
import { CameoError } from '../../pipeline/common/errors.js'
import type { Caller } from '../../pipeline/stages/caller.js'
import type { ArchiveModels } from '../archive/archive-models.js'
import { noteDamage, type DamagedThing } from '../archive/damaged-things.js'
import { filledInScope } from '../archive/in-scope.js'
import type { Archive, FilledArchive } from '../archive/open-archive.js'
import { coverageOfClip, readUnseen, type ClipCoverage } from '../coverage/read-coverage.js'
import { knownName } from '../identities/identities.js'
import { checkDates, tellEmptyFolder, type ClipScope } from '../search/clip-scope.js'
import type { MatchThreshold, ThresholdRequest } from '../search/match-threshold.js'
import { listClipRows, type ListedClip } from '../store/clip-list.js'
import { folderNames } from '../store/path-scope.js'
import { presentPath } from '../store/present-path.js'
import { createWholeRows } from '../store/whole-rows.js'
import { PeopleOfClips, type PersonInClip } from './people-of-clip.js'
import { readTrackNamer, type EnrolledName, type TrackNamer } from './track-namer.js'

/** Which clips of an archive are meant. */
export interface ClipWish extends ClipScope {
  /** Only clips of this length or longer, s. */
  readonly minDurationS?: number | undefined
  /** Only clips of this length or shorter, s. */
  readonly maxDurationS?: number | undefined
  /** Only clips in which this enrolled name is seen. */
  readonly person?: string | undefined
  /** Only clips in which somebody without a name is seen. Default: false. */
  readonly unnamed?: boolean
  /** Only clips that an ingest began and did not finish. Default: false. */
  readonly unfinished?: boolean
}

/** A page of a list. */
export interface PageWish {
  /** How many entries at the most. Default: 50. */
  readonly limit?: number
  /** `next` of the page before. */
  readonly after?: string | undefined
}

export interface ClipListRequest extends ClipWish, PageWish, ThresholdRequest {}

/** A clip, and who is seen in it. */
export interface ClipEntry {
  readonly clipId: string
  /** Where the clip lies: the first of its paths that is there at the moment, else the first. */
  readonly path: string
  /** No file of the clip is there. */
  readonly isMissing: boolean
  /** s; undefined where it is not known. */
  readonly durationS: number | undefined
  readonly date: Date
  /** Those with names first, then by how long they are seen. */
  readonly people: readonly PersonInClip[]
  /** How far it was looked at. */
  readonly coverage: ClipCoverage
}

/** A page of an archive's clips, in order of their paths. */
export interface ClipList {
  readonly clips: readonly ClipEntry[]
  /** Where the next page begins; undefined of the last one. */
  readonly next: string | undefined
  readonly threshold: MatchThreshold
  /** What could not be trusted, and is left out. */
  readonly damaged: readonly DamagedThing[]
}

/** What a list is made with. */
export interface ListParts {
  readonly opened: FilledArchive
  readonly models: Pick<ArchiveModels, 'pack' | 'describer'>
}

export const defaultPageLength = 50

/**
 * The clips of an archive, page by page, with the people in them. With `folders`, an unknown name has no clips, like a name that
 * is not seen in them.
 * @throws NAME_UNKNOWN; USAGE where dates or lengths contradict each other
 */
export async function listClips(
  { opened: whole, models }: ListParts,
  request: ClipListRequest,
  { notify }: Pick<Caller, 'notify'>,
): Promise<ClipList> {
  const opened = filledInScope(whole, request.folders)
  const { archive } = opened
  const { limit = defaultPageLength, after } = request
  const { namer, damage } = await readTrackNamer(opened, models, request, notify)
  const rows = createWholeRows(archive.database, new Set())
  const clips: ClipEntry[] = []
  let next: string | undefined
  // The order is that of the first paths; the path that is shown may be another.
  let last: string | undefined
  for (const found of wantedClips(archive, new PeopleOfClips(archive, rows, namer), namer, request, after)) {
    if (clips.length === limit) next = last
    if (next !== undefined) break
    clips.push(entryOf(archive, found))
    last = found.row.path
  }
  if (clips.length === 0) tellEmptyFolder(archive, request, notify)
  return {
    ...{ clips, next, threshold: namer.threshold },
    damaged: noteDamage(archive, [...damage, ...rows.damage()], notify),
  }
}

/** A clip that is wanted. */
export interface WantedClip {
  readonly row: ListedClip
  readonly people: readonly PersonInClip[]
}

/** Those of the archive's clips that are wanted, in order of their paths. Nothing may be written meanwhile. */
export function* wantedClips(
  archive: Archive,
  people: PeopleOfClips,
  namer: TrackNamer,
  wish: ClipWish,
  after?: string,
): Generator<WantedClip, void, undefined> {
  checkDates(wish)
  const { folder, since, until, minDurationS, maxDurationS, unnamed = false, unfinished = false } = wish
  if ((minDurationS ?? 0) > (maxDurationS ?? Infinity))
    throw new CameoError('USAGE', `no clip is ${minDurationS} s or longer and ${maxDurationS} s or shorter`)
  const person = wish.person === undefined ? undefined : personNamed(archive, namer, wish.person)
  // A name that is enrolled and not seen here has no clips, either.
  if (wish.person !== undefined && person === undefined) return
  const begun = unfinished ? unfinishedClips(archive) : undefined
  const folders = folder === undefined ? [] : folderNames(folder)
  const within = archive.visible?.paths
  const listed = {
    folders,
    within,
    sinceMs: since?.getTime(),
    untilMs: until?.getTime(),
    minDurationS,
    maxDurationS,
  }
  for (const row of listClipRows(archive.database, listed, after)) {
    if (begun !== undefined && !begun.has(row.clipId)) continue
    if (person !== undefined && !people.mayShow(row.clipId, person)) continue
    const seen = people.of(row.clipId)
    if (person !== undefined && !seen.some(({ name }) => name === person.name)) continue
    if (unnamed && !seen.some(({ name }) => name === undefined)) continue
    yield { row, people: seen }
  }
}

/** Undefined for an unknown name where only a part of the archive may be seen. @throws NAME_UNKNOWN otherwise */
function personNamed(
  { database, visible }: Archive,
  namer: TrackNamer,
  given: string,
): EnrolledName | undefined {
  const name = knownName(database, given)
  const found = namer.names.find((known) => known.name === name)
  if (found !== undefined || visible !== undefined) return found
  throw new CameoError(
    'NAME_UNKNOWN',
    `nobody is enrolled as ${quoted(given)}, or not with the archive's models`,
  )
}

const unfinishedClips = (archive: Archive): ReadonlySet<string> =>
  new Set(
    readUnseen(archive).clips.flatMap(({ clipId, states }) =>
      clipId !== undefined && states.includes('unfinished') ? [clipId] : [],
    ),
  )

function entryOf(archive: Archive, { row, people }: WantedClip): ClipEntry {
  const { clipId, path, durationS, dateMs } = row
  const place = presentPath(archive.files.pathsOf(clipId)) ?? { path, isMissing: true }
  return {
    ...{ clipId, ...place, durationS, people },
    date: new Date(dateMs),
    coverage: coverageOfClip(archive, clipId) ?? unknownCoverage(clipId, durationS),
  }
}

/** Of a clip whose rows are damaged. */
const unknownCoverage = (clipId: string, durationS: number | undefined): ClipCoverage => ({
  ...{ clipId, durationS, paths: [], states: ['damaged'], lookedAtS: 0, notLookedAtS: undefined },
  ...{ unseen: [], leftOut: [], code: undefined, message: undefined },
})
