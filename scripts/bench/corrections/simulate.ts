import { averagePrecision } from '../../../index/evaluate/metrics/mean-average-precision.js'
import {
  correctedQuery,
  type CorrectionWeights,
  type EnrolledQuery,
} from '../../../index/search/corrected-query.js'
import { dotProduct } from '../../../pipeline/data/vector-math.js'

/** A track of a clip of the benchmark. */
export interface BenchTrack {
  readonly trackId: number
  /** L2-normalised. */
  readonly descriptor: Float32Array
}

export interface BenchClip {
  readonly name: string
  readonly tracks: readonly BenchTrack[]
}

/** A name that is searched for. */
export interface BenchName {
  readonly identity: string
  readonly query: EnrolledQuery
  /** Clips that show the person, without those of the references. */
  readonly positives: ReadonlySet<string>
  /** All clips but those. */
  readonly pool: readonly BenchClip[]
}

/** Which hits a user corrects: so many wrong and right ones, the first of the list; or simply its first hits. */
export interface Policy {
  readonly name: string
  readonly choose: (ranked: readonly RankedClip[], positives: ReadonlySet<string>) => readonly RankedClip[]
}

export interface RankedClip {
  readonly name: string
  /** The track that gives the score. */
  readonly best: BenchTrack
  readonly score: number
}

/** Corrections that a user gives. */
export const correctionsGiven = 5
/** A user looks no further down the list. */
const lookedAt = 100

const firstOf = (ranked: readonly RankedClip[], count: number, isWanted: (name: string) => boolean) =>
  ranked.filter(({ name }) => isWanted(name)).slice(0, count)

export const policies: readonly Policy[] = [
  { name: 'the first five hits', choose: (ranked) => ranked.slice(0, correctionsGiven) },
  {
    name: 'the first three wrong hits and the first two right ones',
    choose: (ranked, positives) => [
      ...firstOf(ranked, 3, (name) => !positives.has(name)),
      ...firstOf(ranked, 2, (name) => positives.has(name)),
    ],
  },
  {
    name: 'the first five wrong hits',
    choose: (ranked, positives) => firstOf(ranked, correctionsGiven, (name) => !positives.has(name)),
  },
  {
    name: 'the first right hits after the first wrong one',
    choose: (ranked, positives) =>
      firstOf(ranked.slice(ranked.findIndex(({ name }) => !positives.has(name))), correctionsGiven, (name) =>
        positives.has(name),
      ),
  },
]

/** Average precision at 100 before and after corrections. */
export interface Measured {
  readonly identity: string
  readonly all: readonly [before: number, after: number]
  /** Over the clips that were not corrected. Undefined if none of them shows the person. */
  readonly rest: readonly [before: number, after: number] | undefined
}

/** Clips by their best track that is not rejected, best first. */
export function rank(
  pool: readonly BenchClip[],
  query: Float32Array,
  rejected: ReadonlySet<number> = new Set(),
): RankedClip[] {
  return pool
    .flatMap(({ name, tracks }) => {
      let best: RankedClip | undefined
      for (const track of tracks) {
        if (rejected.has(track.trackId)) continue
        const score = dotProduct(query, track.descriptor)
        if (best === undefined || score > best.score) best = { name, best: track, score }
      }
      return best ?? []
    })
    .sort((a, b) => b.score - a.score || (a.name < b.name ? -1 : 1))
}

/** A user corrects hits of the first list, and searches again. */
export function measure(
  { identity, query, positives, pool }: BenchName,
  policy: Policy,
  weights: CorrectionWeights | undefined,
): Measured {
  const before = rank(pool, query.descriptor)
  const corrected = policy.choose(before.slice(0, lookedAt), positives)
  const [right, wrong] = [true, false].map((wanted) =>
    corrected.filter(({ name }) => positives.has(name) === wanted),
  ) as [RankedClip[], RankedClip[]]
  const moved = correctedQuery(
    query,
    { like: right.map(({ best }) => best.descriptor), unlike: wrong.map(({ best }) => best.descriptor) },
    weights,
  )
  const found = rank(pool, moved, new Set(wrong.map(({ best }) => best.trackId))).map(({ name }) => name)
  const confirmed = new Set(right.map(({ name }) => name))
  const after = [...confirmed, ...found.filter((name) => !confirmed.has(name))]
  const names = before.map(({ name }) => name)
  const known = new Set(corrected.map(({ name }) => name))
  const isRest = (name: string) => !known.has(name)
  const rest = new Set([...positives].filter(isRest))
  return {
    identity,
    all: [averagePrecision(names, positives), averagePrecision(after, positives)],
    rest:
      rest.size === 0
        ? undefined
        : [averagePrecision(names.filter(isRest), rest), averagePrecision(after.filter(isRest), rest)],
  }
}
