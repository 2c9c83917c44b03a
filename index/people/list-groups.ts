import { CameoError } from '../../pipeline/common/errors.js'
import { inScope, isVisible } from '../archive/in-scope.js'
import type { Archive } from '../archive/open-archive.js'
import { clipDateReader } from '../store/clip-dates.js'
import { parseSpans } from '../store/clip-columns.js'
import {
  PeopleRows,
  type CountedPerson,
  type MemberRow,
  type PeopleFilter,
  type PeoplePlace,
} from '../store/people-rows.js'
import { createTrackHits } from '../store/track-hits.js'

/** Which people are listed, and how many. */
export interface PeopleRequest extends PeopleFilter {
  /** How many at the most. Default: 50. */
  readonly limit?: number
  /** Only tracks of clips below one of these folders and URLs count: see `ClipScope`. Default: all. */
  readonly folders?: readonly string[] | undefined
  /** `next` of the page before. */
  readonly after?: string | undefined
}

/** A person: tracks that show the same face, with a name or without. */
export interface PersonSummary {
  /** Stays the same when tracks are grouped again. */
  readonly personId: number
  readonly name: string | undefined
  readonly isHidden: boolean
  readonly tracks: number
  readonly clips: number
  /** Seconds of all appearances. */
  readonly seenS: number
  /** Dates of the oldest and of the youngest clip; undefined where they are not known. */
  readonly firstSeen: Date | undefined
  readonly lastSeen: Date | undefined
  /** JPEG of the best face. */
  readonly thumbnailJpeg: Uint8Array | undefined
}

/** A page of an archive's people, those with most tracks first. */
export interface PeoplePage {
  readonly people: readonly PersonSummary[]
  /** Where the next page begins; undefined of the last one. */
  readonly next: string | undefined
}

const defaultLimit = 50

/** The people into whom tracks were grouped, page by page. @throws USAGE where `after` is no place of a list */
export function listGroups(whole: Archive, request: PeopleRequest): PeoplePage {
  const { limit = defaultLimit, after, folders, ...filter } = request
  const archive = inScope(whole, folders)
  const rows = new PeopleRows(archive.database)
  const place = after === undefined ? undefined : placeOf(after)
  const { visible } = archive
  const found =
    visible === undefined
      ? rows.list(filter, place, limit + 1)
      : rows.listIn(visible.clipIds, filter, place).slice(0, limit + 1)
  const people = found.slice(0, limit)
  const last = people.at(-1)
  const summarise = summariser(archive)
  return {
    people: people.map((person) => summarise(person, visibleMembers(archive, rows, person.personId))),
    next: found.length > limit && last !== undefined ? `${last.tracks}/${last.personId}` : undefined,
  }
}

/** The tracks of a person that may be seen, best face first. */
export const visibleMembers = (archive: Archive, rows: PeopleRows, personId: number): MemberRow[] =>
  rows.membersOf(personId).filter(({ clipId }) => isVisible(archive, clipId))

/** Summarises people by their tracks. */
export function summariser({
  database,
  visible,
}: Archive): (
  person: Omit<CountedPerson, 'tracks' | 'clips'>,
  members: readonly MemberRow[],
) => PersonSummary {
  const dateOf = clipDateReader(database, visible?.paths)
  const hits = createTrackHits(database, 0)
  return ({ personId, name, isHidden }, members) => {
    const clipIds = new Set(members.map(({ clipId }) => clipId))
    const datesMs = [...clipIds].flatMap((clipId) => dateOf(clipId) ?? [])
    const [best] = members
    const ends = datesMs.reduce<readonly [number, number] | undefined>(
      (known, date) => [Math.min(date, known?.[0] ?? date), Math.max(date, known?.[1] ?? date)],
      undefined,
    )
    return {
      ...{ personId, name, isHidden, tracks: members.length, clips: clipIds.size },
      seenS: members.reduce((sum, { spans }) => sum + lengthOf(spans), 0),
      firstSeen: ends && new Date(ends[0]),
      lastSeen: ends && new Date(ends[1]),
      thumbnailJpeg: best === undefined ? undefined : hits.thumbnailOf(best.trackId),
    }
  }
}

const lengthOf = (spans: string) => parseSpans(spans).reduce((sum, [startS, endS]) => sum + endS - startS, 0)

function placeOf(after: string): PeoplePlace {
  const [, tracks, personId] = /^(\d{1,15})\/(\d{1,15})$/.exec(after) ?? []
  if (tracks !== undefined && personId !== undefined)
    return { tracks: Number(tracks), personId: Number(personId) }
  throw new CameoError('USAGE', `"${after}" is no place of a list of people: give "next" of the page before`)
}
