import { decodeFloat16 } from './float16.js'
import { l2Normalise } from './vector-math.js'

/** A face's embedding as it is stored: rounded once to float16, not normalised. */
export interface Embedding {
  /** Half-precision bits, one value per dimension. */
  readonly float16: Uint16Array
  /** L2 norm of the raw vector, before rounding. */
  readonly norm: number
}

/** An embedding, L2-normalised. */
export const unitOf = ({ float16 }: Pick<Embedding, 'float16'>): Float32Array =>
  l2Normalise(decodeFloat16(float16))
