import { poolEmbeddings, type WeightedEmbedding } from '../../pipeline/describe/pool.js'

/** The faces of one person from one file, enrolled or new. */
export interface SourceFaces {
  readonly source: string
  readonly faces: readonly WeightedEmbedding[]
}

/** How well the face of a file matches the other files of its name. */
export interface SourceAgreement {
  readonly source: string
  /** Mean cosine similarity to the faces of the other files. Undefined if there is no other file. */
  readonly similarity: number | undefined
  /** Number of other files that reach the threshold. */
  readonly matches: number
  readonly others: number
  /** True if fewer than half of the others reach it. */
  readonly disagrees: boolean
}

/**
 * Compares the files of one name with each other. Each file is represented by the quality-weighted mean of its faces.
 * @param dimension of the embeddings
 * @param threshold cosine similarity from which two faces count as one person's
 * @returns in the order given
 */
export function agreementOf(
  sources: readonly SourceFaces[],
  dimension: number,
  threshold: number,
): SourceAgreement[] {
  const means = sources.map(({ faces }) => poolEmbeddings(faces, dimension))
  return sources.map(({ source }, i) => {
    const own = means[i] ?? new Float32Array(dimension)
    const similarities = means.filter((_, j) => j !== i).map((other) => dot(own, other))
    const matches = similarities.filter((similarity) => similarity >= threshold).length
    const others = similarities.length
    const similarity = others === 0 ? undefined : similarities.reduce((sum, value) => sum + value, 0) / others
    return { source, similarity, matches, others, disagrees: matches < others / 2 }
  })
}

const dot = (a: Float32Array, b: Float32Array) => a.reduce((sum, value, i) => sum + value * (b[i] ?? 0), 0)

/** Groups faces by file, in the order in which the files first appear. */
export function bySource(faces: readonly (WeightedEmbedding & { readonly source: string })[]): SourceFaces[] {
  const groups = new Map<string, WeightedEmbedding[]>()
  for (const face of faces) {
    const group = groups.get(face.source)
    if (group === undefined) groups.set(face.source, [face])
    else group.push(face)
  }
  return [...groups].map(([source, own]) => ({ source, faces: own }))
}
