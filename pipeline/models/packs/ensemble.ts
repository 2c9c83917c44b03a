import { CameoError } from '../../common/errors.js'
import { maxDimension } from '../../common/limits.js'
import type { Pack } from './pack.js'

/**
 * Combines the packs into one: the first detects the faces, and the embedders of all process each face. An embedding is
 * the concatenation of theirs at equal lengths, so that its cosine similarity is the mean of theirs. Its norm is the
 * first embedder's, which shows what is not a face. The ensemble has a calibration only if it was calibrated itself.
 * @throws PACK_INVALID if a pack is given twice, or if the embeddings together are too long
 */
export function ensembleOf(members: readonly [Pack, ...Pack[]]): Pack {
  const [first] = members
  const name = members.map((pack) => pack.name).join('+')
  const refuse = (what: string): never => {
    throw new CameoError('PACK_INVALID', `the ensemble ${name} ${what}`)
  }
  if (members.some(({ members: own }) => own !== undefined)) refuse('contains another ensemble')
  const files = members.map(({ embedder }) => embedder.file.sha256)
  if (new Set(files).size < files.length) refuse('contains the same embedder twice')
  const dimension = members.reduce((sum, { embedder }) => sum + embedder.dimension, 0)
  if (dimension > maxDimension)
    refuse(`has embeddings of ${dimension} values; at most ${maxDimension} can be stored`)
  const { hiddenFaces } = first
  return {
    ...first,
    name,
    licence: members.map(({ name: own, licence }) => `${licence} (${own})`).join(', '),
    embedder: { ...first.embedder, dimension },
    calibration: undefined,
    // The model of the first pack's embedding, which is shorter by 1 / √members here, and zeros for the other
    // embeddings.
    hiddenFaces: hiddenFaces && {
      weights: Array.from(
        { length: dimension },
        (_, i) => (hiddenFaces.weights[i] ?? 0) * Math.sqrt(members.length),
      ),
      bias: hiddenFaces.bias,
    },
    members,
  }
}
