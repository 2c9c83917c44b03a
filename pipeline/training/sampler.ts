import { normaliseAt, poolFaces, type FaceColumns } from './face-columns.js'
import { inputDimension } from '../describe/pooled-input.js'
import { gaussian, seededPart, shuffled } from '../common/seeded-random.js'

/** The data that a head is trained on: some tracks, each with its class. */
export interface TrainingRows {
  readonly faces: FaceColumns
  /** Track of each row. */
  readonly tracks: Int32Array
  /** Class of each row: 1..C, 0 for noise. */
  readonly labels: Int32Array
  readonly classCount: number
}

export interface SamplingOptions {
  /** Number of a track's faces in one sample: one of these numbers at random; fewer if the track has fewer faces. */
  readonly facesPerSample: readonly number[]
  /** Length of the random vector that is added to a sample of length 1. */
  readonly noise: number
  /** Half of the samples use the faces' mirror images, if they were stored. */
  readonly mirror: boolean
  /** Each class appears equally often, however many tracks it has. */
  readonly balanced: boolean
  /** Consecutive rows of each class in a batch; 1 if no loss needs pairs. */
  readonly rowsPerClass: number
}

/**
 * Random numbers of the normal distribution, drawn once: drawing half a million for each batch would take a tenth of a
 * step.
 */
const tableSize = 1 << 18

export interface Sampler {
  /** The rows of an epoch in the order of their batches. The same epoch always has the same order. */
  order(epoch: number): Int32Array
  /** Writes a sample of each row to `target`: [rows, dimension]. */
  fill(rows: Int32Array, random: () => number, target: Float32Array): void
}

export function createSampler(rows: TrainingRows, options: SamplingOptions, seed: number): Sampler {
  const { faces, tracks, labels } = rows
  const { columns, firstFace } = faces
  const dimension = inputDimension(columns)
  const canMirror = options.mirror && columns.some(({ mirrored }) => mirrored !== undefined)
  const normals = Float32Array.from(
    { length: tableSize + dimension },
    (
      (random) => () =>
        gaussian(random)
    )(seededPart(seed, 1)),
  )
  const deviation = options.noise / Math.sqrt(dimension)
  const rowsOfClass = groupRows(labels, rows.classCount)
  const present = rowsOfClass.flatMap((list, label) => (list.length > 0 ? [label] : []))

  /** Chooses `rowsPerClass` rows of a class at a time, so that a batch contains pairs; classes in random order. */
  function grouped(random: () => number): Int32Array {
    const chosen: number[] = []
    while (chosen.length < labels.length) {
      const own = options.balanced
        ? (rowsOfClass[present[Math.floor(random() * present.length)] ?? 0] ?? [])
        : (rowsOfClass[labels[Math.floor(random() * labels.length)] ?? 0] ?? [])
      for (let k = 0; k < options.rowsPerClass; k++) chosen.push(own[Math.floor(random() * own.length)] ?? 0)
    }
    return Int32Array.from(chosen.slice(0, labels.length))
  }

  return {
    order(epoch) {
      const random = seededPart(seed, 2, epoch)
      return options.balanced || options.rowsPerClass > 1 ? grouped(random) : shuffled(labels.length, random)
    },
    fill(chosen, random, target) {
      for (let i = 0; i < chosen.length; i++) {
        const track = tracks[chosen[i] ?? 0] ?? 0
        const first = firstFace[track] ?? 0
        const count = (firstFace[track + 1] ?? first) - first
        const { facesPerSample } = options
        const wanted = facesPerSample[Math.floor(random() * facesPerSample.length)] ?? count
        const some = someOf(first, count, wanted, random)
        poolFaces(faces, some, 'quality', target, i * dimension, canMirror && random() < 0.5)
        if (options.noise === 0) continue
        const from = Math.floor(random() * tableSize)
        for (let k = 0; k < dimension; k++)
          target[i * dimension + k] = (target[i * dimension + k] ?? 0) + deviation * (normals[from + k] ?? 0)
        normaliseAt(target, i * dimension, dimension)
      }
    },
  }
}

function groupRows(labels: Int32Array, classCount: number): number[][] {
  const groups: number[][] = Array.from({ length: classCount + 1 }, () => [])
  for (const [row, label] of labels.entries()) groups[label]?.push(row)
  return groups
}

/** `wanted` different numbers of first .. first + count − 1, or all of them if there are fewer. */
function someOf(first: number, count: number, wanted: number, random: () => number): number[] {
  const all = Array.from({ length: count }, (_, k) => first + k)
  for (let k = 0; k < Math.min(wanted, count); k++) {
    const other = k + Math.floor(random() * (count - k))
    const kept = all[k] ?? first
    all[k] = all[other] ?? first
    all[other] = kept
  }
  return all.slice(0, Math.min(wanted, count))
}
