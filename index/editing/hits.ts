import { basename } from 'node:path'
import type { ShownClip } from '../clips/show-clip.js'
import { nameOfPerson } from '../people/find-person.js'
import type { ShownGroup } from '../people/show-person.js'
import type { AskedQuery } from '../search/read-query.js'
import type { Hit, SearchReport } from '../search/search-archive.js'

/** A stretch of a clip that shows somebody: what editors take from an answer. */
export interface EditHit {
  /** Of the clip in a search, of the person in a clip: as the answer numbers them, from 1. */
  readonly number: number
  /** Who is seen: names, or the file that was asked with. */
  readonly person: string
  readonly clipId: string
  readonly path: string
  /** No file of the clip is there. */
  readonly isMissing: boolean
  /** Of the clip, s; undefined where it is not known. */
  readonly durationS: number | undefined
  /** Of the first frame in which the person was seen, s. */
  readonly startS: number
  /** Of the last one. */
  readonly endS: number
  /** Cosine similarity; undefined of a person without a name. */
  readonly score: number | undefined
  /** 0..1; undefined where it was not calibrated or asked for. */
  readonly probability: number | undefined
  /** It does not reach the threshold. */
  readonly isWeak: boolean
}

/** The ranges of a search's clips, best clip first, each clip's in order of time; weak clips after all others. */
export function hitsOfSearch({ query, hits }: Pick<SearchReport, 'query' | 'hits'>): EditHit[] {
  const own = personOf(query)
  const all = [...hits.matches, ...(hits.weak ?? [])]
  return all.flatMap(({ match, probability }: Hit, index) =>
    match.ranges.map(({ startS, endS, score, weak }) => ({
      ...{ number: index + 1, startS, endS, score, probability, isWeak: weak === true },
      ...{ clipId: match.clipId, path: match.path, isMissing: match.isMissing, durationS: match.durationS },
      person: [own, ...(match.others ?? []).map(({ name }) => name)].join(' + '),
    })),
  )
}

const personOf = ({ kind, value, photos }: AskedQuery): string => {
  if (kind === 'name') return value
  return (photos?.map(({ source }) => source) ?? [value]).map((path) => basename(path)).join(', ')
}

/** The ranges of all people of a clip, in order of time. */
export function hitsOfClip({ people, coverage, ...clip }: ShownClip): EditHit[] {
  const { clipId, path, isMissing } = clip
  return people
    .flatMap(({ name, personId, ranges }, index) =>
      ranges.map(({ startS, endS, score }) => ({
        ...{ number: index + 1, person: name ?? namelessText(index + 1, personId), startS, endS, score },
        ...{ clipId, path, isMissing, durationS: coverage.durationS, probability: undefined, isWeak: false },
      })),
    )
    .sort((a, b) => a.startS - b.startS || a.number - b.number)
}

/** The ranges of a person's clips, best clip first, each clip's in order of time. */
export function hitsOfPerson({ person, clips }: ShownGroup): EditHit[] {
  return clips.flatMap(({ clipId, path, isMissing, durationS, ranges }, index) =>
    ranges.map(({ startS, endS, score }) => ({
      ...{
        number: index + 1,
        person: nameOfPerson(person),
        startS,
        endS,
        score,
        clipId,
        path,
        isMissing,
        durationS,
      },
      ...{ probability: undefined, isWeak: false },
    })),
  )
}

/** What somebody without a name is called: by the number of the person, else by the place in the list. */
export const namelessText = (place: number, personId: number | null | undefined): string =>
  personId === null || personId === undefined
    ? `unnamed ${place}`
    : nameOfPerson({ personId, name: undefined })
