import type { NumpyDtype } from './numpy-dtype.js'

/** Half precision is kept as bits. */
export type FloatRows =
  | { readonly precision: 'float16'; readonly bits: Uint16Array }
  | { readonly precision: 'float32'; readonly floats: Float32Array }

/** An array of numbers, [shape[0], shape[1], …], row-major. */
export interface NumberArray {
  readonly kind: 'numbers'
  readonly shape: readonly number[]
  /** The dtype in the file. */
  readonly dtype: NumpyDtype
  readonly values: FloatRows
}

export interface TextArray {
  readonly kind: 'text'
  readonly shape: readonly number[]
  readonly values: readonly string[]
}

export interface NpyHeader {
  readonly dtype: NumpyDtype
  readonly shape: readonly number[]
  /** Number of items. */
  readonly count: number
  readonly isFortran: boolean
}
