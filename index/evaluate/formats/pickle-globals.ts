import { fortranPlace, NumpyDtype, numbersOf, parseDtype, textsOf } from './numpy-dtype.js'
import {
  NumpyArray,
  PickleGlobal,
  PickleList,
  PickleTuple,
  type GlobalMeaning,
  type PickleValue,
} from './pickle-values.js'
import { counted } from '../../../pipeline/common/counted.js'

/** Every name that a pickle may contain. NumPy 2 moved `core` to `_core`. Python 2 uses `__builtin__`. */
const meanings: ReadonlyMap<string, GlobalMeaning> = new Map<string, GlobalMeaning>([
  ['numpy ndarray', 'array class'],
  ['numpy dtype', 'dtype'],
  ['numpy.core.multiarray _reconstruct', 'reconstruct array'],
  ['numpy._core.multiarray _reconstruct', 'reconstruct array'],
  ['numpy.core.numeric _frombuffer', 'array from buffer'],
  ['numpy._core.numeric _frombuffer', 'array from buffer'],
  ['numpy.core.multiarray scalar', 'scalar'],
  ['numpy._core.multiarray scalar', 'scalar'],
  ['_codecs encode', 'encode text'],
  ['builtins bytes', 'empty bytes'],
  ['__builtin__ bytes', 'empty bytes'],
])

/** Finds a known name. Throws an Error for any other name, with the name in the message. */
export function findGlobal(module: string, name: string): PickleGlobal {
  const meaning = meanings.get(`${module} ${name}`)
  if (meaning === undefined)
    throw new Error(
      `it needs ${module}.${name}: only NumPy arrays and plain values are read, and nothing in a pickle is run`,
    )
  return new PickleGlobal(meaning)
}

/** Computes the result of REDUCE for the known names. Throws an Error if the arguments are invalid. */
export function reduceGlobal(global: PickleGlobal, { items }: PickleTuple): PickleValue {
  const [first, second, third] = items
  switch (global.meaning) {
    case 'reconstruct array':
      if (first instanceof PickleGlobal && first.meaning === 'array class') return new NumpyArray()
      throw new Error('an array of a class other than numpy.ndarray')
    case 'array from buffer': {
      if (first instanceof Uint8Array && second instanceof NumpyDtype && third instanceof PickleTuple)
        return fill(new NumpyArray(), third, second, first, items[3] === 'F')
      throw new Error('an array with a buffer that is not in the file')
    }
    case 'dtype':
      return parseDtype(textOf(first))
    case 'scalar': {
      const bytes = typeof second === 'string' ? Buffer.from(second, 'latin1') : second
      if (first instanceof NumpyDtype && bytes instanceof Uint8Array && bytes.length === first.itemBytes)
        return (first.isText ? textsOf(first, bytes)[0] : numbersOf(first, bytes)[0]) ?? null
      throw new Error('a NumPy scalar without its bytes')
    }
    case 'encode text':
      // Python 3 writes bytes like this in protocol 2.
      if (typeof first === 'string' && second === 'latin1') return Buffer.from(first, 'latin1')
      throw new Error('bytes in an encoding other than latin1')
    case 'empty bytes':
      if (items.length === 0) return new Uint8Array()
      throw new Error('bytes created from arguments')
    case 'array class':
      throw new Error('an array created by calling its class')
  }
}

/** Applies BUILD: sets the state of an array or a dtype. Throws an Error if the state is invalid. */
export function buildState(target: PickleValue | undefined, state: PickleValue | undefined): void {
  if (!(state instanceof PickleTuple)) throw new Error('a state that is not a tuple')
  if (target instanceof NumpyDtype) {
    target.littleEndian = textOf(state.items[1]) !== '>'
    return
  }
  if (!(target instanceof NumpyArray)) throw new Error('a state of something other than an array')
  const [, shape, dtype, isFortran, data] = state.items
  if (shape instanceof PickleTuple && dtype instanceof NumpyDtype) {
    if (dtype.type === 'O' && data instanceof PickleList) {
      // NumPy always writes objects in C order, for any order of the array.
      setShape(target, shape, dtype, data.items.length, counted(data.items.length, 'object'))
      target.objects = data.items
      return
    }
    const bytes = typeof data === 'string' ? Buffer.from(data, 'latin1') : data
    if (dtype.type !== 'O' && bytes instanceof Uint8Array) {
      fill(target, shape, dtype, bytes, isFortran === true || isFortran === 1)
      return
    }
  }
  throw new Error('an array that is not of plain numbers, text or objects')
}

function fill(
  array: NumpyArray,
  shape: PickleTuple,
  dtype: NumpyDtype,
  data: Uint8Array,
  isFortran: boolean,
): NumpyArray {
  setShape(array, shape, dtype, data.length / dtype.itemBytes, counted(data.length, 'byte'))
  array.data = isFortran && array.shape.length > 1 ? reordered(data, dtype.itemBytes, array.shape) : data
  return array
}

/** Sets the shape. Throws an Error if the number of items does not match it. */
function setShape(
  array: NumpyArray,
  { items }: PickleTuple,
  dtype: NumpyDtype,
  count: number,
  what: string,
): void {
  array.shape = items.map((size) => (typeof size === 'number' ? size : NaN))
  array.dtype = dtype
  if (array.shape.reduce((product, size) => product * size, 1) !== count)
    throw new Error(`an array of shape (${array.shape.join(', ')}) with ${what}`)
}

/** Converts Fortran order to C order. */
function reordered(data: Uint8Array, itemBytes: number, shape: readonly number[]): Uint8Array {
  const copy = new Uint8Array(data.length)
  const place = fortranPlace(shape)
  for (let k = 0; k * itemBytes < data.length; k++) {
    const from = place(k) * itemBytes
    copy.set(data.subarray(from, from + itemBytes), k * itemBytes)
  }
  return copy
}

function textOf(value: PickleValue | undefined): string {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('latin1')
  return typeof value === 'string' ? value : ''
}
