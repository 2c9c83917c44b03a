/**
 * A guard behind the tracker: a missed cut between look-alike shots, or an identity switch, leaves two people in one
 * track. Motion could not see it; the embeddings of the track's best faces do.
 */
import { correlation } from './appearance.js'

export interface TimedEmbedding {
  readonly timeS: number
  /** L2-normalised. */
  readonly vector: Float32Array
}

export interface SplitPoint {
  /** The later part begins with this embedding. */
  readonly index: number
  /** The change happened after this time and not later than `untilS`: the embeddings on its two sides. */
  readonly afterS: number
  readonly untilS: number
}

export interface SplitOptions {
  /**
   * Two people have no pair of embeddings as similar as this. Default 0.2: far below the 0.33–0.36 at which pairs are
   * accepted, and four standard deviations above pairs of strangers (0 ± 0.05), so that a profile view is not cut off.
   */
  readonly maxCrossSimilarity?: number
  /** An embedding counts only with a partner of its own side at least as similar as this. Default 0.4. */
  readonly minWithinSimilarity?: number
}

/**
 * Where a track should be split, in order; empty for almost every track.
 *
 * The embeddings fall into the connected components of "at least `maxCrossSimilarity`"; so between two components
 * every pair is below it. A component is a person if at least two embeddings agree (`minWithinSimilarity`); a lone odd one (blur,
 * an occluded face) is no evidence and stays with what precedes it. The track is cut wherever the person changes,
 * also when the first one returns (A B A gives two points). O(K²) dot products.
 *
 * @param embeddings of one track, in order of time
 */
export function findSplits(
  embeddings: readonly TimedEmbedding[],
  options: SplitOptions = {},
): readonly SplitPoint[] {
  const { maxCrossSimilarity = 0.2, minWithinSimilarity = 0.4 } = options
  const component = embeddings.map((_, index) => index)
  const hasPartner = embeddings.map(() => false)
  for (const [i, a] of embeddings.entries()) {
    for (const [j, b] of embeddings.slice(0, i).entries()) {
      const similarity = correlation(a.vector, b.vector)
      if (similarity >= minWithinSimilarity) hasPartner[i] = hasPartner[j] = true
      if (similarity < maxCrossSimilarity) continue
      const [kept, dropped] = [component[i], component[j]]
      for (const [k, of] of component.entries()) if (of === dropped) component[k] = kept ?? of
    }
  }

  const points: SplitPoint[] = []
  let previous: { person: number; timeS: number } | undefined
  for (const [index, { timeS }] of embeddings.entries()) {
    const person = component[index]
    if (person === undefined || !hasPartner[index]) continue
    if (previous !== undefined && previous.person !== person) {
      points.push({ index, afterS: previous.timeS, untilS: timeS })
    }
    previous = { person, timeS }
  }
  return points
}
