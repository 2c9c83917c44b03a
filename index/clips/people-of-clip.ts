import { dotProduct } from '../../pipeline/data/vector-math.js'
import type { Archive } from '../archive/open-archive.js'
import type { MatchedRange } from '../search/clip-match.js'
import { clipAdjacencyReader } from '../search/clip-adjacency.js'
import { joinRanges } from '../search/join-ranges.js'
import { compareTracks, rangesOfTracks, type ScoredTrack } from '../search/scored-tracks.js'
import { isSure } from '../identities/verdicts.js'
import { createSpanScores } from '../search/span-scores.js'
import { activeSpace } from '../store/meta.js'
import { PeopleRows } from '../store/people-rows.js'
import { createTrackHits, type TrackHits } from '../store/track-hits.js'
import type { WholeRows } from '../store/whole-rows.js'
import type { EnrolledName, TrackNamer } from './track-namer.js'
import { unnamedPeople, type UnnamedTrack } from './unnamed-people.js'

/** When a person is seen. */
export interface SeenRange {
  readonly startS: number
  readonly endS: number
  /** The best track of the range. */
  readonly trackId: number
  /** Cosine similarity to the name; undefined of a person without one. */
  readonly score: number | undefined
  /** Set if a person confirmed that this is the name. */
  readonly confirmed?: true
}

/** Somebody who is seen in a clip. */
export interface PersonInClip {
  /** Undefined where the faces match no enrolled name, and the person into whom they were grouped has none. */
  readonly name: string | undefined
  /** The person into whom the best track was grouped; undefined if it was not. */
  readonly personId: number | undefined
  /** Of the best track, cosine similarity to the name; undefined if only its person has the name. */
  readonly score: number | undefined
  /** The best track first. */
  readonly trackIds: readonly number[]
  /** In order of time; adjacent ones are joined. */
  readonly ranges: readonly SeenRange[]
  /** Seconds in all ranges. */
  readonly seenS: number
}

type Spans = ScoredTrack['spans']

/** A person while its tracks are collected. */
interface Draft extends Pick<PersonInClip, 'name' | 'personId' | 'score'> {
  readonly ranges: MatchedRange[]
  readonly trackIds: number[]
}

/** Says of clips who is seen in them. Nothing in it waits. */
export class PeopleOfClips {
  readonly #archive: Archive
  readonly #rows: WholeRows
  readonly #namer: TrackNamer
  readonly #hits: TrackHits
  readonly #adjacencyOf: ReturnType<typeof clipAdjacencyReader>
  readonly #people: PeopleRows

  constructor(archive: Archive, rows: WholeRows, namer: TrackNamer) {
    this.#archive = archive
    this.#rows = rows
    this.#namer = namer
    this.#hits = createTrackHits(archive.database, activeSpace(archive.database)?.spaceId ?? 0)
    this.#people = new PeopleRows(archive.database)
    this.#adjacencyOf = clipAdjacencyReader(archive, this.#hits)
  }

  /**
   * The people of a clip: those with names first, then by how long they are seen. A name answers as a search for it does among
   * all names, so a track has at most one; what of a track shows somebody else has none. Tracks that match no name have that of the
   * person into whom they were grouped.
   */
  of(clipId: string): PersonInClip[] {
    const { named, unnamed } = this.#sorted(clipId)
    const adjacency = this.#adjacencyOf(clipId)
    const scored = new Set<number>()
    const drafts: Draft[] = []
    for (const [person, tracks] of named) {
      const { ranges, rest } = this.#rangesOf(person, tracks)
      unnamed.push(...rest)
      const shown = tracks.filter(({ trackId }) => ranges.some((range) => range.trackId === trackId))
      const [best] = shown
      if (best === undefined) continue
      const trackIds = shown.map(({ trackId }) => trackId)
      for (const trackId of trackIds) scored.add(trackId)
      const personId = this.#people.ofTrack(best.trackId)
      drafts.push({ name: person.name, personId, score: best.score, ranges, trackIds })
    }
    for (const { personId, tracks } of unnamedPeople(unnamed)) this.#addGroup(drafts, personId, tracks)
    const people = drafts.map(({ ranges, ...rest }) => personOf(joinRanges(ranges, adjacency), rest, scored))
    return people.sort(
      (a, b) =>
        Number(a.name === undefined) - Number(b.name === undefined) ||
        b.seenS - a.seenS ||
        (a.trackIds[0] ?? 0) - (b.trackIds[0] ?? 0),
    )
  }

