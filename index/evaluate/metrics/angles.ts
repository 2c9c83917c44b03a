import { normaliseAt } from '../../../pipeline/training/face-columns.js'
import { multiplyTables, rowCount, rowOf, type VectorTable } from './matrix-product.js'

export interface AngleInput {
  /** e: number of values of a feature and of a class weight. */
  readonly dimension: number
  /** [samples, e]. May be unnormalised. */
  readonly features: Float32Array
  /** Class of each sample, 0 .. C − 1. */
  readonly labels: Int32Array
  /** [C, e], without the noise class. May be unnormalised. */
  readonly classWeights: Float32Array
}

/** In degrees. Undefined if there is nothing to measure. Names as in ArcFace (Deng et al., CVPR 2019, table 3). */
export interface AngleStatistics {
  /** Mean angle between a class's weight and the centre of its features. */
  readonly wEc: number | undefined
  /** Mean over classes of the smallest angle between the class's weight and another class's weight. */
  readonly wInter: number | undefined
  /** Mean over samples of the angle to the centre of their class. */
  readonly intra: number | undefined
  /** Mean over classes of the smallest angle between the class's centre and another class's centre. */
  readonly inter: number | undefined
  readonly classes: number
  /** Number of classes with a sample. W-EC, Intra and Inter are averaged over them. */
  readonly classesWithSamples: number
  readonly samples: number
}

/**
 * Measures how compact classes are and how far apart (ArcFace, CVPR 2019, table 3). The centre of a class is the
 * normalised mean of the normalised features of its samples.
 */
export function angleStatistics({ dimension, features, labels, classWeights }: AngleInput): AngleStatistics {
  const samples = unitRows(features, dimension)
  const weights = unitRows(classWeights, dimension)
  const classes = rowCount(weights)
  const sums = new Float32Array(classes * dimension)
  const counts = new Int32Array(classes)
  for (const [sample, label] of labels.entries()) {
    const sum = sums.subarray(label * dimension, (label + 1) * dimension)
    rowOf(samples, sample).forEach((value, i) => (sum[i] = (sum[i] ?? 0) + value))
    counts[label] = (counts[label] ?? 0) + 1
  }
  const centres = unitRows(sums, dimension)
  const seen = [...counts.keys()].filter((label) => (counts[label] ?? 0) > 0)
  const seenCentres = new Float32Array(seen.length * dimension)
  for (const [at, label] of seen.entries()) seenCentres.set(rowOf(centres, label), at * dimension)
  return {
    wEc: mean(seen.map((label) => angleBetween(rowOf(weights, label), rowOf(centres, label)))),
    wInter: mean(smallestAngles(weights)),
    intra: mean(
      Array.from(labels, (label, sample) => angleBetween(rowOf(samples, sample), rowOf(centres, label))),
    ),
    inter: mean(smallestAngles({ dimension, vectors: seenCentres })),
    classes,
    classesWithSamples: seen.length,
    samples: labels.length,
  }
}

function unitRows(rows: Float32Array, dimension: number): VectorTable {
  const vectors = rows.slice()
  for (let at = 0; at < vectors.length; at += dimension) normaliseAt(vectors, at, dimension)
  return { dimension, vectors }
}

/**
 * Angle in degrees between two vectors of length 1. Unlike arccos, this does not lose half of the digits near 0° and
 * 180° (Kahan, "How Futile are Mindless Assessments of Roundoff", 2006, §12).
 */
export function angleBetween(a: Float32Array, b: Float32Array): number {
  let [difference, sum] = [0, 0]
  for (let i = 0; i < a.length; i++) {
    const [x, y] = [a[i] ?? 0, b[i] ?? 0]
    difference += (x - y) ** 2
    sum += (x + y) ** 2
  }
  return (2 * Math.atan2(Math.sqrt(difference), Math.sqrt(sum)) * 180) / Math.PI
}

/** For each row, the angle to its nearest other row. Empty if there is only one row. */
function smallestAngles(rows: VectorTable): number[] {
  const count = rowCount(rows)
  if (count < 2) return []
  const nearest = new Int32Array(count)
  const cosines = new Float32Array(count).fill(-Infinity)
  multiplyTables(rows, rows, (row, first, products) => {
    for (let i = 0; i < products.length; i++) {
      const cosine = products[i] ?? Number.NaN
      if (first + i === row || !(cosine > (cosines[row] ?? Infinity))) continue
      cosines[row] = cosine
      nearest[row] = first + i
    }
  })
  return Array.from(nearest, (other, row) => angleBetween(rowOf(rows, row), rowOf(rows, other)))
}

function mean(values: readonly number[]): number | undefined {
  return values.length === 0 ? undefined : values.reduce((sum, value) => sum + value, 0) / values.length
}
