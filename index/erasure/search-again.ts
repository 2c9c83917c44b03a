import { CameoError } from '../../pipeline/common/errors.js'
import type { Archive } from '../archive/open-archive.js'
import { openIndexFor } from '../archive/use-index.js'
import { activeSpace } from '../store/meta.js'
import { toFloat32 } from '../store/blobs.js'
import type { VectorToErase } from '../store/erased-rows.js'

/** Enough to see an erased vector: it would be the nearest one to itself. */
const neighbours = 20

export interface SearchedAgain {
  readonly vectorsSearched: number
  /** Erased vectors that an answer had. */
  readonly vectorsFound: number
}

/** Searches with erased vectors. They, or what was erased with them, must not be in an answer. */
export async function searchAgain(
  archive: Archive,
  vectors: readonly VectorToErase[],
  notify: (notice: string) => void,
): Promise<SearchedAgain> {
  if (vectors.length === 0 || activeSpace(archive.database) === undefined)
    return { vectorsSearched: 0, vectorsFound: 0 }
  const labels = new Set(vectors.map(({ label }) => label))
  try {
    return await openIndexFor(archive, { notify })(async (index) => {
      const answers = await index.search(
        vectors.map(({ vector }) => toFloat32(vector)),
        neighbours,
      )
      const found = new Set(answers.flat().flatMap(({ label }) => (labels.has(label) ? [label] : [])))
      return { vectorsSearched: vectors.length, vectorsFound: found.size }
    })
  } catch (error) {
    if (!(error instanceof CameoError)) throw error
    notify(`the search after the erasure was not possible: ${error.message}`)
    return { vectorsSearched: 0, vectorsFound: 0 }
  }
}
