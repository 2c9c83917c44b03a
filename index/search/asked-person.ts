import type { Verdicts } from '../identities/verdicts.js'

/** Somebody whom tracks are compared with. */
export interface AskedPerson {
  /** L2-normalised descriptor. */
  readonly query: Float32Array
  /** What people said about the name. Absent if there is no name. */
  readonly verdicts?: Verdicts | undefined
}