  /** Adds tracks that match no name, to the person with the name of their group if it is in the clip already. */
  #addGroup(drafts: Draft[], personId: number | undefined, tracks: readonly UnnamedTrack[]): void {
    const name = personId === undefined ? undefined : this.#people.get(personId)?.name
    const ranges = tracks.flatMap(({ trackId, spans }) =>
      spans.map(([startS, endS]) => ({ startS, endS, trackId, score: noScore })),
    )
    const trackIds = tracks.map(({ trackId }) => trackId)
    const known = name === undefined ? undefined : drafts.find((draft) => draft.name === name)
    if (known === undefined) drafts.push({ name, personId, score: undefined, ranges, trackIds })
    else {
      known.ranges.push(...ranges)
      known.trackIds.push(...trackIds)
    }
  }

  /** False where no track of the clip reaches the threshold for the name or has it by its group: quicker than `of`. */
  mayShow(clipId: string, { descriptor, verdicts }: EnrolledName): boolean {
    return this.#hits
      .tracksOf(clipId)
      .some(
        (track) =>
          !('damaged' in track) &&
          (isSure(verdicts, track.trackId) ||
            dotProduct(descriptor, track.descriptor) >= this.#namer.threshold.threshold),
      )
  }

  /** The whole tracks of a clip, by the name that each has. */
  #sorted(clipId: string) {
    const named = new Map<EnrolledName, ScoredTrack[]>()
    const unnamed: UnnamedTrack[] = []
    for (const stored of this.#hits.tracksOf(clipId)) {
      const { trackId } = stored
      if ('damaged' in stored) this.#rows.note({ clipId, trackId, what: stored.damaged })
      if ('damaged' in stored || !this.#rows.isWholeTrack(trackId, clipId)) continue
      const { descriptor, spans } = stored
      const found = this.#namer.nameOf(descriptor, trackId)
      if (found === undefined) unnamed.push({ trackId, spans, personId: this.#personOf(trackId) })
      else {
        const { score, isConfirmed, isSure } = found
        const track = { trackId, descriptor, score, isMatch: true, isConfirmed, isSure, spans }
        named.set(found.person, [...(named.get(found.person) ?? []), track].sort(compareTracks))
      }
    }
    return { named, unnamed }
  }

  /** The person into whom a track was grouped, unless people said that it does not show the one with that name. */
  #personOf(trackId: number): number | undefined {
    const personId = this.#people.ofTrack(trackId)
    const name = personId === undefined ? undefined : this.#people.get(personId)?.name
    const isRejected = this.#namer.names.some(
      (own) => own.name === name && own.verdicts.rejected.has(trackId),
    )
    return isRejected ? undefined : personId
  }

  /** When the tracks of a name show the person, and what of them shows somebody else. */
  #rangesOf(
    { descriptor }: EnrolledName,
    tracks: readonly ScoredTrack[],
  ): { readonly ranges: MatchedRange[]; readonly rest: readonly UnnamedTrack[] } {
    const spanScores = createSpanScores(this.#archive.recipe, this.#hits, descriptor)
    const ranges = rangesOfTracks(tracks, ({ trackId, spans, score }) => spanScores(trackId, spans, score), {
      minScore: this.#namer.threshold.threshold,
    })
    const isShown = (trackId: number, [startS]: Spans[number]) =>
      ranges.some((range) => range.trackId === trackId && range.startS === startS)
    const rest = tracks.flatMap(({ trackId, spans }) => {
      const left = spans.filter((span) => !isShown(trackId, span))
      return left.length === 0 ? [] : [{ trackId, spans: left }]
    })
    return { ranges, rest }
  }
}

/** Below every score: of ranges whose tracks match no name. */
const noScore = -1

function personOf(
  ranges: readonly MatchedRange[],
  { name, personId, score, trackIds }: Omit<Draft, 'ranges'>,
  scored: ReadonlySet<number>,
): PersonInClip {
  return {
    ...{ name, personId, score, trackIds },
    ranges: ranges.map(({ startS, endS, trackId, score: own, confirmed }) => ({
      ...{ startS, endS, trackId },
      score: name !== undefined && scored.has(trackId) ? own : undefined,
      ...(confirmed === undefined ? {} : { confirmed }),
    })),
    seenS: ranges.reduce((sum, { startS, endS }) => sum + endS - startS, 0),
  }
}
