/** Two groups of tracks as they are compared. A mean is that of L2-normalised descriptors, weighted by quality. */
export interface GroupPair {
  /** Inner product of both means. */
  readonly product: number
  /** Squared lengths of the means: 1 if all descriptors are equal. */
  readonly squaredA: number
  readonly squaredB: number
  /** Summed qualities of their tracks. */
  readonly qualityA: number
  readonly qualityB: number
}

/**
 * Variances of descriptors, as shares of their squared length. Chosen by `npm run bench:people`, with a view of its photos and clips.
 */
const variance = {
  /** Between people. */
  between: 2 / 3,
  /** Between the face of a person and a track of quality 1. It grows as quality falls. */
  within: 1 / 2,
  /** Age, make-up or camera: what no number of tracks averages out. */
  lasting: 1 / 10,
} as const

/** Quality of an ordinary sharp face. Similarities are given as if both sides were one such track. */
const referenceQuality = 0.8

/** Precision of a group's mean: the inverse of its variance around the person's face. */
const precisionOf = (quality: number): number => 1 / (variance.lasting + variance.within / quality)
const prior = 1 / variance.between

/**
 * The log-likelihood ratio, per dimension, of one person against two, in the two-covariance model with equal variance in all directions
 * (Brümmer and de Villiers, "The speaker partitioning problem", 2010).
 */
function logRatio({ product, squaredA, squaredB, qualityA, qualityB }: GroupPair): number {
  const [a, b] = [precisionOf(qualityA), precisionOf(qualityB)]
  const together = a * a * squaredA + b * b * squaredB + 2 * a * b * product
  const fit = together / (prior + a + b) - (a * a * squaredA) / (prior + a) - (b * b * squaredB) / (prior + b)
  return (fit + Math.log(((prior + a) * (prior + b)) / (prior * (prior + a + b)))) / 2
}

const ratioOfSharpFaces = (product: number): number =>
  logRatio({ product, squaredA: 1, squaredB: 1, qualityA: referenceQuality, qualityB: referenceQuality })

/** The ratio of two sharp faces is linear in their similarity. */
const ratioAtZero = ratioOfSharpFaces(0)
const ratioPerSimilarity = ratioOfSharpFaces(1) - ratioAtZero

/**
 * How likely two groups are one person, as the cosine similarity of two single sharp faces that are as likely one person. It may be
 * above 1 or below −1. The more tracks two groups have, the more it says: noise averages out in their means. The more blurred the
 * faces are, the less it says: without any quality, it is the similarity at which one person and two are equally likely.
 */
export const samePersonSimilarity = (pair: GroupPair): number =>
  (logRatio(pair) - ratioAtZero) / ratioPerSimilarity
