import type { FaceColumns } from '../../pipeline/training/face-columns.js'
import { gaussian, seededRandom } from '../../pipeline/common/seeded-random.js'

export interface SyntheticSize {
  readonly clips: number
  readonly identities: number
  readonly dimension: number
}

/**
 * Numbers are drawn once into a table, and rows begin anywhere in it. Drawing each number would take minutes.
 */
const tableSize = 1 << 18

/**
 * Clips of random identities, 0 (noise) .. identities, with `faces` embeddings each. The embeddings lie
 * around their identity's centre; two of them have a mean cosine of 0.5. Noise lies anywhere.
 */
export function synthesiseFaces(
  { clips, identities, dimension }: SyntheticSize,
  faces: number,
): { readonly columns: FaceColumns; readonly labels: Int32Array } {
  const random = seededRandom(20_261_124)
  const normals = Float32Array.from({ length: tableSize + dimension }, () => gaussian(random))
  const draw = () => Math.floor(random() * tableSize)
  const centres = Int32Array.from({ length: identities + 1 }, draw)
  const labels = Int32Array.from({ length: clips }, () => Math.floor(random() * (identities + 1)))
  const embeddings = new Uint16Array(clips * faces * dimension)
  const row = new Float32Array(dimension)
  const bits = new Uint32Array(row.buffer)
  for (let face = 0; face < clips * faces; face++) {
    const label = labels[Math.floor(face / faces)] ?? 0
    const centre = label === 0 ? draw() : (centres[label] ?? 0)
    const scatter = draw()
    for (let i = 0; i < dimension; i++)
      row[i] = Math.SQRT1_2 * ((normals[centre + i] ?? 0) + (normals[scatter + i] ?? 0))
    for (let i = 0; i < dimension; i++) embeddings[face * dimension + i] = halfOf(bits[i] ?? 0)
  }
  const firstFace = Int32Array.from({ length: clips + 1 }, (_, clip) => clip * faces)
  const qualities = Float32Array.from({ length: clips * faces }, () => 0.2 + 0.8 * random())
  return { columns: { columns: [{ dimension, embeddings }], firstFace, qualities }, labels }
}

/**
 * Half precision from the bits of a float of normal size, cut off rather than rounded. Tiny ones become 0.
 */
function halfOf(bits: number): number {
  const exponent = ((bits >>> 23) & 0xff) - 112
  return exponent <= 0 ? 0 : ((bits >>> 16) & 0x8000) | (exponent << 10) | ((bits >>> 13) & 0x3ff)
}
