import type { FaceEmbeddings } from '../../pipeline/describe/pooled-input.js'
import { furtherEmbeddersOf } from '../archive/archive-models.js'
import type { FilledArchive } from '../archive/open-archive.js'
import { bestFaceReader } from '../store/best-faces.js'
import type { ReferenceFace } from './identities.js'

/** The best face of a track, as a question or a name takes it. */
export type TrackFace = Required<FaceEmbeddings> & Omit<ReferenceFace, 'source' | 'picture'>

/** Reads the best face of tracks, with the embeddings by the archive's embedders. Undefined if a track has none that is whole. */
export function trackFaceReader({
  archive,
  recipe,
}: FilledArchive): (trackId: number) => TrackFace | undefined {
  const readFace = bestFaceReader(archive.database)
  const further = new Set(furtherEmbeddersOf(recipe).map(({ digest }) => digest))
  return (trackId) => {
    const face = readFace(trackId)
    const own = face?.embeddings.find(({ embedder }) => embedder === recipe.embedderDigest)
    if (face === undefined || own === undefined) return undefined
    const { float16, norm } = own
    return {
      ...{ float16, norm, quality: face.quality, embedding: { float16, norm } },
      extraEmbeddings: face.embeddings.filter(({ embedder }) => further.has(embedder)),
    }
  }
}
