import type { Caller } from '../../pipeline/stages/caller.js'
import { filledInScope } from '../archive/in-scope.js'
import { noteDamage, type DamagedThing } from '../archive/damaged-things.js'
import { countVisibleFaces } from '../identities/visible-faces.js'
import { tellEmptyFolder } from '../search/clip-scope.js'
import type { MatchThreshold, ThresholdRequest } from '../search/match-threshold.js'
import { createWholeRows } from '../store/whole-rows.js'
import { defaultPageLength, wantedClips, type ClipWish, type ListParts, type PageWish } from './list-clips.js'
import { PeopleOfClips, type PersonInClip } from './people-of-clip.js'
import { readTrackNamer } from './track-namer.js'

/** Which people are listed: those of the clips that are wanted. */
export interface PeopleListRequest extends ClipWish, PageWish, ThresholdRequest {}

/** How often and how long somebody is seen. */
export interface Presence {
  readonly clips: number
  readonly tracks: number
  readonly seenS: number
}

/** Somebody who is enrolled, and where he is seen. */
export interface PersonEntry extends Presence {
  readonly name: string
  /** That the name rests on. */
  readonly faces: number
}

/** A page of an archive's people, in order of their names. */
export interface PeopleList {
  readonly people: readonly PersonEntry[]
  /** All faces without a name, in the clips that are wanted. */
  readonly unnamed: Presence
  /** Where the next page begins; undefined of the last one. */
  readonly next: string | undefined
  readonly threshold: MatchThreshold
  /** What could not be trusted, and is left out. */
  readonly damaged: readonly DamagedThing[]
}

const never: Presence = { clips: 0, tracks: 0, seenS: 0 }

/**
 * The enrolled names of an archive, page by page, with how often and how long each is seen. Where only some clips are wanted, only
 * names that are seen in them are listed. Looks at every track of the clips that are wanted.
 * @throws as `listClips` does
 */
export async function listPeople(
  { opened: whole, models }: ListParts,
  request: PeopleListRequest,
  { notify }: Pick<Caller, 'notify'>,
): Promise<PeopleList> {
  const opened = filledInScope(whole, request.folders)
  const { archive } = opened
  const { limit = defaultPageLength, after = '' } = request
  const { namer, damage } = await readTrackNamer(opened, models, request, notify)
  const rows = createWholeRows(archive.database, new Set())
  const presences = new Map<string, Presence>()
  let unnamed = never
  let clips = 0
  for (const { people } of wantedClips(archive, new PeopleOfClips(archive, rows, namer), namer, request)) {
    clips++
    for (const person of people)
      if (person.name !== undefined)
        presences.set(person.name, withPerson(presences.get(person.name) ?? never, person))
    const nameless = people.filter(({ name }) => name === undefined)
    const { tracks, seenS } = nameless.reduce(withPerson, never)
    if (nameless.length > 0)
      unnamed = { clips: unnamed.clips + 1, tracks: unnamed.tracks + tracks, seenS: unnamed.seenS + seenS }
  }
  if (clips === 0) tellEmptyFolder(archive, request, notify)
  const listed = namer.names
    .filter(({ name }) => name > after && (!isLimited(request) || presences.has(name)))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
  const people = listed.slice(0, limit).map(({ name, faces }) => ({
    ...{ name, faces: archive.visible === undefined ? faces : countVisibleFaces(archive, name) },
    ...(presences.get(name) ?? never),
  }))
  return {
    ...{ people, unnamed, threshold: namer.threshold },
    next: listed.length > limit ? people.at(-1)?.name : undefined,
    damaged: noteDamage(archive, [...damage, ...rows.damage()], notify),
  }
}

const withPerson = ({ clips, tracks, seenS }: Presence, person: PersonInClip): Presence => ({
  clips: clips + 1,
  tracks: tracks + person.trackIds.length,
  seenS: seenS + person.seenS,
})

const isLimited = ({
  folder,
  folders,
  since,
  until,
  minDurationS,
  maxDurationS,
  person,
  unnamed,
  unfinished,
}: ClipWish) =>
  [folder, folders, since, until, minDurationS, maxDurationS, person].some((each) => each !== undefined) ||
  unnamed === true ||
  unfinished === true
