/**
 * Joins the tracklets of one person within a segment by their embeddings: the pieces that the tracker leaves (after an
 * occlusion, a cut to another view and back, a close decision) become one track again.
 */

type SpanS = readonly [startS: number, endS: number]

export interface Tracklet {
  /**
   * When it was observed, seconds: closed intervals, in order, at least one; a single frame is an interval of length 0.
   */
  readonly seenS: readonly SpanS[]
  /** Id of the tracker's track that it comes from. Tracklets of one track are also supported by motion and looks. */
  readonly trackId?: number | undefined
  /** Pooled embedding, L2-normalised; all have the same length. */
  readonly vector: Float32Array
  /** Weight in the pooled vector of a group, for example the number or summed quality of its embeddings; > 0. */
  readonly weight: number
}

export interface MergeOptions {
  /** Minimum cosine similarity of the pooled vectors of two groups that are merged. Depends on the model. */
  readonly minSimilarity: number
  /** The same for two groups with tracklets of one track. Default: `minSimilarity`. */
  readonly minSimilarityInTrack?: number
  /**
   * Minimum mean cosine similarity over all pairs of tracklets across two groups (average linkage), so that a chain of
   * similar faces does not join different people. Default: `minSimilarity`. −1 switches the check off. Two groups of
   * one track are only checked against `minSimilarityInTrack`.
   */
  readonly minAverageSimilarity?: number
  /**
   * Maximum number of tracklet pairs that are compared at the start; merging compares at most twice as many again.
   * Default 1 million: all pairs of 1,000 tracklets, 2–5 s of one core at 512 dimensions. If there are more tracklets,
   * each one is compared only with its neighbours in order of start: a crowd's fragments merge within a short time, and
   * search joins the rest.
   */
  readonly maxPairs?: number
}

const defaultMaxPairs = 1_000_000

/**
 * Agglomerative: merges the two groups first that exceed their required similarity most. It never merges two groups
 * that were observed at the same time, because a person is not twice in one frame. Ties are decided by time. O(n² log
 * n) for n ≤ √maxPairs; bounded by `maxPairs` for larger n.
 *
 * @returns groups of indexes into `tracklets`, each group in order of time, groups by their first start; every index
 * occurs once
 * @throws RangeError for unequal dimensions, a weight that is not positive, or times out of order
 */
export function mergeTracklets(
  tracklets: readonly Tracklet[],
  options: MergeOptions,
): readonly (readonly number[])[] {
  const { minSimilarity, minAverageSimilarity = minSimilarity, maxPairs = defaultMaxPairs } = options
  const { minSimilarityInTrack = minSimilarity } = options
  const inOrder = checked(tracklets)
    .map((tracklet, index) => ({ tracklet, index }))
    .sort((a, b) => startOf(a.tracklet) - startOf(b.tracklet) || endOf(a.tracklet) - endOf(b.tracklet))

  const rankOf: number[] = []
  for (const [rank, { index }] of inOrder.entries()) rankOf[index] = rank
  const window = Math.max(1, Math.floor(maxPairs / Math.max(1, inOrder.length)))
  const groups: (Group | undefined)[] = inOrder.map(({ tracklet, index }, rank) =>
    groupOf(tracklet, index, rank),
  )
  /** The live group with an earliest member of this rank. */
  const idOfRank: (number | undefined)[] = inOrder.map((_, rank) => rank)
  const pairs = createPairQueue()

  function consider(id: number, otherId: number | undefined): void {
    const a = groups[id]
    const b = otherId === undefined ? undefined : groups[otherId]
    if (a === undefined || b === undefined || otherId === undefined || overlapInTime(a, b)) return
    const areOfOneTrack = haveCommon(a.trackIds, b.trackIds)
    const asked = areOfOneTrack ? Math.min(minSimilarity, minSimilarityInTrack) : minSimilarity
    const similarity = dot(a.pooled, b.pooled)
    if (similarity < asked) return
    const crossPairs = a.members.length * b.members.length
    const average = crossPairs === 1 ? similarity : dot(a.sum, b.sum) / crossPairs
    if (average >= (areOfOneTrack ? minSimilarityInTrack : minAverageSimilarity))
      pairs.push(similarity - asked, id, otherId)
  }

  for (let rank = 0; rank < inOrder.length; rank++) {
    const last = Math.min(inOrder.length - 1, rank + window)
    for (let other = rank + 1; other <= last; other++) consider(rank, other)
  }
  for (let pair = pairs.pop(); pair !== undefined; pair = pairs.pop()) {
    const a = groups[pair.a]
    const b = groups[pair.b]
    if (a === undefined || b === undefined) continue
    const merged = joined(a, b)
    const id = groups.push(merged) - 1
    groups[pair.a] = groups[pair.b] = undefined
    idOfRank[a.rank] = idOfRank[b.rank] = undefined
    idOfRank[merged.rank] = id
    const last = Math.min(inOrder.length - 1, merged.rank + window)
    for (let other = Math.max(0, merged.rank - window); other <= last; other++) {
      if (other !== merged.rank) consider(id, idOfRank[other])
    }
  }

  return groups
    .filter((group) => group !== undefined)
    .sort((a, b) => a.rank - b.rank)
    .map(({ members }) => [...members].sort((a, b) => (rankOf[a] ?? 0) - (rankOf[b] ?? 0)))
}

interface Group {
  /** Indexes of the group's tracklets. */
  readonly members: readonly number[]
  /** When any member was observed, in order. */
  readonly seenS: readonly SpanS[]
  readonly trackIds: ReadonlySet<number>
  /** Rank of the earliest member among all tracklets in order of time. */
  readonly rank: number
  /** Σ weight · vector, and the same scaled to length 1. */
  readonly weighted: Float64Array
  readonly pooled: Float64Array
  /** Σ vector: the dot product of two sums is the sum over all pairs, which gives average linkage at no extra cost. */
  readonly sum: Float64Array
}

