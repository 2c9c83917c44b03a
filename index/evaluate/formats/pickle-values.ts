/** What a pickle of features may hold. Lists and tuples are told apart because only lists grow. */
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

/** The outermost one; its entries are handed out, not kept. */
export class PickleDict {
  readonly kind = 'dict'
}

/** A name that stands for a known meaning; never looked up, imported or called. */
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

export class NumpyDtype {
  readonly kind = 'dtype'
  littleEndian = true
  constructor(
    /** f float, i signed, u unsigned, b boolean. */
    readonly type: 'f' | 'i' | 'u' | 'b',
    readonly itemBytes: number,
  ) {}
}

export class NumpyArray {
  readonly kind = 'array'
  dtype = new NumpyDtype('f', 8)
  shape: readonly number[] = []
  data: Uint8Array = new Uint8Array()
}

/** The numbers of an array's bytes, in the order in which they lie. Throws RangeError where there is no such type. */
export function numbersOf(dtype: NumpyDtype, data: Uint8Array): Float64Array {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength)
  const read = readerOf(dtype, view)
  return Float64Array.from({ length: data.byteLength / dtype.itemBytes }, (_, i) => read(i * dtype.itemBytes))
}

function readerOf(dtype: NumpyDtype, view: DataView): (offset: number) => number {
  const little = dtype.littleEndian
  switch (`${dtype.type}${dtype.itemBytes}`) {
    case 'f2':
      return (at) => half(view.getUint16(at, little))
    case 'f4':
      return (at) => view.getFloat32(at, little)
    case 'f8':
      return (at) => view.getFloat64(at, little)
    case 'i1':
      return (at) => view.getInt8(at)
    case 'i2':
      return (at) => view.getInt16(at, little)
    case 'i4':
      return (at) => view.getInt32(at, little)
    case 'i8':
      return (at) => Number(view.getBigInt64(at, little))
    case 'b1':
    case 'u1':
      return (at) => view.getUint8(at)
    case 'u2':
      return (at) => view.getUint16(at, little)
    case 'u4':
      return (at) => view.getUint32(at, little)
    case 'u8':
      return (at) => Number(view.getBigUint64(at, little))
    default:
      throw new RangeError(`numbers of type ${dtype.type}${dtype.itemBytes}`)
  }
}

/** IEEE 754 half precision: 1 sign, 5 exponent, 10 fraction bits. */
function half(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1
  const exponent = (bits >> 10) & 0x1f
  const fraction = bits & 0x3ff
  if (exponent === 0x1f) return fraction === 0 ? sign * Infinity : NaN
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1024 + fraction) * 2 ** (exponent - 25))
}
