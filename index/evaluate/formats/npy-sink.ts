import { ByteReader } from './byte-reader.js'
import { copyNumbers, fortranPlace, textsOf } from './numpy-dtype.js'
import { readPickle } from './pickle.js'
import { NumpyArray, type PickleValue } from './pickle-values.js'
import { counted } from '../../../pipeline/common/counted.js'
import type { FloatRows, NpyHeader, NumberArray, TextArray } from './npy-arrays.js'

/** Receives the data of an array in pieces. Throws an Error if the data does not match the header. */
export interface ArraySink {
  /** Bytes must be written in multiples of this. */
  readonly itemBytes: number
  write(bytes: Buffer): void
  /** @param left number of bytes after the last complete item */
  finish(left: number): NumberArray | TextArray
}

export function createArraySink(header: NpyHeader): ArraySink {
  if (header.dtype.type === 'O') return new ObjectSink(header)
  return header.dtype.isText ? new TextSink(header) : new NumberSink(header)
}

/** Compares the number of bytes with the shape. */
class ByteCount {
  #bytes = 0
  readonly #expected: number

  constructor({ count, dtype }: NpyHeader) {
    this.#expected = count * dtype.itemBytes
  }

  add(bytes: number): void {
    this.#bytes += bytes
    if (this.#bytes > this.#expected) throw new Error('there are more bytes than its shape needs')
  }

  end(left: number): void {
    if (left > 0 || this.#bytes < this.#expected)
      throw new Error(`it ends after ${this.#bytes + left} of ${counted(this.#expected, 'byte')} of data`)
  }
}

class NumberSink implements ArraySink {
  readonly itemBytes: number
  readonly #header: NpyHeader
  readonly #count: ByteCount
  readonly #values: FloatRows
  #at = 0

  constructor(header: NpyHeader) {
    const { dtype, count } = header
    this.#header = header
    this.itemBytes = dtype.itemBytes
    this.#count = new ByteCount(header)
    this.#values =
      dtype.type === 'f' && dtype.itemBytes === 2
        ? { precision: 'float16', bits: new Uint16Array(count) }
        : { precision: 'float32', floats: new Float32Array(count) }
  }

  write(bytes: Buffer): void {
    this.#count.add(bytes.length)
    const { dtype } = this.#header
    if (this.#values.precision === 'float32') copyNumbers(dtype, bytes, this.#values.floats, this.#at)
    else
      for (let from = 0; from < bytes.length; from += 2)
        this.#values.bits[this.#at + from / 2] = dtype.littleEndian
          ? bytes.readUInt16LE(from)
          : bytes.readUInt16BE(from)
    this.#at += bytes.length / this.itemBytes
  }

  finish(left: number): NumberArray {
    this.#count.end(left)
    const { shape, dtype } = this.#header
    return { kind: 'numbers', shape, dtype, values: this.#inCOrder() }
  }

  #inCOrder(): FloatRows {
    const { shape, isFortran } = this.#header
    if (!isFortran || shape.length < 2) return this.#values
    const place = fortranPlace(shape)
    if (this.#values.precision === 'float16') {
      const { bits } = this.#values
      return { precision: 'float16', bits: bits.map((_, k) => bits[place(k)] ?? 0) }
    }
    const { floats } = this.#values
    return { precision: 'float32', floats: floats.map((_, k) => floats[place(k)] ?? 0) }
  }
}

class TextSink implements ArraySink {
  readonly itemBytes: number
  readonly #header: NpyHeader
  readonly #count: ByteCount
  readonly #values: string[] = []

  constructor(header: NpyHeader) {
    this.#header = header
    this.itemBytes = header.dtype.itemBytes
    this.#count = new ByteCount(header)
  }

  write(bytes: Buffer): void {
    this.#count.add(bytes.length)
    for (const text of textsOf(this.#header.dtype, bytes)) this.#values.push(text)
  }

  finish(left: number): TextArray {
    this.#count.end(left)
    const { shape, isFortran } = this.#header
    const place = fortranPlace(shape)
    const values = isFortran ? this.#values.map((_, k) => this.#values[place(k)] ?? '') : this.#values
    return { kind: 'text', shape, values }
  }
}

/** Maximum size of a pickle in bytes. Only names are expected as objects, not features. */
const maxObjectBytes = 1 << 28

class ObjectSink implements ArraySink {
  readonly itemBytes = 1
  readonly #pieces: Buffer[] = []
  readonly #header: NpyHeader
  #bytes = 0

  constructor(header: NpyHeader) {
    this.#header = header
  }

  write(bytes: Buffer): void {
    this.#bytes += bytes.length
    if (this.#bytes > maxObjectBytes)
      throw new Error(
        'its Python objects are too large: save text with dtype="U", numbers with dtype="float32"',
      )
    this.#pieces.push(bytes)
  }

  finish(): NumberArray | TextArray {
    const next = readPickle(new ByteReader(Buffer.concat(this.#pieces))).next()
    const array = next.done === true ? next.value : null
    const { shape, dtype, count } = this.#header
    if (!(array instanceof NumpyArray) || array.objects.length !== count)
      throw new Error('its Python objects are not an array of the shape in its header')
    const { objects } = array
    const numbers = objects.filter((value) => typeof value === 'number')
    if (numbers.length === objects.length && numbers.length > 0)
      return {
        ...{ kind: 'numbers', shape, dtype },
        values: { precision: 'float32', floats: Float32Array.from(numbers) },
      }
    return { kind: 'text', shape, values: objects.map(textOf) }
  }
}

function textOf(value: PickleValue, at: number): string {
  if (typeof value === 'string') return value
  if (value instanceof Uint8Array) return Buffer.from(value).toString('utf8')
  throw new Error(
    `its Python object ${at + 1} is neither text nor a number: save text with dtype="U", numbers with dtype="float32"`,
  )
}
