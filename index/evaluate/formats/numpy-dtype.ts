/** f float, i signed, u unsigned, b boolean; U text in UTF-32, S text in bytes; O Python objects. */
export type DtypeKind = 'f' | 'i' | 'u' | 'b' | 'U' | 'S' | 'O'

/** The type of the items of a NumPy array, and their byte order. */
export class NumpyDtype {
  readonly kind = 'dtype'
  littleEndian = true
  constructor(
    readonly type: DtypeKind,
    readonly itemBytes: number,
  ) {}

  get isText(): boolean {
    return this.type === 'U' || this.type === 'S'
  }

  get isNumber(): boolean {
    return !this.isText && this.type !== 'O'
  }
}

/** NumPy types that are not supported, in words. */
const refused: Readonly<Record<string, string>> = {
  c: 'complex numbers',
  M: 'dates',
  m: 'time spans',
  V: 'structured or raw bytes',
  g: 'long doubles',
}

const numberSizes: Readonly<Record<string, readonly string[]>> = {
  f: ['2', '4', '8'],
  i: ['1', '2', '4', '8'],
  u: ['1', '2', '4', '8'],
  b: ['1'],
}

/**
 * Parses a dtype: `<f4`, `|S10`, `>U5`, `|O`. "=" and a missing byte order mean little-endian, as on the machines
 * that write such files. Throws an Error for an unsupported type. The message names the type.
 */
export function parseDtype(text: string): NumpyDtype {
  const [, order = '', type = '', size = ''] = /^([<>|=]?)([A-Za-z?])(\d*)(?:\[\w+\])?$/.exec(text) ?? []
  const dtype = dtypeOf(type, size)
  if (dtype === undefined) {
    const what = type === 'f' ? 'long doubles' : (refused[type] ?? 'values')
    throw new Error(
      `${what} of type "${text.slice(0, 20)}": only float16 to float64, whole numbers, booleans and text can be read`,
    )
  }
  dtype.littleEndian = order !== '>'
  return dtype
}

function dtypeOf(type: string, size: string): NumpyDtype | undefined {
  if (type === '?') return new NumpyDtype('b', 1)
  if (type === 'O') return new NumpyDtype('O', 8)
  if (type === 'U' || type === 'S')
    return Number(size) > 0 ? new NumpyDtype(type, Number(size) * (type === 'U' ? 4 : 1)) : undefined
  if (type !== 'f' && type !== 'i' && type !== 'u' && type !== 'b') return undefined
  return numberSizes[type]?.includes(size) === true ? new NumpyDtype(type, Number(size)) : undefined
}

/** The numbers in the bytes of an array, in storage order. Throws a RangeError if the type is not a number. */
export function numbersOf(dtype: NumpyDtype, data: Uint8Array): Float64Array {
  const numbers = new Float64Array(data.byteLength / dtype.itemBytes)
  copyNumbers(dtype, data, numbers, 0)
  return numbers
}

/** Like `numbersOf`, but writes into an array from position `at` on. */
export function copyNumbers(
  dtype: NumpyDtype,
  data: Uint8Array,
  into: Float32Array | Float64Array,
  at: number,
): void {
  const read = numberReader(dtype, new DataView(data.buffer, data.byteOffset, data.byteLength))
  const count = data.byteLength / dtype.itemBytes
  for (let i = 0; i < count; i++) into[at + i] = read(i * dtype.itemBytes)
}

function numberReader(dtype: NumpyDtype, view: DataView): (offset: number) => number {
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
      throw new RangeError(`no numbers of type ${dtype.type}${dtype.itemBytes}`)
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

/** The texts in the bytes of an array. Each is padded with zeros. Invalid characters become U+FFFD. */
export function textsOf(dtype: NumpyDtype, data: Uint8Array): string[] {
  const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength)
  return Array.from({ length: bytes.length / dtype.itemBytes }, (_, i) => {
    const item = bytes.subarray(i * dtype.itemBytes, (i + 1) * dtype.itemBytes)
    return (dtype.type === 'S' ? item.toString('utf8') : utf32(item, dtype.littleEndian)).replace(/\0+$/, '')
  })
}

function utf32(bytes: Buffer, littleEndian: boolean): string {
  let text = ''
  for (let at = 0; at < bytes.length; at += 4) {
    const code = littleEndian ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at)
    text += String.fromCodePoint(code > 0x10ffff ? 0xfffd : code)
  }
  return text
}

/**
 * For arrays in Fortran order (the first index changes fastest): returns the position of the k-th item in C order
 * (the last index changes fastest).
 */
export function fortranPlace(shape: readonly number[]): (k: number) => number {
  const strides = shape.map((_, axis) => shape.slice(0, axis).reduce((product, size) => product * size, 1))
  return (k) => {
    let place = 0
    let rest = k
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      const size = shape[axis] ?? 1
      place += (rest % size) * (strides[axis] ?? 0)
      rest = Math.floor(rest / size)
    }
    return place
  }
}
