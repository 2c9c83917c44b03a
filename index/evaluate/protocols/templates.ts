import type { SubjectTemplate } from '../formats/template-lists.js'
import { multiplyTables, rowOf, type VectorTable } from '../metrics/matrix-product.js'
import { tprAtFpr, type RocPoint } from '../metrics/roc.js'
import { l2Normalise } from '../../../pipeline/data/vector-math.js'

/** Templates of IJB-B and IJB-C: row r is the L2-normalised feature of `ids[r]`. */
export interface TemplateTable extends VectorTable {
  readonly ids: readonly number[]
  readonly rowOfId: ReadonlyMap<number, number>
}

/**
 * Pools images into templates: the mean over the images of a medium, the sum over the media of a template,
 * normalised. The feature of an image is its flip-sum, not normalised, times its detection score.
 */
export class TemplatePool {
  readonly #dimension: number
  readonly #templates = new Map<number, Map<number, { sum: Float64Array; images: number }>>()

  constructor(dimension: number) {
    this.#dimension = dimension
  }

  add(templateId: number, mediumId: number, feature: Float32Array, detectionScore: number): void {
    const media = this.#templates.get(templateId) ?? new Map<number, { sum: Float64Array; images: number }>()
    this.#templates.set(templateId, media)
    const medium = media.get(mediumId) ?? { sum: new Float64Array(this.#dimension), images: 0 }
    media.set(mediumId, medium)
    for (let i = 0; i < this.#dimension; i++)
      medium.sum[i] = (medium.sum[i] ?? 0) + (feature[i] ?? 0) * detectionScore
    medium.images++
  }

  finish(): TemplateTable {
    const ids = [...this.#templates.keys()]
    const vectors = new Float32Array(ids.length * this.#dimension)
    for (const [row, media] of [...this.#templates.values()].entries()) {
      const pooled = new Float32Array(this.#dimension)
      for (const { sum, images } of media.values())
        for (let i = 0; i < pooled.length; i++) pooled[i] = (pooled[i] ?? 0) + (sum[i] ?? 0) / images
      vectors.set(l2Normalise(pooled), row * this.#dimension)
    }
    return { dimension: this.#dimension, vectors, ids, rowOfId: new Map(ids.map((id, row) => [id, row])) }
  }
}

/** 1e-6 … 1e-1. */
export const templateFprs = [1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1]

export interface TemplateVerification {
  readonly pairs: number
  /** Number of pairs that are skipped because a template has no face. */
  readonly pairsWithoutTemplate: number
  readonly points: readonly RocPoint[]
}

export interface PairColumns {
  readonly first: Int32Array
  readonly second: Int32Array
  readonly isSame: Uint8Array
}

/** 1:1 verification over listed pairs of templates. */
export function verifyTemplates(
  templates: TemplateTable,
  pairs: PairColumns,
  fprs = templateFprs,
): TemplateVerification {
  const matedCount = pairs.isSame.reduce((sum, same) => sum + same, 0)
  const mated = new Float32Array(matedCount)
  const nonMated = new Float32Array(pairs.isSame.length - matedCount)
  let matedScored = 0
  let nonMatedScored = 0
  for (let p = 0; p < pairs.isSame.length; p++) {
    const a = templates.rowOfId.get(pairs.first[p] ?? -1)
    const b = templates.rowOfId.get(pairs.second[p] ?? -1)
    if (a === undefined || b === undefined) continue
    const score = dotRows(templates, a, b)
    if (pairs.isSame[p] === 1) mated[matedScored++] = score
    else nonMated[nonMatedScored++] = score
  }
  const scores = {
    mated: mated.subarray(0, matedScored),
    nonMated: nonMated.subarray(0, nonMatedScored),
    nonMatedCount: nonMatedScored,
  }
  return {
    pairs: matedScored + nonMatedScored,
    pairsWithoutTemplate: pairs.isSame.length - matedScored - nonMatedScored,
    points: tprAtFpr(scores, fprs),
  }
}

function dotRows({ dimension, vectors }: VectorTable, a: number, b: number): number {
  let sum = 0
  for (let i = 0, x = a * dimension, y = b * dimension; i < dimension; i++, x++, y++)
    sum += (vectors[x] ?? 0) * (vectors[y] ?? 0)
  return sum
}

export interface TemplateIdentification {
  /** Number of probes with a mate in the gallery, and without one. */
  readonly matedProbes: number
  readonly nonMatedProbes: number
  /** Share of the mated probes with the mate among the k best. NaN without mated probes. */
  readonly rank: Readonly<Record<1 | 5 | 10, number>>
  /** NaN without non-mated probes. */
  readonly tpir: readonly { readonly targetFpir: number; readonly tpir: number; readonly threshold: number }[]
}

export const templateFpirs = [0.01, 0.1]

/**
 * 1:N identification against one gallery. The rank of a mate is one more than the number of templates of other people
 * that score at least as high. For TPIR@FPIR, the threshold is the lowest at which at most FPIR of the non-mated
 * probes have a best score above it. A mated probe counts as correct if its best match is its mate, with a score
 * above that threshold. Gallery templates without a face are skipped. A mated probe counts as wrong if it or its mate
 * has no face.
 */
export function identifyTemplates(
  templates: TemplateTable,
  gallery: readonly SubjectTemplate[],
  probes: readonly SubjectTemplate[],
  fpirs = templateFpirs,
): TemplateIdentification {
  const present = gallery.filter(({ templateId }) => templates.rowOfId.has(templateId))
  const scored = probes.filter(({ templateId }) => templates.rowOfId.has(templateId))
  const tableOf = (list: readonly SubjectTemplate[]): VectorTable => {
    const vectors = new Float32Array(list.length * templates.dimension)
    list.forEach(({ templateId }, i) =>
      vectors.set(rowOf(templates, templates.rowOfId.get(templateId) ?? 0), i * templates.dimension),
    )
    return { dimension: templates.dimension, vectors }
  }
  const galleryTable = tableOf(present)
  const probeTable = tableOf(scored)
  const mateScores = new Float32Array(scored.length).fill(-Infinity)
  const othersBest = new Float32Array(scored.length).fill(-Infinity)
  multiplyTables(probeTable, galleryTable, (p, first, products) => {
    for (const [i, score] of products.entries()) {
      const best = present[first + i]?.subject === scored[p]?.subject ? mateScores : othersBest
      if (score > (best[p] ?? 0)) best[p] = score
    }
  })
  // A second pass is needed because a mate may come after the other templates of a gallery.
  const ranks = new Int32Array(scored.length).fill(1)
  multiplyTables(probeTable, galleryTable, (p, first, products) => {
    const mate = mateScores[p] ?? -Infinity
    for (const [i, score] of products.entries())
      if (score >= mate && present[first + i]?.subject !== scored[p]?.subject) ranks[p] = (ranks[p] ?? 0) + 1
  })
  const subjects = new Set(gallery.map(({ subject }) => subject))
  const matedProbes = probes.filter(({ subject }) => subjects.has(subject)).length
  const mated = scored.flatMap(({ subject }, p) =>
    subjects.has(subject) && mateScores[p] !== -Infinity ? [p] : [],
  )
  const nonMatedBest = scored
    .flatMap(({ subject }, p) => (subjects.has(subject) ? [] : [othersBest[p] ?? -Infinity]))
    .sort((a, b) => b - a)
  const within = (k: number) => mated.filter((p) => (ranks[p] ?? Infinity) <= k).length / matedProbes
  return {
    matedProbes,
    nonMatedProbes: probes.length - matedProbes,
    rank: { 1: within(1), 5: within(5), 10: within(10) },
    tpir: fpirs.map((targetFpir) => {
      if (nonMatedBest.length === 0) return { targetFpir, tpir: NaN, threshold: NaN }
      // 0.29 × 100 is 28.999999999999996 in floating point, but 29 is meant.
      const allowed = Math.floor(targetFpir * (probes.length - matedProbes) + 1e-9)
      const threshold = nonMatedBest[allowed] ?? -Infinity
      const right = mated.filter((p) => ranks[p] === 1 && (mateScores[p] ?? -Infinity) > threshold)
      return { targetFpir, tpir: right.length / matedProbes, threshold }
    }),
  }
}

/** The mean of the results of two galleries, G1 and G2, as reported by IJB. */
export function averageGalleries(results: readonly TemplateIdentification[]): Pick<
  TemplateIdentification,
  'rank'
> & {
  readonly tpir: readonly { readonly targetFpir: number; readonly tpir: number }[]
} {
  const mean = (value: (result: TemplateIdentification) => number) =>
    results.reduce((sum, result) => sum + value(result), 0) / results.length
  return {
    rank: {
      1: mean(({ rank }) => rank[1]),
      5: mean(({ rank }) => rank[5]),
      10: mean(({ rank }) => rank[10]),
    },
    tpir: (results[0]?.tpir ?? []).map(({ targetFpir }, i) => ({
      targetFpir,
      tpir: mean(({ tpir }) => tpir[i]?.tpir ?? NaN),
    })),
  }
}
