import { z } from 'zod'
import { dotProduct } from '../../pipeline/data/vector-math.js'
import type { Archive } from '../archive/open-archive.js'
import type { MatchedRange } from '../search/clip-match.js'
import { clipAdjacency } from '../search/clip-adjacency.js'
import { joinRanges } from '../search/join-ranges.js'
import { compareTracks, rangesOfTracks, type ScoredTrack } from '../search/scored-tracks.js'
import { createSpanScores } from '../search/span-scores.js'
import { activeSpace } from '../store/meta.js'
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
  /** Undefined where the faces match no enrolled name. */
  readonly name: string | undefined
  /** Of the best track, cosine similarity to the name. */
  readonly score: number | undefined
  /** The best track first. */
  readonly trackIds: readonly number[]
  /** In order of time; adjacent ones are joined. */
  readonly ranges: readonly SeenRange[]
  /** Seconds in all ranges. */
  readonly seenS: number
}

const spansSchema = z.array(z.tuple([z.number(), z.number()]))

type Spans = ScoredTrack['spans']

/** Says of clips who is seen in them. Nothing in it waits. */
export class PeopleOfClips {
  readonly #archive: Archive
  readonly #rows: WholeRows
  readonly #namer: TrackNamer
  readonly #hits: TrackHits

  constructor(archive: Archive, rows: WholeRows, namer: TrackNamer) {
    this.#archive = archive
    this.#rows = rows
    this.#namer = namer
    this.#hits = createTrackHits(archive.database, activeSpace(archive.database)?.spaceId ?? 0)
  }

  /**
   * The people of a clip: those with names first, then by how long they are seen. A name answers as a search for it does among
   * all names, so a track has at most one; what of a track shows somebody else has none.
   */
  of(clipId: string): PersonInClip[] {
    const { named, unnamed } = this.#sorted(clipId)
    const adjacency = clipAdjacency(this.#archive, this.#hits, clipId)
    const people = [...named].flatMap(([person, tracks]) => {
      const { ranges, rest } = this.#rangesOf(person, tracks)
      unnamed.push(...rest)
      const shown = tracks.filter(({ trackId }) => ranges.some((range) => range.trackId === trackId))
      const [best] = shown
      if (best === undefined) return []
      return personOf(joinRanges(ranges, adjacency), shown, { name: person.name, score: best.score })
    })
    const others = unnamedPeople(unnamed).map((tracks) => {
      const ranges = tracks.flatMap(({ trackId, spans }) =>
        spans.map(([startS, endS]) => ({ startS, endS, trackId, score: 0 })),
      )
      return personOf(joinRanges(ranges, adjacency), tracks, { name: undefined, score: undefined })
    })
    const byPresence = (a: PersonInClip, b: PersonInClip) =>
      b.seenS - a.seenS || (a.trackIds[0] ?? 0) - (b.trackIds[0] ?? 0)
    return [...people.sort(byPresence), ...others.sort(byPresence)]
  }

  /** False where no track of the clip reaches the threshold for the name: quicker than `of`. */
  mayShow(clipId: string, { descriptor, verdicts }: EnrolledName): boolean {
    return this.#hits
      .tracksOf(clipId)
      .some(
        (track) =>
          track.descriptor !== undefined &&
          (verdicts.confirmed.has(track.trackId) ||
            dotProduct(descriptor, track.descriptor) >= this.#namer.threshold.threshold),
      )
  }

  /** The whole tracks of a clip, by the name that each has. */
  #sorted(clipId: string) {
    const named = new Map<EnrolledName, ScoredTrack[]>()
    const unnamed: UnnamedTrack[] = []
    for (const { trackId, descriptor, spans: text } of this.#hits.tracksOf(clipId)) {
      if (descriptor === undefined) this.#rows.note({ clipId, trackId, what: 'descriptors' })
      if (descriptor === undefined || !this.#rows.isWholeTrack(trackId, clipId)) continue
      const spans = spansSchema.parse(JSON.parse(text))
      const found = this.#namer.nameOf(descriptor, trackId)
      if (found === undefined) unnamed.push({ trackId, spans })
      else {
        const { score, isConfirmed } = found
        const track = { trackId, descriptor, score, isMatch: true, isConfirmed, spans }
        named.set(found.person, [...(named.get(found.person) ?? []), track].sort(compareTracks))
      }
    }
    return { named, unnamed }
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

function personOf(
  ranges: readonly MatchedRange[],
  tracks: readonly { readonly trackId: number }[],
  { name, score }: Pick<PersonInClip, 'name' | 'score'>,
): PersonInClip {
  return {
    ...{ name, score },
    trackIds: tracks.map(({ trackId }) => trackId),
    ranges: ranges.map(({ startS, endS, trackId, score: own, confirmed }) => ({
      ...{ startS, endS, trackId, score: name === undefined ? undefined : own },
      ...(confirmed === undefined ? {} : { confirmed }),
    })),
    seenS: ranges.reduce((sum, { startS, endS }) => sum + endS - startS, 0),
  }
}
