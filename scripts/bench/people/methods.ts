import { candidatePairs, neighbours } from '../../../index/people/candidate-pairs.js'
import { candidateMargin } from '../../../index/people/group-people.js'
import { groupTracks, type GroupingOptions } from '../../../index/people/group-tracks.js'
import type { GroupPair } from '../../../index/people/same-person.js'
import { ExactIndex } from '../../../index/vectors/exact/exact-index.js'
import { seededRandom, shuffled } from '../../../pipeline/common/seeded-random.js'
import { chineseWhispers, dbscan, louvain } from './graph-methods.js'
import { hdbscan } from './hdbscan.js'
import { copyOf, cosinesOf, type LabelledTracks } from './labelled-tracks.js'

/** What a method is tuned by. */
export type Setting = Readonly<Record<string, number>>

/** The group of each track; -1: none. */
export type Groups = Int32Array

/** Data of one set that several settings share. */
export interface Prepared {
  readonly tracks: LabelledTracks
  readonly cosines: Float32Array
  /** Neighbours as our grouping gets them, without a lowest similarity. */
  readonly pairs: { readonly from: Int32Array; readonly to: Int32Array }
}

export interface Method {
  readonly name: string
  /** Settings among which the best one on the first half is taken. */
  readonly settings: readonly Setting[]
  readonly run: (prepared: Prepared, setting: Setting, keepsApart: boolean) => Groups
}

/** Neighbours by the product's exact index. */
export async function prepare(tracks: LabelledTracks): Promise<Prepared> {
  const { count, dimension, vectors } = tracks
  const index = new ExactIndex(dimension)
  const labels = Uint32Array.from({ length: count }, (_, row) => row)
  await index.add(
    Array.from(labels, (label) => ({
      label,
      vector: vectors.slice(label * dimension, (label + 1) * dimension),
    })),
  )
  const rows = Int32Array.from(labels)
  const pairs = await candidatePairs(index, { vectors, dimension, labels, rows, minSimilarity: -1 })
  await index.close()
  return { tracks, cosines: cosinesOf(tracks), pairs }
}

const steps = (low: number, high: number, step: number) =>
  Array.from({ length: Math.round((high - low) / step) + 1 }, (_, i) => Number((low + i * step).toFixed(4)))

const leastTracks = 2

/** The pairs that the product would look at. */
export function pairsFrom(
  { from, to }: Prepared['pairs'],
  cosines: Float32Array,
  count: number,
  minSimilarity: number,
): Prepared['pairs'] {
  const kept = Int32Array.from(from.keys()).filter(
    (i) => (cosines[(from[i] ?? 0) * count + (to[i] ?? 0)] ?? 0) >= minSimilarity,
  )
  return { from: kept.map((i) => from[i] ?? 0), to: kept.map((i) => to[i] ?? 0) }
}

/** Agglomerative, as in the product. */
function own(
  name: string,
  thresholds: readonly number[],
  options: Pick<GroupingOptions, 'similarityOf' | 'removesQuality'>,
): Method {
  return {
    name,
    settings: thresholds.map((threshold) => ({ threshold })),
    run({ tracks, pairs: all, cosines }, { threshold = 0 }, keepsApart) {
      const pairs = pairsFrom(all, cosines, tracks.count, threshold - candidateMargin)
      const groups = groupTracks(copyOf(tracks), pairs, { must: [], cannot: [] }, { threshold, keepsApart, ...options }) // prettier-ignore
      const found = new Int32Array(tracks.count).fill(-1)
      for (const [group, rows] of groups.entries())
        if (rows.length >= leastTracks) for (const row of rows) found[row] = group
      return found
    },
  }
}

/** The mean similarity of all pairs of tracks. */
const meanSimilarity = ({ product }: GroupPair): number => product

/** Ours, those of others, and what photo programs do. */
export const methods: readonly Method[] = [
  own('Cameo', steps(0.32, 0.52, 0.02), {}),
  own('Cameo, quality kept', steps(0.32, 0.52, 0.02), { removesQuality: false }),
  own('average linkage', steps(0.2, 0.5, 0.02), { similarityOf: meanSimilarity, removesQuality: false }),
  {
    name: 'DBSCAN, distance 0.5, 3 points',
    settings: [{ distance: 0.5, points: 3 }],
    run: ({ tracks, cosines }, { distance = 0, points = 0 }) =>
      dbscan(cosines, tracks.count, distance, points),
  },
  {
    name: 'DBSCAN, tuned',
    settings: steps(0.35, 0.75, 0.025).flatMap((distance) =>
      [2, 3, 4].map((points) => ({ distance, points })),
    ),
    run: ({ tracks, cosines }, { distance = 0, points = 0 }) =>
      dbscan(cosines, tracks.count, distance, points),
  },
  {
    name: 'HDBSCAN',
    settings: [2, 3, 4, 5].flatMap((size) => [1, 2, 3].map((points) => ({ size, points }))),
    run: ({ tracks, cosines }, { size = 2, points = 1 }) => hdbscan(cosines, tracks.count, size, points),
  },
  {
    name: 'Chinese whispers',
    settings: steps(0.3, 0.6, 0.02).map((threshold) => ({ threshold })),
    run: ({ tracks, cosines }, { threshold = 0 }) =>
      chineseWhispers(cosines, shuffled(tracks.count, seededRandom(1)), threshold),
  },
  {
    name: 'Louvain',
    settings: steps(0.3, 0.56, 0.04).flatMap((threshold) =>
      [1, 3, 10].map((resolution) => ({ threshold, resolution })),
    ),
    run: ({ tracks, pairs, cosines }, { threshold = 0, resolution = 1 }) =>
      louvain(pairs, cosines, tracks.count, { threshold, resolution }),
  },
]

export const neighboursText = `${neighbours} neighbours of each track`
