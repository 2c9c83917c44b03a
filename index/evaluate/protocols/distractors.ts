import { LargestScores, scoresNeeded, tprAtFpr, type RocPoint } from '../metrics/roc.js'
import { multiplyTables, rowCount, type VectorTable } from '../metrics/matrix-product.js'

/** L2-normalised features of photos, with the person of each row. */
export interface LabelledTable extends VectorTable {
  readonly identities: readonly string[]
}

export interface DistractorInput {
  /** The probe photos. */
  readonly probes: LabelledTable
  /** Their mates. Undefined if each photo of a person is in turn the gallery photo (MegaFace with FaceScrub). */
  readonly gallery?: LabelledTable | undefined
  /** Photos of other people. */
  readonly distractors: VectorTable
  readonly onProgress?: ((done: number, total: number) => void) | undefined
}

export interface DistractorResult {
  /** Number of pairs of a probe and a mate in the gallery. */
  readonly matedPairs: number
  /**
   * MegaFace: share of the mated pairs in which the mate scores higher than the first N distractors. NaN without
   * mated pairs.
   */
  readonly rank1: readonly { readonly distractors: number; readonly rank1: number }[]
  /** MegaFace: over mated pairs, and pairs of a probe and a distractor. */
  readonly verification: RocPoint
  readonly nonMatedPairs: number
  /** Trillion-Pairs: over all pairs of a probe and a gallery photo, including distractors. */
  readonly allPairs: {
    readonly nonMatedPairs: number
    readonly identification: RocPoint
    readonly verification: RocPoint
  }
}

const megafaceFar = 1e-6
const trillionIdentificationFpr = 1e-3
const trillionVerificationFpr = 1e-9

/**
 * Identification and verification among distractors: MegaFace and Trillion-Pairs. Each mate is added alone to the
 * distractors, so photos of the same person never compete with each other. A tie with a distractor does not count as
 * a win. Scores are computed block by block, and only the largest non-mated scores are kept.
 */
export function evaluateDistractors(input: DistractorInput): DistractorResult {
  const { probes, distractors } = input
  const gallery = input.gallery ?? probes
  const takesTurns = input.gallery === undefined
  const probeCount = rowCount(probes)
  const distractorPairs = probeCount * rowCount(distractors)
  const mates = countMates(probes, gallery)
  const matedPairs = mates - (takesTurns ? probeCount : 0)
  const galleryPairs = probeCount * rowCount(gallery) - mates
  const allNonMated = distractorPairs + galleryPairs

  const matedProbes: number[] = []
  const matedScores: number[] = []
  const ofDistractors = new LargestScores(scoresNeeded(megafaceFar, distractorPairs))
  const ofAll = new LargestScores(scoresNeeded(trillionIdentificationFpr, allNonMated))
  let done = 0
  const report = (products: number) => {
    done += products
    input.onProgress?.(done, probeCount * (rowCount(gallery) + rowCount(distractors)))
  }

  multiplyTables(probes, gallery, (p, first, products) => {
    for (const [i, score] of products.entries()) {
      if (probes.identities[p] !== gallery.identities[first + i]) ofAll.add(score)
      else if (!takesTurns || p !== first + i) {
        matedProbes.push(p)
        matedScores.push(score)
      }
    }
    report(products.length)
  })

  const sizes = distractorSizes(rowCount(distractors))
  // Best distractor of each probe among the first sizes[s]; [sizes, probes].
  const best = sizes.map(() => new Float32Array(probeCount).fill(-Infinity))
  multiplyTables(probes, distractors, (p, first, products) => {
    let size = sizes.findIndex((n) => n > first)
    for (const [i, score] of products.entries()) {
      ofDistractors.add(score)
      ofAll.add(score)
      while (size < sizes.length - 1 && first + i >= (sizes[size] ?? 0)) size++
      const soFar = best[size]
      if (soFar !== undefined && score > (soFar[p] ?? 0)) soFar[p] = score
    }
    report(products.length)
  })
  for (const [s, smaller] of best.entries())
    best[s + 1]?.forEach((score, p, larger) => (larger[p] = Math.max(score, smaller[p] ?? -Infinity)))

  const mated = Float32Array.from(matedScores)
  const rates = (nonMated: LargestScores, nonMatedCount: number, fprs: readonly number[]) =>
    tprAtFpr({ mated, nonMated: nonMated.values(), nonMatedCount }, fprs)
  const [verification] = rates(ofDistractors, distractorPairs, [megafaceFar])
  const [identification, allVerification] = rates(ofAll, allNonMated, [
    trillionIdentificationFpr,
    trillionVerificationFpr,
  ])
  if (verification === undefined || identification === undefined || allVerification === undefined)
    throw new Error('a rate is missing')
  const winsAgainst = (bestDistractors: Float32Array) =>
    mated.reduce((wins, score, m) => {
      const rival = bestDistractors[matedProbes[m] ?? -1] ?? Infinity
      return score > rival ? wins + 1 : wins
    }, 0)
  return {
    matedPairs,
    rank1: sizes.map((size, s) => ({
      distractors: size,
      rank1: winsAgainst(best[s] ?? new Float32Array()) / matedPairs,
    })),
    verification,
    nonMatedPairs: distractorPairs,
    allPairs: { nonMatedPairs: allNonMated, identification, verification: allVerification },
  }
}

/** Number of pairs of the same person. Includes each probe with itself if both tables are the same. */
function countMates(probes: LabelledTable, gallery: LabelledTable): number {
  const photos = new Map<string, number>()
  for (const identity of gallery.identities) photos.set(identity, (photos.get(identity) ?? 0) + 1)
  return probes.identities.reduce((sum, identity) => sum + (photos.get(identity) ?? 0), 0)
}

/** 10, 100, … and the total number, as in MegaFace's curves. */
function distractorSizes(count: number): number[] {
  const sizes: number[] = []
  for (let size = 10; size < count; size *= 10) sizes.push(size)
  return count > 0 ? [...sizes, count] : sizes
}
