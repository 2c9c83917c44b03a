import { CameoError } from '../../common/errors.js'
import { maxDimension } from '../../common/limits.js'
import type { Pack } from './pack.js'

/**
 * The packs as one: the first finds the faces, and the embedders of all see each. An embedding is all of theirs at equal
 * lengths, one after the other, so that a cosine similarity is the mean of theirs; its norm is the first's, which thus tells what is
 * no face. Calibrated it is only where the ensemble itself was.
 * @throws PACK_INVALID where a pack is given twice, or the embeddings are too long together
 */
export function ensembleOf(members: readonly [Pack, ...Pack[]]): Pack {
  const [first] = members
  const name = members.map((pack) => pack.name).join('+')
  const refuse = (what: string): never => {
    throw new CameoError('PACK_INVALID', `the ensemble ${name} ${what}`)
  }
  if (members.some(({ members: own }) => own !== undefined)) refuse('is made of another ensemble')
  const files = members.map(({ embedder }) => embedder.file.sha256)
  if (new Set(files).size < files.length) refuse('has one embedder twice')
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
    // The model of the first's embedding, which is here 1 / √members as long, and zeros for the others.
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