function groupOf({ seenS, trackId, vector, weight }: Tracklet, index: number, rank: number): Group {
  const sum = Float64Array.from(vector)
  const weighted = sum.map((value) => value * weight)
  const trackIds = new Set(trackId === undefined ? [] : [trackId])
  return { members: [index], seenS, trackIds, rank, weighted, pooled: normalised(weighted), sum }
}

function joined(a: Group, b: Group): Group {
  const weighted = a.weighted.map((value, i) => value + (b.weighted[i] ?? 0))
  const [first, second] = a.rank < b.rank ? [a, b] : [b, a]
  return {
    members: [...first.members, ...second.members],
    seenS: [...a.seenS, ...b.seenS].sort(([x], [y]) => x - y),
    trackIds: new Set([...a.trackIds, ...b.trackIds]),
    rank: first.rank,
    weighted,
    pooled: normalised(weighted),
    sum: a.sum.map((value, i) => value + (b.sum[i] ?? 0)),
  }
}

function haveCommon(a: ReadonlySet<number>, b: ReadonlySet<number>): boolean {
  for (const id of a) if (b.has(id)) return true
  return false
}

const startOf = ({ seenS }: Pick<Group, 'seenS'>) => seenS[0]?.[0] ?? 0
const endOf = ({ seenS }: Pick<Group, 'seenS'>) => seenS.at(-1)?.[1] ?? 0

/** Whether one of them was observed while the other was. Walks along both lists. */
function overlapInTime(a: Group, b: Group): boolean {
  if (endOf(a) < startOf(b) || endOf(b) < startOf(a)) return false
  let i = 0
  let j = 0
  for (;;) {
    const x = a.seenS[i]
    const y = b.seenS[j]
    if (x === undefined || y === undefined) return false
    if (x[1] < y[0]) i++
    else if (y[1] < x[0]) j++
    else return true
  }
}

/** Four partial sums, so that additions do not wait for each other: merging spends most of its time here. */
function dot(a: Float64Array, b: Float64Array): number {
  let [s0, s1, s2, s3] = [0, 0, 0, 0]
  for (let i = 0; i < a.length; i += 4) {
    s0 += (a[i] ?? 0) * (b[i] ?? 0)
    s1 += (a[i + 1] ?? 0) * (b[i + 1] ?? 0)
    s2 += (a[i + 2] ?? 0) * (b[i + 2] ?? 0)
    s3 += (a[i + 3] ?? 0) * (b[i + 3] ?? 0)
  }
  return s0 + s1 + (s2 + s3)
}

function normalised(vector: Float64Array): Float64Array {
  const norm = Math.sqrt(dot(vector, vector))
  return norm > 0 ? vector.map((value) => value / norm) : vector
}

function checked(tracklets: readonly Tracklet[]): readonly Tracklet[] {
  const dimension = tracklets[0]?.vector.length
  for (const [index, { seenS, vector, weight }] of tracklets.entries()) {
    if (vector.length !== dimension) {
      throw new RangeError(
        `tracklet ${index} has ${vector.length} dimensions, but the first has ${dimension ?? 0}`,
      )
    }
    if (!(weight > 0 && weight < Infinity)) throw new RangeError(`tracklet ${index} has weight ${weight}`)
    const times = seenS.flat()
    if (times.length === 0 || times.some((timeS, i) => !(timeS >= (times[i - 1] ?? -Infinity))))
      throw new RangeError(`tracklet ${index} has times out of order: ${times.join(', ')}`)
  }
  return tracklets
}

interface PairQueue {
  push(similarity: number, a: number, b: number): void
  /** The most similar pair; among equal pairs, the one with the lower ids. */
  pop(): { readonly a: number; readonly b: number } | undefined
}

/** A binary heap over plain number arrays: a crowd queues millions of pairs, too many for one object per pair. */
function createPairQueue(): PairQueue {
  const similarities: number[] = []
  const firsts: number[] = []
  const seconds: number[] = []

  function isBefore(i: number, j: number): boolean {
    const bySimilarity = (similarities[i] ?? 0) - (similarities[j] ?? 0)
    if (bySimilarity !== 0) return bySimilarity > 0
    const byFirst = (firsts[i] ?? 0) - (firsts[j] ?? 0)
    return byFirst !== 0 ? byFirst < 0 : (seconds[i] ?? 0) < (seconds[j] ?? 0)
  }

  function swap(i: number, j: number): void {
    for (const column of [similarities, firsts, seconds]) {
      const held = column[i] ?? 0
      column[i] = column[j] ?? 0
      column[j] = held
    }
  }

  function push(similarity: number, a: number, b: number): void {
    similarities.push(similarity)
    firsts.push(Math.min(a, b))
    let at = seconds.push(Math.max(a, b)) - 1
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (!isBefore(at, parent)) break
      swap(at, parent)
      at = parent
    }
  }

  function pop(): { a: number; b: number } | undefined {
    const a = firsts[0]
    const b = seconds[0]
    if (a === undefined || b === undefined) return undefined
    swap(0, similarities.length - 1)
    for (const column of [similarities, firsts, seconds]) column.pop()
    for (let at = 0; ;) {
      const left = 2 * at + 1
      if (left >= similarities.length) break
      const right = left + 1
      const child = right < similarities.length && isBefore(right, left) ? right : left
      if (!isBefore(child, at)) break
      swap(at, child)
      at = child
    }
    return { a, b }
  }

  return { push, pop }
}
