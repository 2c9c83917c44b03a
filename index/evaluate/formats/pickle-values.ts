import { NumpyDtype, numbersOf, textsOf } from './numpy-dtype.js'

/** The values that a pickle of features may contain. Lists and tuples are distinguished because only lists grow. */
export type PickleValue =
  | null
  | boolean
  | number
  | string
  | Uint8Array
  | PickleList
  | PickleTuple
  | PickleDict
  | PickleGlobal
  | NumpyDtype
  | NumpyArray

export class PickleList {
  readonly kind = 'list'
  readonly items: PickleValue[] = []
}

export class PickleTuple {
  readonly kind = 'tuple'
  constructor(readonly items: readonly PickleValue[]) {}
}

/** The outermost dict. Its entries are returned, not stored. */
export class PickleDict {
  readonly kind = 'dict'
}

/** A name with a known meaning. It is never looked up, imported or called. */
export class PickleGlobal {
  readonly kind = 'global'
  constructor(readonly meaning: GlobalMeaning) {}
}

export type GlobalMeaning =
  | 'array class'
  | 'reconstruct array'
  | 'array from buffer'
  | 'dtype'
  | 'scalar'
  | 'encode text'
  | 'empty bytes'

export class NumpyArray {
  readonly kind = 'array'
  dtype = new NumpyDtype('f', 8)
  shape: readonly number[] = []
  /** In C order. Empty if the items are objects. */
  data: Uint8Array = new Uint8Array()
  /** The items of an array of objects, in C order. */
  objects: readonly PickleValue[] = []

  /** The items as plain values, in C order. */
  values(): readonly PickleValue[] {
    if (this.dtype.type === 'O') return this.objects
    return this.dtype.isText ? textsOf(this.dtype, this.data) : [...numbersOf(this.dtype, this.data)]
  }

  /** The entries along the first axis: items or, if there are more axes, rows. */
  rows(): readonly PickleValue[] {
    const values = this.values()
    if (this.shape.length < 2) return values
    const width = this.shape.slice(1).reduce((product, size) => product * size, 1)
    return Array.from(
      { length: this.shape[0] ?? 0 },
      (_, row) => new PickleTuple(values.slice(row * width, (row + 1) * width)),
    )
  }
}

/** The items of a list, a tuple or an array. */
export function itemsOf(value: PickleValue | undefined): readonly PickleValue[] | undefined {
  if (value instanceof PickleList || value instanceof PickleTuple) return value.items
  return value instanceof NumpyArray ? value.rows() : undefined
}
